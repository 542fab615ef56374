"""The board as a floor plan: a sheet for each floor, each room in its status.

A sheet has two layers. Below lies the drawing, stretched to the width it has. Above lie icon, word
and name of each room at their own size, so that they can be read on any screen; a name that does
not fit its room at the present width is left to the list under the sheet.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from hub.domain.centre import Room, pick
from hub.domain.room import RoomState, Status
from hub.domain.views import DevicesView, RoomsView
from hub.web.board import bar, card_names, reason
from hub.web.drawing import Drawing
from hub.web.outline import Box
from hub.web.page import Frame, environment, floor, named, translator
from hub.web.schematic import FORMS, schematic
from hub.web.width import columns, wrapped

STEPS = (
    130,
    160,
    220,
    280,
    320,
    400,
    480,
    640,
    800,
    960,
    1120,
    1280,
)  # widths of a sheet, in pixels
NEVER = "never"
COLUMN = 9.2  # pixels of half a Chinese character, or of a Latin letter, in bold
LINE, ICON, ROOM_AROUND = 22, 34, 16

Drawings = Mapping[tuple[str, int], Drawing]
"""By building and floor."""


class Label(NamedTuple):
    """A room on a sheet. ``fits``: the narrowest sheet on which its words are shown."""

    id: str
    name: str
    language: str
    status: Status
    said: str
    figure: str
    x: str
    y: str
    width: str
    height: str
    lines: list[str]
    fits: str
    half: float
    """Where icon and word begin, so that they stand in the middle."""


class Sheet(NamedTuple):
    """``kind``: drawn, or a schematic that is wide or narrow."""

    kind: str
    drawing: Drawing
    parts: list[tuple[str, Markup]]
    labels: list[Label]
    items: list[Item]


class Item(NamedTuple):
    """A room in the list under a sheet, which has what the sheet cannot hold.

    ``until``: from this width on it can; never where there is a reason to be told.
    """

    id: str
    name: Markup
    status: Status
    figure: str
    reason: str
    until: str


class Level(NamedTuple):
    """``across``: how many rooms stand beside each other; a drawing takes the whole width."""

    title: str
    across: int
    sheets: list[Sheet]


class Plan:
    """Floors as sheets."""

    def __init__(
        self, frame: Frame, rooms: RoomsView, devices: DevicesView, drawings: Drawings
    ) -> None:
        self._frame = frame
        self._rooms = rooms
        self._devices = devices
        self._drawings = drawings
        self._made: dict[tuple[str, int], dict[str, Drawing]] = {}
        self._template = environment().get_template("plan_level.html")
        self._kept: dict[tuple[int, str], tuple[Level, Markup]] = {}

    def written(self, shown: Collection[str], language: str) -> list[Markup]:
        """Each floor as a page shows it, written again only where it says something else."""
        found = []
        for number, level in enumerate(self.levels(shown, language), start=1):
            kept = self._kept.get((number, language))
            if kept is None or kept[0] != level:
                context = {"t": translator(language), "level": level, "number": number}
                html = Markup(self._template.render(context))  # noqa: S704 - the template escapes
                kept = self._kept[number, language] = level, html
            found.append(kept[1])
        return found

    def levels(self, shown: Collection[str], language: str) -> list[Level]:
        """Every floor that has one of the rooms that are shown; the others on it stay empty."""
        states = {state.room: state for state in self._rooms.states() if state.room in shown}
        several = len({room.building for room in self._rooms.rooms()}) > 1
        found = []
        for building in self._frame.centre.buildings:
            here = [room for room in self._rooms.rooms() if room.building == building.id]
            for number in sorted({room.floor for room in here if room.id in states}):
                house = pick(building.name, language) if several else ""
                title = f"{house} {floor(number, language)}".strip()
                on_it = [room for room in here if room.floor == number]
                found.append(self._level(title, on_it, states, language))
        return found

    def _level(
        self, title: str, rooms: Sequence[Room], states: Mapping[str, RoomState], language: str
    ) -> Level:
        drawing = self._drawings.get((rooms[0].building, rooms[0].floor))
        if drawing is None:
            made = self._schematics(rooms)
            across = round(made["wide"].width / FORMS["wide"].cell)
        else:
            made, across = {"drawn": drawing}, _across(drawing)
        sheets = [self._sheet(kind, one, rooms, states, language) for kind, one in made.items()]
        return Level(title, across, sheets)

    def _schematics(self, rooms: Sequence[Room]) -> Mapping[str, Drawing]:
        """A floor's plain plans: drawn once, since its rooms and doors stay while the hub runs."""
        floor_ = (rooms[0].building, rooms[0].floor)
        if floor_ not in self._made:
            doors = self._frame.centre.doors
            self._made[floor_] = {k: schematic(rooms, doors, form) for k, form in FORMS.items()}
        return self._made[floor_]

    def _sheet(
        self,
        kind: str,
        drawing: Drawing,
        rooms: Sequence[Room],
        states: Mapping[str, RoomState],
        language: str,
    ) -> Sheet:
        parts = [
            (f"area is-{states[one.room].status}" if one.room in states else one.look, one.markup)
            for one in drawing.parts
        ]
        labels = [
            _label(room, states[room.id], drawing, drawing.boxes[room.id], language)
            for room in rooms
            if room.id in states and room.id in drawing.boxes
        ]
        return Sheet(
            kind, drawing, parts, labels, list(self._items(rooms, states, labels, language))
        )

    def _items(
        self,
        rooms: Sequence[Room],
        states: Mapping[str, RoomState],
        labels: Sequence[Label],
        language: str,
    ) -> Iterator[Item]:
        told = {label.id: label.fits for label in labels}
        for room in rooms:
            state = states.get(room.id)
            if state is None:
                continue
            why = reason(self._frame, state, language, card_names(self._devices, state, language))
            until = NEVER if why else told.get(room.id, NEVER)
            if until != str(STEPS[0]):
                figure = "" if why else _figure(room, state, language)
                name = named(room.name, language)
                yield Item(room.id, name, state.status, figure, why, until)


def _across(drawing: Drawing) -> int:
    """Of the four columns of a page: a tall drawing, or one of few rooms, takes fewer."""
    shape = drawing.width / drawing.height
    by_shape = 4 if shape > 2 else 3 if shape > 1.3 else 2
    return min(by_shape, max(2, len(drawing.boxes)))


def _label(room: Room, state: RoomState, drawing: Drawing, box: Box, language: str) -> Label:
    t = translator(language)
    name, word = pick(room.name, language), t(f"status.{state.status}")
    figure = _figure(room, state, language)
    fits, lines = _fitted(name, word, figure, box, drawing.height / drawing.width)
    half = -round((columns(word) * COLUMN + ICON) / 2)
    said = " ".join(part for part in (word, *lines, figure) if part)  # as it is seen
    tag = next(tag for tag, text in room.name.items() if text == name)
    x, y, width, height = (f"{at:.2f}%" for at in (box.left, box.top, box.width, box.height))
    return Label(
        room.id, name, tag, state.status, said, figure, x, y, width, height, lines, fits, half
    )


def _figure(room: Room, state: RoomState, language: str) -> str:
    t, found = translator(language), bar(room.capacity, state)
    if found is None:
        return ""
    if room.capacity:
        return t("ui.people_of", people=found.people, capacity=room.capacity)
    return t("ui.people", people=found.people)


@functools.lru_cache(maxsize=4096)
def _fitted(name: str, word: str, figure: str, box: Box, shape: float) -> tuple[str, list[str]]:
    """The narrowest sheet on which the words fit, and the name in lines for it.

    ``shape``: height of the drawing by its width.
    """
    for step in STEPS:
        width = box.width / 100 * step - ROOM_AROUND
        height = box.height / 100 * step * shape - ROOM_AROUND
        lines = wrapped(name, int(width / COLUMN))
        if not lines or columns(word) * COLUMN + ICON > width:
            continue
        if ICON + LINE * (len(lines) + bool(figure)) <= height:
            return str(step), lines
    return NEVER, [name]
