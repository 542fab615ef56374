"""The board: rooms by building and floor, each a card, and one sentence for the whole centre.

A card is rendered once and kept until something it shows has changed, so a refresh of a
hundred rooms costs a comparison for each and a join (under 1 ms), however many screens ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import msgspec
from markupsafe import Markup

from hub.domain.centre import OUTSIDE, Centre, Room, Zone, pick
from hub.domain.device import DeviceState, Health
from hub.domain.room import Presence, RoomState, Status, Text
from hub.domain.views import DevicesView, RoomsView
from hub.texts import local
from hub.web.naming import Names, renamed, short_names
from hub.web.page import Frame, environment, floor, named, translator
from hub.web.width import columns

ORDER = (Status.FREE, Status.IN_USE, Status.FULL, Status.CLOSED, Status.UNKNOWN)
_LONG = 36  # columns: more than two lines of a card
_PLAIN = (Status.FREE, Status.IN_USE)
_BROKEN = (Health.FAULTY, Health.SILENT)
_BLAME = (  # of several reasons the card gives the one that a person can do most about
    "over_capacity",
    "closed_hours",
    "link_lost",
    "wall.link_lost",
    "parent_down",
    "silent",
    "bad",
    "disagree",
    "no_sensor",
    "no_proof_kind",
    "doors_unknown",
    "waiting_for_proof",
    "not_heard_since_start",
    "count_not_rezeroed",
    "stale",
    "queued",
    "retained",
)

_IN_A_HALL = {"link_lost": "wall.link_lost", "override_closed": "wall.override_closed"}
"""Reasons that name a wire or a person, and how a screen that everybody passes puts them."""


class Row(NamedTuple):
    """A floor and its cards."""

    title: str
    cards: list[Markup]


class House(NamedTuple):
    """A building and its floors, lowest first."""

    title: Markup
    rows: list[Row]


class Bar(NamedTuple):
    """People against capacity, for the thin bar."""

    people: int
    low: int
    high: int
    percent: int


class Board:
    """Renders cards for the staff's page, or for a wall that everybody passes."""

    def __init__(
        self, frame: Frame, rooms: RoomsView, devices: DevicesView, *, is_wall: bool = False
    ) -> None:
        self._frame = frame
        self._rooms = rooms
        self._devices = devices
        self._is_wall = is_wall
        self._template = environment().get_template("card_wall.html" if is_wall else "card.html")
        self._kept: dict[tuple[str, str], tuple[tuple[object, ...], Markup]] = {}

    def houses(self, language: str, shown: Collection[str] | None = None) -> list[House]:
        """Cards in reading order: all, or those of the rooms that were asked for."""
        cards = self._cards(language)
        wanted = cards if shown is None else shown
        found = []
        for building in self._rooms.centre.buildings:
            rooms = [
                room
                for room in self._rooms.rooms()
                if room.building == building.id and room.id in wanted
            ]
            floors = sorted({room.floor for room in rooms})
            rows = [
                Row(floor(level, language), [cards[r.id] for r in rooms if r.floor == level])
                for level in floors
            ]
            if rows:
                found.append(House(named(building.name, language), rows))
        return found

    def cards(self, language: str) -> list[Markup]:
        """All cards without their floors, for a wall."""
        return list(self._cards(language).values())

    def summary(self, language: str) -> str:
        """``12 rooms: 5 free, 4 in use, 1 full, 2 unknown``."""
        t = translator(language)
        counts = Counter(state.status for state in self._rooms.states())
        parts = [t(f"ui.summary.{s}", count=counts[s]) for s in ORDER if counts[s]]
        return t("ui.summary", rooms=counts.total(), parts=t("ui.comma").join(parts))

    def _cards(self, language: str) -> dict[str, Markup]:
        states = {state.room: state for state in self._rooms.states()}
        broken = faults(self._rooms.centre, self._devices.devices())
        now = self._frame.hub.now_ms()
        today = local(now, self._frame.centre.timezone).toordinal()
        return {
            room.id: self._card(room, states[room.id], broken[room.id], today, language)
            for room in self._rooms.rooms()
            if room.id in states
        }

    def attention(self) -> int:
        """Devices of the whole centre that somebody should look at."""
        return sum(is_broken(device) for device in self._devices.devices())

    def _card(self, room: Room, state: RoomState, broken: int, today: int, language: str) -> Markup:
        names = card_names(self._devices, state, language)
        shown = (
            state.status,
            state.presence,
            state.people,
            state.since_ms,
            state.reasons,
            state.zones,
            broken,
            today,  # "since 14:05" gets a date tomorrow
            names,
        )
        key = (room.id, language)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == shown:
            return kept[1]
        told = in_a_hall(state) if self._is_wall else state
        context = card_context(self._frame, room, told, broken, language, names)
        card = Markup(self._template.render(context))  # noqa: S704 - the template escapes
        self._kept[key] = (shown, card)
        return card


def card_context(
    frame: Frame,
    room: Room,
    state: RoomState,
    broken: int,
    language: str,
    names: Names,
) -> dict[str, Any]:
    """What a card or the head of a room page shows."""
    return {
        "t": translator(language),
        "room": room,
        "name": named(room.name, language),
        "is_long": columns(pick(room.name, language)) > _LONG,
        "place": frame.place(room, language),
        "status": state.status,
        "since": frame.when(state.since_ms, language),
        "bar": bar(room.capacity, state),
        "reason": reason(frame, state, language, names),
        "zones": zones(room, state, language),
        "broken": broken,
    }


def zones(room: Room, state: RoomState, language: str) -> list[tuple[Markup, Status]]:
    """The parts of a room by name, each with its own status."""
    return [(named(_zone(room, zone.id).name, language), zone.status) for zone in state.zones]


def bar(capacity: int | None, state: RoomState) -> Bar | None:
    """None where nobody counts."""
    if state.people is None:
        return None
    people = state.people
    percent = min(100, round(100 * people.estimate / capacity)) if capacity else 0
    return Bar(people.estimate, people.low, people.high, percent)


def is_broken(device: DeviceState) -> bool:
    """It says so itself, or somebody must know of it."""
    return device.health in _BROKEN or bool(device.alerts)


def faults(centre: Centre, devices: Iterable[DeviceState]) -> Counter[str]:
    """Broken devices of each room; a door's device counts for both its sides."""
    sides = {door.id: door.between for door in centre.doors}
    counts: Counter[str] = Counter()
    for device in devices:
        if is_broken(device):
            places = {device.room} if device.room else set(sides.get(device.door or "", ()))
            counts.update(place for place in places if place and place != OUTSIDE)
    return counts


def card_names(devices: DevicesView, state: RoomState, language: str) -> Names:
    """Only a card that gives a reason names devices."""
    if state.status in _PLAIN:
        return {}
    return short_names(devices.in_room(state.room), language)


def reason(frame: Frame, state: RoomState, language: str, names: Names) -> str:
    """One line why, where the status alone is not plain."""
    if state.status in _PLAIN or not state.reasons:
        return ""
    worst = min(state.reasons, key=_rank)
    line = frame.text(Text(worst.code, renamed(worst.params, names)), language)
    if state.status is Status.CLOSED and state.presence is Presence.PRESENT:
        t = translator(language)
        line += t("ui.comma") + t("ui.someone_inside")
    return line


def in_a_hall(state: RoomState) -> RoomState:
    """The same without what is nothing for a hall: ports, and who closed a room."""
    reasons = tuple(
        Text(_IN_A_HALL.get(reason.code, reason.code), reason.params) for reason in state.reasons
    )
    return msgspec.structs.replace(state, reasons=reasons)


def _rank(reason: Text) -> int:
    return _BLAME.index(reason.code) if reason.code in _BLAME else len(_BLAME)


def _zone(room: Room, zone: str) -> Zone:
    return next((z for z in room.zones if z.id == zone), Zone(zone, {"en": zone}))
