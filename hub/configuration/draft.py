"""What of a configuration can be understood, however broken the rest is.

Names that must agree are checked even where another line is wrong, so that a person mends a file
once and not ten times. A draft therefore holds the valid entries, and, apart from them, every name
that was written at all: a device in a room with a misspelt `capacity` is in a known room.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from edge.settings import DeviceSettings, Section
from hub.configuration.models import (
    AccessSection,
    BuildingSettings,
    CentreSection,
    CentreSettings,
    DoorSettings,
    HttpSection,
    PlanSettings,
    RoomSettings,
)
from hub.configuration.problems import Problem
from hub.configuration.publish import PublishSection
from hub.configuration.translate import meant, translate
from hub.configuration.yaml12 import Document, Path

Entry = TypeVar("Entry", bound=Section)
STANDALONE = frozenset(
    {"silent_after", "baud", "parity", "stop_bits", "data_bits", "capacity", "floor", "invert"}
)
Numbered = dict[int, Entry]
"""Entries of a list by their place in it; wrong ones are left out."""


@dataclass(slots=True)
class Draft:
    """The understandable part of a document."""

    settings: CentreSettings | None
    centre: CentreSection | None = None
    http: HttpSection | None = None
    access: AccessSection | None = None
    publish: PublishSection | None = None
    buildings: Numbered[BuildingSettings] = field(default_factory=dict)
    rooms: Numbered[RoomSettings] = field(default_factory=dict)
    doors: Numbered[DoorSettings] = field(default_factory=dict)
    devices: Numbered[DeviceSettings] = field(default_factory=dict)
    plans: Numbered[PlanSettings] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def draft(document: Document) -> Draft:
    """Validate the whole, or each entry by itself where the whole is not valid."""
    try:
        settings = CentreSettings.model_validate(document.data)
    except ValidationError as error:
        return _partial(document, translate(error, document))
    return Draft(
        settings,
        settings.centre,
        settings.http,
        settings.access,
        settings.publish,
        dict(enumerate(settings.buildings)),
        dict(enumerate(settings.rooms)),
        dict(enumerate(settings.doors)),
        dict(enumerate(settings.devices)),
        dict(enumerate(settings.plans)),
    )


def _partial(document: Document, problems: list[Problem]) -> Draft:
    data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
    return Draft(
        None,
        _entry(CentreSection, data.get("centre")),
        _entry(HttpSection, data.get("http") or {}),
        _entry(AccessSection, data.get("access") or {}),
        _entry(PublishSection, data.get("publish") or {}),
        _entries(BuildingSettings, data.get("buildings")),
        _entries(RoomSettings, data.get("rooms")),
        _entries(DoorSettings, data.get("doors")),
        _entries(DeviceSettings, data.get("devices")),
        _entries(PlanSettings, data.get("plans")),
        problems,
    )


def _entry(model: type[Entry], raw: object) -> Entry | None:
    """One entry, without those wrong parts of it that no other entry can depend on."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        rest = copy.deepcopy(raw)
        for detail, path in meant(error.errors(include_url=False), raw):
            if detail["type"] == "extra_forbidden" or (path[-1:] and path[-1] in STANDALONE):
                _drop(rest, path)
    try:
        return model.model_validate(rest)
    except ValidationError:
        return None


def _drop(raw: Any, path: Path) -> None:
    for part in path[:-1]:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(raw, dict):
        raw.pop(path[-1], None)


def _entries(model: type[Entry], raw: object) -> Numbered[Entry]:
    rows = raw if isinstance(raw, list) else []
    found = ((index, _entry(model, row)) for index, row in enumerate(rows))
    return {index: entry for index, entry in found if entry is not None}


def written(document: Document, section: str, key: str = "id") -> dict[int, str]:
    """Every text under a key of a list's entries, also of entries that are otherwise wrong."""
    rows = document.data.get(section) if isinstance(document.data, dict) else None
    if not isinstance(rows, list):
        return {}
    named = ((index, row.get(key)) for index, row in enumerate(rows) if isinstance(row, dict))
    return {index: name for index, name in named if isinstance(name, str)}
