"""docs/configuration.md, written from the models themselves, so that it cannot be out of date."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edge.durations import write_duration
from edge.settings import ID
from hub.configuration.models import CentreSettings
from hub.configuration.sizes import parse_size, write_size
from hub.configuration.timetable import parse_hours

WORDS = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    timedelta: "duration",
    date: "date",
}
HEAD = """\
# Settings

<!-- Generated from the code by `make docs`. Change the docstrings there, not this page. -->

One file describes a centre; copy `config/centre.example.yaml`. It is YAML 1.2: `on` is a text and
`012` is twelve. `linli` looks for `/etc/linli/centre.yaml`, then `config/centre.yaml`; commands
that need it take `--config FILE`. `linli check-config` names every mistake with file, line and
column. Unknown settings are refused, since a misspelt one would be ignored. Aliases (`*name`) are
not used.

Files `devices.d/*.yaml` beside it hold further lists of devices. The hub itself writes only
`devices.d/adopted.yaml`, and never yours; the same id in both is an error that names both lines.

Durations are a number and a unit: `90s`, `10m`, `25h`, `7d`; sizes too: `500MB`, `4GB`. Ids are 1
to 40 small letters, digits and hyphens. Names are texts by language:
`{zh-CN: 健身房, zh-TW: 健身房, en: Gym}`.

A device has exactly one of `room`, `door` and `map`; `zone` may stand beside `room`, also inside
`map`. One serial port and one MQTT topic belong to one device.
"""


def reference() -> str:
    """The whole page."""
    lines = [HEAD]
    for title, model in _sections(CentreSettings, ""):
        lines += [f"## {title}" if title else "## The file", "", _sentence(model), ""]
        lines += ["| Setting | Value | Default | Meaning |", "| --- | --- | --- | --- |"]
        lines += [_row(name, field) for name, field in model.model_fields.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _sections(model: type[BaseModel], title: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield title, model
    for name, field in model.model_fields.items():
        for inner, suffix in _models(field.annotation):
            path = f"{title}.{name}" if title else name
            yield from _sections(inner, path + suffix)


def _models(annotation: Any, suffix: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The tables inside a type: itself, of a list (``[]``), of a table of tables (``.*``)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, suffix
        return
    inner = {list: "[]", dict: ".*"}.get(get_origin(annotation), "")
    models = [found for item in get_args(annotation) for found in _models(item, suffix + inner)]
    several = len(models) > 1
    for model, mark in models:
        yield model, f"{mark} ({_first(model)})" if several else mark


def _first(model: type[BaseModel]) -> str:
    return next(iter(model.model_fields))


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _row(name: str, field: FieldInfo) -> str:
    kind = _kind(field.annotation, field.metadata)
    default = "required" if field.is_required() else _default(field)
    meaning = " ".join((field.description or "").split())
    return f"| `{field.alias or name}` | {kind} | {default} | {meaning} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value in (None, [], {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, timedelta):
        return f"`{write_duration(value)}`"
    if _is_size(field.metadata):
        return f"`{write_size(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _is_size(metadata: list[Any]) -> bool:
    return _is_read_by(parse_size, metadata)


def _is_read_by(read: Callable[[object], object], metadata: list[Any]) -> bool:
    return any(getattr(item, "func", None) is read for item in metadata)


def _kind(annotation: Any, metadata: list[Any]) -> str:
    """What may be written, for people."""
    if any(getattr(item, "pattern", None) == ID for item in metadata):
        return "id"
    if _is_size(metadata):
        return "size"
    if _is_read_by(parse_hours, metadata):
        return "hours"
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _kind(inner, more)
    if get_origin(annotation) in (Union, types.UnionType):
        items = [item for item in get_args(annotation) if item is not type(None)]
        return " or ".join(_kind(item, metadata) for item in items)
    return _plain_kind(annotation) + _bounds(metadata)


def _plain_kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{item}`" for item in arguments)
    if origin is list:
        return "list"
    if origin is tuple:
        return "two texts"
    if origin is dict and get_origin(arguments[0]) is Literal:
        return "names"
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "table"
    return WORDS.get(annotation, "text")


def _bounds(metadata: list[Any]) -> str:
    low = next((str(item.ge) for item in metadata if isinstance(item, Ge)), "")
    low = next((f"{int(str(item.gt)) + 1}" for item in metadata if isinstance(item, Gt)), low)
    high = next((str(item.le) for item in metadata if isinstance(item, Le)), "")
    high = next((f"{int(str(item.lt)) - 1}" for item in metadata if isinstance(item, Lt)), high)
    return f", {low} to {high}" if low and high else ""
