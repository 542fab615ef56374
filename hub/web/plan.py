"""The board as a floor plan: a sheet for each floor, each room in its status.

A sheet has two layers. Below lies the drawing, stretched to the width it has. Above lie icon, word
and name of each room at their own size, so that they can be read on any screen; a name that does
not fit its room at the present width is left to the list under the sheet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from hub.domain.centre import Centre, Room, pick
from hub.domain.room import RoomState, Status
from hub.domain.views import RoomsView
from hub.web.board import bar
from hub.web.drawing import Drawing
from hub.web.outline import Box
from hub.web.page import Frame, floor, named, translator
from hub.web.schematic import FORMS, schematic
from hub.web.width import columns, wrapped

STEPS = (140, 160, 220, 280, 320, 400, 480, 640, 800, 960, 1120, 1280)  # widths of a sheet, in pixels
NEVER = "never"
COLUMN = 8.6  # pixels of half a Chinese character, or of a Latin letter
LINE, ICON, ROOM_AROUND = 22, 34, 14

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
    """A room in the list under a sheet. ``until``: from this width on the sheet says it itself."""

    id: str
    name: Markup
    status: Status
    figure: str
    until: str


class Level(NamedTuple):
    """``across``: how many rooms stand beside each other; a drawing takes the whole width."""

    title: str
    across: int
    sheets: list[Sheet]


def levels(
    frame: Frame, rooms: RoomsView, drawings: Drawings, shown: Collection[str], language: str
) -> list[Level]:
    """Every floor that has one of the rooms that are shown; the others on it stay empty."""
    centre = frame.centre
    states = {state.room: state for state in rooms.states() if state.room in shown}
    several = len({room.building for room in rooms.rooms()}) > 1
    found = []
    for building in centre.buildings:
        here = [room for room in rooms.rooms() if room.building == building.id]
        for number in sorted({room.floor for room in here}):
            on_it = [room for room in here if room.floor == number]
            if not any(room.id in states for room in on_it):
                continue
            house = pick(building.name, language) if several else ""
            title = f"{house} {floor(number, language)}".strip()
            drawing = drawings.get((building.id, number))
            found.append(_level(title, centre, on_it, states, drawing, language))
    return found


def _level(
    title: str,
    centre: Centre,
    rooms: Sequence[Room],
    states: Mapping[str, RoomState],
    drawing: Drawing | None,
    language: str,
) -> Level:
    if drawing is None:
        made = {kind: schematic(rooms, centre.doors, form) for kind, form in FORMS.items()}
        across = round(made["wide"].width / FORMS["wide"].cell)
    else:
        made, across = {"drawn": drawing}, FORMS["wide"].across
    sheets = [_sheet(kind, drawn, rooms, states, language) for kind, drawn in made.items()]
    return Level(title, across, sheets)


def _sheet(
    kind: str,
    drawing: Drawing,
    rooms: Sequence[Room],
    states: Mapping[str, RoomState],
    language: str,
) -> Sheet:
    parts = [
        (f"area is-{states[part.room].status}" if part.room in states else part.look, part.markup)
        for part in drawing.parts
    ]
    labels = [
        _label(room, states[room.id], drawing, drawing.boxes[room.id], language)
        for room in rooms
        if room.id in states and room.id in drawing.boxes
    ]
    return Sheet(kind, drawing, parts, labels, list(_items(rooms, states, labels, language)))


def _items(
    rooms: Sequence[Room],
    states: Mapping[str, RoomState],
    labels: Sequence[Label],
    language: str,
) -> Iterator[Item]:
    """The rooms whose words the sheet cannot hold at some width, or at all."""
    told = {label.id: label.fits for label in labels}
    for room in rooms:
        until = told.get(room.id, NEVER)
        if room.id in states and until != str(STEPS[0]):
            state = states[room.id]
            figure = _figure(room, state, language)
            yield Item(room.id, named(room.name, language), state.status, figure, until)


def _label(room: Room, state: RoomState, drawing: Drawing, box: Box, language: str) -> Label:
    t = translator(language)
    name, word = pick(room.name, language), t(f"status.{state.status}")
    figure = _figure(room, state, language)
    fits, lines = _fitted(name, word, figure, box, drawing.height / drawing.width)
    half = -round((columns(word) * COLUMN + ICON) / 2)
    said = t("ui.comma").join(part for part in (name, word, figure) if part)
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
