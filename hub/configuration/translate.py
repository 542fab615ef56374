"""pydantic's errors, with their places, in words for the person who wrote the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edge.settings import MqttLink, SerialLink
from hub.configuration.models import CentreSettings
from hub.configuration.problems import Param, Place, Problem, near
from hub.configuration.timetable import DAYS, WEEK
from hub.configuration.yaml12 import Document, Path

LINKS = {"SerialLink": SerialLink, "MqttLink": MqttLink}
LANGUAGE_KEYS = ("zh-CN", "zh-TW", "en")
EXPECTED = {
    "string_type": "text",
    "int_type": "whole_number",
    "int_parsing": "whole_number",
    "int_from_float": "whole_number",
    "bool_type": "true_or_false",
    "bool_parsing": "true_or_false",
    "list_type": "list",
    "tuple_type": "list",
    "dict_type": "table",
    "model_type": "table",
    "model_attributes_type": "table",
}
OWN = frozenset(
    (
        "no_link",
        "no_name",
        "bad_size",
        "bad_url",
        "bad_host_name",
        "bad_account_name",
        "bad_topic_prefix",
        "bad_hours",
        "hours_backwards",
        "string_too_short",
        "string_too_long",
    )
)
"""Kinds of error that have sentences under their own name."""
BOUNDS = {
    "greater_than": "gt",
    "greater_than_equal": "ge",
    "less_than": "lt",
    "less_than_equal": "le",
}


def translate(error: ValidationError, document: Document) -> list[Problem]:
    """Every error of pydantic's as a problem of ours, in the order of the file."""
    details = error.errors(include_url=False, include_context=True)
    return [_problem(detail, path, document) for detail, path in meant(details, document.data)]


def meant(details: list[ErrorDetails], data: object) -> Iterator[tuple[ErrorDetails, Path]]:
    """Errors of the link that was meant; pydantic reports those of every kind of link."""
    told: set[Path] = set()
    for detail in details:
        path: Path = tuple(detail["loc"])
        name = next((part for part in path if part in LINKS), None)
        if name is None:
            yield detail, path
            continue
        at = path.index(name)
        wanted = _link_kind(_value(data, path[:at]))
        if wanted is None and path[:at] not in told:
            told.add(path[:at])
            yield {**detail, "type": "no_link"}, path[:at]
        elif wanted == name:
            yield detail, (*path[:at], *path[at + 1 :])


def _link_kind(link: object) -> str | None:
    if not isinstance(link, dict):
        return None
    if "mqtt" in link or "pattern" in link:
        return None if "serial" in link else "MqttLink"
    if "serial" in link:
        return "SerialLink"
    for key in link:
        if guess := near(key, ["serial", "mqtt"]):
            return {"serial": "SerialLink", "mqtt": "MqttLink"}[guess]
    return None


def _value(data: object, path: Path) -> object:
    for part in path:
        try:
            data = data[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _problem(detail: ErrorDetails, path: Path, document: Document) -> Problem:
    kind = detail["type"]
    if path and path[-1] == "[key]":
        return _wrong_key(detail, path[:-1], document)
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1], document)
        params: dict[str, Param] = {"key": name, "known": ", ".join(known)}
        return Problem("unknown_key", document.place(path, key=True), params, near(name, known))
    if kind == "missing":
        return _missing(path, document.place(path[:-1]))
    return _wrong_value(detail, path, document)


def _wrong_key(detail: ErrorDetails, path: Path, document: Document) -> Problem:
    """A table whose keys are not ours to name: languages, days."""
    place, key = document.place(path, key=True), str(path[-1])
    if detail["type"] == "bad_day":
        day = str(detail["ctx"]["day"])
        return Problem("bad_day", place, {"key": key, "value": day}, _near_day(key, day))
    return Problem("language", place, {"key": key}, near(key, LANGUAGE_KEYS))


def _near_day(line: str, day: str) -> str:
    """The whole line as it was probably meant: ``monday-fri`` is ``mon-fri``."""
    short = day[:3] if day[:3] in WEEK else near(day, DAYS)
    return line.lower().replace(day, short) if day and short else ""


def _missing(path: Path, place: Place) -> Problem:
    """Something that must stand there: a section of the file, one place of two, or a key."""
    where, name = _where(path[:-1]), path[-1]
    if not where:
        return Problem("missing_section", place, {"key": name})
    if isinstance(name, int):
        return Problem("too_few_places", place, {"key": where})
    return Problem("missing_key", place, {"key": name, "where": where})


def _wrong_value(detail: ErrorDetails, path: Path, document: Document) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    place, value = document.place(path), _shown(_value(document.data, path))
    params: dict[str, Param] = {"key": _where(path), "value": value}
    if kind in EXPECTED:
        return Problem(f"wrong_type_{EXPECTED[kind]}", place, params)
    if kind == "string_pattern_mismatch":
        return Problem("bad_id", place, params)
    if kind == "literal_error":
        choices = [str(choice) for choice in _choices(path, document)]
        params["choices"] = ", ".join(choices) or str(context.get("expected", ""))
        return Problem("not_one_of", place, params, near(value, choices))
    if kind in BOUNDS:
        params["bound"] = str(context[BOUNDS[kind]])
        return Problem(kind, place, params)
    if kind == "value_error":
        return Problem("bad_duration", place, params)
    if kind in OWN:
        return Problem(kind, place, params | context)
    if kind.startswith("date_"):
        return Problem("bad_date", place, params)
    params["detail"] = detail["msg"]
    return Problem("bad_value", place, params)


def _where(path: Path) -> str:
    """A path as people would write it: ``devices[0].link``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _shown(value: object) -> str:
    """A value in a message: short, and in YAML's own words."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "{...}" if isinstance(value, dict) else "[...]"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _known_keys(path: Path, document: Document) -> list[str]:
    model = _annotation(path, document)
    fields = model.model_fields.items() if _is_model(model) else ()
    return [field.alias or name for name, field in fields]


def _choices(path: Path, document: Document) -> tuple[Any, ...]:
    annotation = _annotation(path, document)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _annotation(path: Path, document: Document) -> Any:
    """The type of what stands at a path."""
    found: Any = CentreSettings
    for at, part in enumerate(path):
        found = _inside(found, part)
        if set(get_args(found)) >= set(LINKS.values()):
            found = LINKS.get(_link_kind(_value(document.data, path[: at + 1])) or "")
    return found


def _inside(annotation: Any, part: str | int) -> Any:
    if _is_model(annotation):
        fields = ((field.alias or name, field) for name, field in annotation.model_fields.items())
        return next((_bare(field.annotation) for name, field in fields if name == part), None)
    arguments = get_args(annotation)
    return _bare(arguments[-1]) if arguments else None


def _bare(annotation: Any) -> Any:
    """Without Annotated and without `| None`."""
    if hasattr(annotation, "__metadata__"):
        return _bare(get_args(annotation)[0])
    arguments = [item for item in get_args(annotation) if item is not type(None)]
    is_union = get_origin(annotation) is Union or type(annotation).__name__ == "UnionType"
    return _bare(arguments[0]) if is_union and len(arguments) == 1 else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
