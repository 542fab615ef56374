"""Names under ``notify`` that must agree: people, their channels, who is on duty, our address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from hub.configuration.draft import Draft
from hub.configuration.problems import Problem, near
from hub.configuration.timetable_checks import check_week
from hub.configuration.yaml12 import Document, Path

HERE: Path = ("notify",)
DAY_MINUTES = 24 * 60


def check_notify(draft: Draft, document: Document) -> Iterator[Problem]:
    """Read from the plain data, so that one wrong line does not hide another."""
    section = document.data.get("notify") if isinstance(document.data, dict) else None
    if not isinstance(section, dict):
        return
    yield from _repeated(section, document)
    yield from _people(section, document)
    yield from _duty(section, document)
    yield from _public_url(section, draft, document)


def _rows(section: Mapping[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    rows = section.get(key)
    found = enumerate(rows if isinstance(rows, list) else [])
    return [(index, row) for index, row in found if isinstance(row, dict)]


def _ids(section: Mapping[str, Any], key: str) -> set[str]:
    return {row["id"] for _, row in _rows(section, key) if isinstance(row.get("id"), str)}


def _repeated(section: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    """A webhook stands beside channels in the queue, so it may not have the name of one."""
    for keys in (("people",), ("channels", "webhooks")):
        first: dict[str, Path] = {}
        for key in keys:
            for index, row in _rows(section, key):
                path: Path = (*HERE, key, index, "id")
                name = row.get("id")
                if isinstance(name, str) and first.setdefault(name, path) != path:
                    params = {"id": name, "first": str(document.place(first[name]))}
                    yield Problem("duplicate_id", document.place(path), {**params})


def _people(section: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    channels = _ids(section, "channels")
    for index, row in _rows(section, "people"):
        path: Path = (*HERE, "people", index)
        listed, to = row.get("channels"), row.get("to")
        for at, name in enumerate(listed if isinstance(listed, list) else []):
            if name not in channels:
                place = document.place((*path, "channels", at))
                guess = near(str(name), channels)
                yield Problem("notify_channel", place, {"value": str(name)}, guess)
        for name in to if isinstance(to, dict) else ():
            if name not in channels:
                place = document.place((*path, "to", name), key=True)
                guess = near(str(name), channels)
                yield Problem("notify_channel", place, {"value": str(name)}, guess)


def _duty(section: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    people = _ids(section, "people")
    drill = section.get("drill")
    if isinstance(drill, dict):
        yield from check_week(drill.get("when"), (*HERE, "drill", "when"), document)
    for index, row in _rows(section, "roster"):
        yield from check_week(row.get("when"), (*HERE, "roster", index, "when"), document)
        listed = row.get("people")
        for at, name in enumerate(listed if isinstance(listed, list) else []):
            if name not in people:
                place = document.place((*HERE, "roster", index, "people", at))
                yield Problem("notify_person", place, {"value": str(name)}, near(str(name), people))
    manager = section.get("manager")
    if manager is None and people:
        yield Problem("notify_manager", document.place(HERE))
    elif isinstance(manager, str) and manager not in people:
        place = document.place((*HERE, "manager"))
        yield Problem("notify_person", place, {"value": manager}, near(manager, people))


def _public_url(section: Mapping[str, Any], draft: Draft, document: Document) -> Iterator[Problem]:
    """A link that leads to our own refusal would be found out at night, by whoever was called."""
    url = section.get("public_url")
    if not isinstance(url, str) or draft.http is None:
        return
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:  # told with its place by the model
        return
    names = {name.removeprefix("https://") for name in draft.http.names}
    is_ours = {host, f"{host}:{port}"} & names or host.replace(".", "").isdigit() or ":" in host
    if host and not is_ours and host != "localhost":
        place = document.place((*HERE, "public_url"))
        yield Problem("notify_public_url", place, {"value": host})
