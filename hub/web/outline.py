"""Shapes of SVG as numbers: where they reach, and how they are written again.

Arcs and curves are taken as their corner points: a box that is a little too large moves a label by
a few millimetres of paper and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

LIMIT = 1e6
MAX_TEXT = 200_000
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_FLAG = re.compile("[01]")
_GAP = re.compile(r"[ ,\t\r\n]*")
_COMMAND = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])([^MmLlHhVvCcSsQqTtAaZz]*)")
_TRANSFORM = re.compile(r"[\s,]*(matrix|translate|scale|rotate)\s*\(([^)]*)\)")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_FLAGS_OF_ARC = (3, 4)  # large, and which way round
_NEEDED = {
    "rect": ("x", "y", "width", "height"),
    "circle": ("cx", "cy", "r"),
    "ellipse": ("cx", "cy", "rx", "ry"),
    "line": ("x1", "y1", "x2", "y2"),
}

Point = tuple[float, float]


class OutlineError(ValueError):
    """Numbers that are none, or that no sheet of paper has."""


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def __or__(self, other: Box) -> Box:
        """The box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


class Matrix(NamedTuple):
    """As SVG writes it: ``x' = a x + c y + e``, ``y' = b x + d y + f``."""

    a: float = 1
    b: float = 0
    c: float = 0
    d: float = 1
    e: float = 0
    f: float = 0

    def __matmul__(self, inner: Matrix) -> Matrix:
        """First the inner one, then this."""
        return Matrix(
            self.a * inner.a + self.c * inner.b,
            self.b * inner.a + self.d * inner.b,
            self.a * inner.c + self.c * inner.d,
            self.b * inner.c + self.d * inner.d,
            self.a * inner.e + self.c * inner.f + self.e,
            self.b * inner.e + self.d * inner.f + self.f,
        )

    def __str__(self) -> str:
        return f"matrix({' '.join(f'{number:.6g}' for number in self)})"

    def at(self, point: Point) -> Point:
        x, y = point
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f


class Outline(NamedTuple):
    """``numbers``: the attributes to write."""

    numbers: Mapping[str, str]
    points: list[Point]


def outline(tag: str, given: Mapping[str, str]) -> Outline | None:
    """A shape as numbers; None where it has no extent.

    Raises:
        OutlineError
    """
    if tag == "path":
        return _path(given.get("d", ""))
    if tag in ("polyline", "polygon"):
        points = list(_pairs(numbers(given.get("points", ""))))
        text = " ".join(f"{x:g},{y:g}" for x, y in points)
        return Outline({"points": text}, points) if points else None
    values = {key: _length(given.get(key, "0")) for key in _NEEDED[tag]}
    written = {key: f"{value:g}" for key, value in values.items()}
    return Outline(written, _corners(tag, *values.values())) if any(values.values()) else None


def around(matrix: Matrix, points: Iterable[Point]) -> Box:
    """The box around points after a transform."""
    xs, ys = zip(*(matrix.at(point) for point in points), strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def transform(text: str) -> Matrix:
    """
    >>> transform("translate(10, 5) scale(2)").at((1, 1))
    (12.0, 7.0)

    Raises:
        OutlineError: it skews, or is no transform.
    """
    found, at = Matrix(), 0
    text = text.strip()
    while at < len(text):
        match = _TRANSFORM.match(text, at)
        if match is None:
            raise OutlineError(text[:40])
        found @= _single(match[1], numbers(match[2]))
        at = match.end()
    return found


def on_paper(values: Iterable[float]) -> None:
    """
    Raises:
        OutlineError: one is too large for any paper, infinite, or no number.
    """
    for value in values:
        if not abs(value) < LIMIT:  # true of nan
            raise OutlineError(str(value))


def numbers(text: str) -> list[float]:
    """
    Raises:
        OutlineError: one is too large for any paper, or something else is between them.
    """
    if len(text) > MAX_TEXT or _NUMBER.sub("", text).strip(" ,\t\r\n"):
        raise OutlineError(text[:40])
    found = [float(part) for part in _NUMBER.findall(text)]
    on_paper(found)
    return found


def _single(kind: str, values: list[float]) -> Matrix:
    if kind == "matrix" and len(values) == 6:
        return Matrix(*values)
    if kind == "translate" and len(values) in (1, 2):
        return Matrix(e=values[0], f=values[1] if len(values) == 2 else 0)
    if kind == "scale" and len(values) in (1, 2):
        return Matrix(a=values[0], d=values[-1])
    if kind == "rotate" and len(values) in (1, 3):
        angle = math.radians(values[0])
        turn = Matrix(math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle))
        x, y = (values[1], values[2]) if len(values) == 3 else (0.0, 0.0)
        return Matrix(e=x, f=y) @ turn @ Matrix(e=-x, f=-y)
    raise OutlineError(kind)


def _length(text: str) -> float:
    """A number; editors may write ``px`` behind it."""
    found = numbers(text.strip().removesuffix("px"))
    if len(found) != 1:
        raise OutlineError(text[:40])
    return found[0]


def _corners(tag: str, x: float, y: float, more: float, other: float = 0) -> list[Point]:
    """``more`` and ``other`` are a size, the other end of a line, or one or two radii."""
    if tag == "line":
        return [(x, y), (more, other)]
    if tag == "rect":
        return [(x, y), (x + more, y), (x, y + other), (x + more, y + other)]
    tall = other if tag == "ellipse" else more
    return [(x - more, y - tall), (x + more, y - tall), (x - more, y + tall), (x + more, y + tall)]


def _pairs(values: list[float]) -> Iterator[Point]:
    return zip(values[::2], values[1::2], strict=False)


def _path(text: str) -> Outline | None:
    if len(text) > MAX_TEXT or _COMMAND.sub("", text).strip():
        raise OutlineError(text[:40])
    pen, start = (0.0, 0.0), (0.0, 0.0)
    points: list[Point] = []
    written: list[str] = []
    for letter, rest in _COMMAND.findall(text):
        takes = _TAKES[letter.upper()]
        values = _arcs(rest) if letter in "Aa" else numbers(rest)
        if (takes and (not values or len(values) % takes)) or (values and not takes):
            raise OutlineError(text[:40])
        written.append(letter + " ".join(f"{value:.7g}" for value in values))
        for at in range(0, len(values) if takes else 1, takes or 1):
            reached = _reached(letter, values[at : at + takes], pen, start)
            points += reached
            pen = reached[-1]
            if letter in "Mm" and at == 0:
                start = pen
    return Outline({"d": "".join(written)}, points) if points else None


def _arcs(text: str) -> list[float]:
    """The numbers of arcs. A flag is one digit, so nothing need stand between it and the next.

    >>> _arcs("1 1 0 01 2 2"), _arcs("1,1,0,112-2")
    ([1.0, 1.0, 0.0, 0.0, 1.0, 2.0, 2.0], [1.0, 1.0, 0.0, 1.0, 1.0, 2.0, -2.0])

    Raises:
        OutlineError: something else stands there, or a number is too large for any paper.
    """
    found: list[float] = []
    text = text.strip(" ,\t\r\n")
    at = 0
    while at < len(text):
        is_flag = len(found) % _TAKES["A"] in _FLAGS_OF_ARC
        match = (_FLAG if is_flag else _NUMBER).match(text, at)
        if match is None:
            raise OutlineError(text[:40])
        found.append(float(match[0]))
        at = match.end()
        if gap := _GAP.match(text, at):
            at = gap.end()
    on_paper(found)
    return found


def _reached(letter: str, values: list[float], pen: Point, start: Point) -> list[Point]:
    """The points that one step of a path names, the last one being where the pen then is."""
    x, y = pen if letter.islower() else (0.0, 0.0)
    kind = letter.upper()
    if kind == "Z":
        return [start]
    if kind == "H":
        return [(x + values[0], pen[1])]
    if kind == "V":
        return [(pen[0], y + values[0])]
    if kind == "A":
        values = values[5:]
    return [(x + dx, y + dy) for dx, dy in _pairs(values)]
