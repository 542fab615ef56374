"""A floor that nobody has drawn: rooms as rectangles in reading order, with the doors between them.

It claims no more than is known: which rooms a floor has, how large they are beside each other (by
the people they are made for), and which ones a door ties. A corridor lies between the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from hub.domain.centre import OUTSIDE, Door, Room
from hub.web.drawing import Drawing, Part
from hub.web.outline import Box

WIDE, NARROW = 4, 2  # rooms in a row
_SMALLEST, _LARGEST, _USUAL = 6, 60, 16  # people; what a room without a number is taken for
_CORRIDOR = "corridor"


class Form(NamedTuple):
    """How a sheet is laid out, in pixels at its usual size."""

    across: int
    cell: float
    row: float
    strip: float
    door: float


FORMS = {
    "wide": Form(across=WIDE, cell=300, row=150, strip=84, door=36),
    "narrow": Form(across=NARROW, cell=170, row=132, strip=96, door=28),
}


def schematic(rooms: Sequence[Room], doors: Iterable[Door], form: Form) -> Drawing:
    """A floor's rooms on one sheet."""
    rows = _rows(rooms, form.across)
    width = form.cell * max(map(len, rows))
    places: dict[str, Box] = {}
    top = 0.0
    for row in rows:
        height = form.strip if _is_strip(row) else form.row
        places |= _places(row, top, height, width)
        top += height
    parts = [Part(name, "paper", _rect(box)) for name, box in places.items()]
    parts += [Part("", "wall", _rect(box)) for box in places.values()]
    parts += [Part("", "door", mark) for mark in _doors(doors, places, form, top)]
    boxes = {
        name: Box(
            100 * box.left / width,
            100 * box.top / top,
            100 * box.right / width,
            100 * box.bottom / top,
        )
        for name, box in places.items()
    }
    return Drawing(width, top, f"0 0 {width:g} {top:g}", tuple(parts), boxes)


def _rows(rooms: Sequence[Room], across: int) -> list[list[Room]]:
    """As even as can be; the corridor, where there is one, after the first row."""
    strips = [room for room in rooms if room.kind == _CORRIDOR]
    others = [room for room in rooms if room.kind != _CORRIDOR]
    count = math.ceil(len(others) / across)
    cuts = [round(len(others) * at / count) for at in range(count + 1)] if count else []
    rows = [others[a:b] for a, b in pairwise(cuts)]
    rows[1:1] = [[room] for room in strips]
    return rows


def _is_strip(row: Sequence[Room]) -> bool:
    return len(row) == 1 and row[0].kind == _CORRIDOR


def _places(row: Sequence[Room], top: float, height: float, width: float) -> dict[str, Box]:
    """Twice the people, a good third wider: a hall must not squeeze the others out."""
    people = [min(max(room.capacity or _USUAL, _SMALLEST), _LARGEST) for room in row]
    weights = [math.sqrt(number) + 3 for number in people]
    scale, left = width / sum(weights), 0.0
    found = {}
    for room, weight in zip(row, weights, strict=True):
        right = left + weight * scale
        found[room.id] = Box(round(left, 1), top, round(right, 1), top + height)
        left = right
    return found


def _rect(box: Box) -> Markup:
    return Markup('<rect x="{:g}" y="{:g}" width="{:g}" height="{:g}"/>').format(
        box.left, box.top, box.width, box.height
    )


def _doors(
    doors: Iterable[Door], places: dict[str, Box], form: Form, bottom: float
) -> Iterable[Markup]:
    """A gap in the wall for each door whose two sides touch on the sheet."""
    used: dict[tuple[float, float], int] = {}
    for door in doors:
        sides = [places[name] for name in door.between if name in places]
        if OUTSIDE in door.between and len(sides) == 1:
            wall = _outer(sides[0], bottom)
        elif len(sides) == 2:
            wall = _shared(*sides)
        else:
            continue
        if wall is not None:
            nth = used[wall[:2]] = used.get(wall[:2], -1) + 1
            yield _gap(wall, form.door, nth)


Wall = tuple[float, float, float, float]


def _shared(one: Box, other: Box) -> Wall | None:
    """The piece of wall that two rooms have in common, from x, y to x, y."""
    left, right = max(one.left, other.left), min(one.right, other.right)
    top, bottom = max(one.top, other.top), min(one.bottom, other.bottom)
    is_wall = (right - left > 1) != (bottom - top > 1) and right >= left and bottom >= top
    return (left, top, right, bottom) if is_wall else None


def _outer(box: Box, bottom: float) -> Wall | None:
    """Of the walls to the outside the lower one, then the upper one, then the left one."""
    if box.bottom == bottom:
        return (box.left, box.bottom, box.right, box.bottom)
    if box.top == 0:
        return (box.left, box.top, box.right, box.top)
    return (box.left, box.top, box.left, box.bottom) if box.left == 0 else None


def _gap(wall: Wall, length: float, nth: int) -> Markup:
    """Beside the middle, where the names are; a second door of the same wall further on."""
    left, top, right, bottom = wall
    is_level = right - left > bottom - top
    span = (right - left) if is_level else (bottom - top)
    length = min(length, span / 3)
    at = min(span * 0.18 + nth * length * 1.6, span - length)
    x, y = (left + at, top) if is_level else (left, top + at)
    x2, y2 = (x + length, y) if is_level else (x, y + length)
    return Markup('<line x1="{:g}" y1="{:g}" x2="{:g}" y2="{:g}"/>').format(x, y, x2, y2)
