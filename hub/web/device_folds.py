"""The list of devices folded by place: what needs somebody lies open above, the rest by room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from hub.domain.centre import pick
from hub.domain.views import RoomsView
from hub.web.device import DeviceLine
from hub.web.page import named, translator


class Fold(NamedTuple):
    """The devices of one room, or those of doors and others that are in none."""

    key: str
    title: Markup
    devices: list[DeviceLine]


class House(NamedTuple):
    """A building's folds; without a title where there is only one building."""

    title: str
    folds: list[Fold]


def folds(rooms: RoomsView, lines: Sequence[DeviceLine], language: str) -> list[House]:
    """By building and room in reading order; every line once."""
    by_room: dict[str | None, list[DeviceLine]] = {}
    for line in lines:
        by_room.setdefault(line.room, []).append(line)
    centre, found = rooms.centre, []
    for building in centre.buildings:
        here = [
            Fold(room.id, named(room.name, language), by_room[room.id])
            for room in rooms.rooms()
            if room.building == building.id and room.id in by_room
        ]
        if here:
            title = pick(building.name, language) if len(centre.buildings) > 1 else ""
            found.append(House(title, here))
    if nowhere := by_room.get(None):
        title = translator(language)("ui.in_no_room")
        found.append(House("", [Fold("none", escape(title), nowhere)]))
    return found
