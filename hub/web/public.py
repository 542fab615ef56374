"""What everybody may see: the lobby's screen, a door's sign, the page of availability.

None of it can follow a person: no moment at which somebody came or went, no reason, no device, and
no number of people where a room is for a few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from hub.domain.centre import Room, is_for_visitors, pick
from hub.domain.room import RoomState, Status
from hub.domain.views import RoomsView
from hub.texts import LANGUAGES
from hub.web.board import Bar, bar
from hub.web.page import Frame, named, translator
from hub.web.planned import Timetable, opening
from hub.web.width import columns

MANY = 10  # places; in a smaller room a number would be about somebody
LONG = 24  # columns: more than a line of a card in the lobby


class Place(NamedTuple):
    """A room as the public sees it."""

    id: str
    name: Markup
    is_long: bool
    place: str
    status: Status
    bar: Bar | None
    capacity: int | None
    crowding: str
    opening: str
    advice: str


class Group(NamedTuple):
    title: str
    rooms: list[Place]


Spoken = list[tuple[str, str]]
"""A text in each language that says it differently, with that language."""


def places(frame: Frame, rooms: RoomsView, timetable: Timetable, language: str) -> list[Place]:
    """All rooms that a visitor may look for, in reading order."""
    return [
        place(
            frame,
            room,
            rooms.state(room.id),
            opening(frame, timetable, room.id, language),
            language,
        )
        for room in in_order(frame, rooms)
        if is_for_visitors(room)
    ]


def in_order(frame: Frame, rooms: RoomsView) -> list[Room]:
    houses = [house.id for house in frame.centre.buildings]
    return sorted(rooms.rooms(), key=lambda room: (houses.index(room.building), room.floor))


def place(frame: Frame, room: Room, state: RoomState, hours: str, language: str) -> Place:
    t = translator(language)
    is_counted = room.capacity is not None and room.capacity >= MANY
    is_told = is_counted and state.status in (Status.FREE, Status.IN_USE, Status.FULL)
    crowding = t(f"crowding.{state.crowding}") if state.crowding and is_told else ""
    return Place(
        room.id,
        named(room.name, language),
        columns(pick(room.name, language)) > LONG,
        frame.place(room, language),
        state.status,
        bar(room.capacity, state) if is_told else None,
        room.capacity,
        crowding,
        hours,
        advice(state.status, language),
    )


def groups(frame: Frame, rooms: RoomsView, timetable: Timetable, language: str) -> list[Group]:
    """By floor, and by building where there are several."""
    found: dict[str, list[Place]] = {}
    for one in places(frame, rooms, timetable, language):
        found.setdefault(one.place, []).append(one)
    return [Group(title, here) for title, here in found.items()]


def sign(frame: Frame, rooms: RoomsView, timetable: Timetable, room: Room) -> dict[str, Any]:
    """What hangs beside a door, in all languages."""
    state = rooms.state(room.id)
    is_shut_by_people = state.status is Status.CLOSED and rooms.slot(room.id).is_open
    now_ms = frame.hub.now_ms()
    return {
        "room": room,
        "status": state.status,
        "names": _spoken(lambda one: pick(room.name, one)),
        "words": _spoken(lambda one: translator(one)(f"status.{state.status}")),
        "until": _spoken(
            lambda one: "" if is_shut_by_people else opening(frame, timetable, room.id, one)
        ),
        "advice": _spoken(lambda one: advice(state.status, one)),
        "ages": _spoken(lambda one: translator(one)("ui.as_of", time=frame.when(now_ms, one))),
    }


def advice(status: Status, language: str) -> str:
    """What to do where the sensors cannot tell."""
    return translator(language)("ui.sign_unknown") if status is Status.UNKNOWN else ""


def _spoken(say: Callable[[str], str]) -> Spoken:
    """Each wording once: many words are written the same in both kinds of Chinese."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        found.setdefault(say(language), language)
    found.pop("", None)
    return list(found.items())


def density(cards: Sequence[Place]) -> str:
    """How many columns the lobby needs."""
    return "few" if len(cards) <= 6 else "many"
