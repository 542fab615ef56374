"""A floor plan that a centre drew: read from SVG, and only what a plan needs is taken over.

Nothing of the file reaches a page as it was written. Shapes are read into numbers and written
anew: no script, no link, no image, no text, no style, no entity can come through, because nothing
here knows how to write one. Colours are reduced to "drawn dark", "drawn light" and "a line", so
that a plan follows the page's light and dark scheme.

A shape is a room's where its id, its ``data-room`` or its Inkscape label is the room's id, or that
of a group around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple
from xml.parsers import expat

from markupsafe import Markup

from hub.web.outline import Box, Matrix, OutlineError, around, on_paper, outline, transform

MAX_BYTES = 1 << 20
MAX_SHAPES = 4_000
MAX_DEPTH = 64
SHAPES = frozenset({"rect", "circle", "ellipse", "line", "polyline", "polygon", "path"})
GROUPS = frozenset({"svg", "g", "a", "switch"})
TOLD = "data-room"
LABEL = "http://www.inkscape.org/namespaces/inkscape|label"
SVG = "http://www.w3.org/2000/svg|"
SMALLEST, LARGEST = 1e-3, 1e6  # sides of a sheet, and how far its corner is from the origin
_LENGTH = re.compile(r"\s*(\d+\.?\d*|\.\d+)(px|mm|cm|in|pt|pc)?\s*")


class DrawingError(ValueError):
    """A file that is no plan. ``code`` and ``params`` are of ``hub.configuration.problems``."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Part(NamedTuple):
    """One shape, ready to write. ``room`` is empty for walls and furniture."""

    room: str
    look: str  # paper, ink, line
    markup: Markup


class Drawing(NamedTuple):
    """A plan. ``boxes``: where each room is, in hundredths of the drawing."""

    width: float
    height: float
    view: str
    parts: tuple[Part, ...]
    boxes: Mapping[str, Box]
    strangers: tuple[str, ...] = ()
    """Names on shapes that were meant as a room's and are none's."""


class _Ink(NamedTuple):
    """What a shape has from the groups around it."""

    fill: str = ""
    stroke: str = ""
    matrix: Matrix = Matrix()
    room: str = ""
    is_hidden: bool = False


def read(source: bytes, rooms: Iterable[str]) -> Drawing:
    """Take over what a plan needs.

    Raises:
        DrawingError: it is too large, no SVG, has no size, or declares what a drawing need not.
    """
    if len(source) > MAX_BYTES:
        raise DrawingError("plan_too_large", most=MAX_BYTES >> 20)
    reader = _Reader(frozenset(rooms))
    parser = expat.ParserCreate(namespace_separator="|")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse  # entities can only be declared in there
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(source, True)
    except expat.ExpatError as error:
        raise DrawingError("plan_not_xml", line=error.lineno) from error
    except DrawingError:
        raise
    except (LookupError, ValueError) as error:  # the words of Parse for an encoding it lacks
        raise DrawingError("plan_encoding") from error
    return reader.drawing()


def _refuse(name: str, system: str | None, public: str | None, has_subset: bool) -> None:
    """Editors write a plain doctype without declarations; that is harmless."""
    if has_subset:
        raise DrawingError("plan_declares")


class _Reader:
    def __init__(self, rooms: frozenset[str]) -> None:
        self._rooms = rooms
        self._stack: list[_Ink | None] = []  # None: inside of what is not taken over
        self._view: tuple[float, float, float, float] | None = None
        self._parts: list[Part] = []
        self._boxes: dict[str, Box] = {}
        self._strangers: dict[str, bool] = {}

    def begin(self, name: str, given: dict[str, str]) -> None:
        tag = name.removeprefix(SVG)
        if not self._stack:
            self._view = _view(tag, given)
        if len(self._stack) >= MAX_DEPTH:
            raise DrawingError("plan_too_deep")
        outer = self._stack[-1] if self._stack else _Ink()
        if outer is None or tag not in SHAPES | GROUPS or (tag == "svg" and self._stack):
            self._stack.append(None)
            return
        ink = self._ink(outer, given)
        self._stack.append(ink)
        if tag in SHAPES and not ink.is_hidden:
            self._add(tag, ink, given)

    def end(self, name: str) -> None:
        self._stack.pop()

    def drawing(self) -> Drawing:
        if self._view is None:
            raise DrawingError("plan_no_size")
        left, top, width, height = self._view
        boxes = {
            room: Box(
                100 * (box.left - left) / width,
                100 * (box.top - top) / height,
                100 * (box.right - left) / width,
                100 * (box.bottom - top) / height,
            )
            for room, box in self._boxes.items()
        }
        view = " ".join(f"{number:g}" for number in self._view)
        return Drawing(width, height, view, tuple(self._parts), boxes, self._strange())

    def _strange(self) -> tuple[str, ...]:
        """Walls have ids too: one is worth a word only if it is told as a room's, or nearly is."""
        missing = sorted(self._rooms - set(self._boxes))
        return tuple(
            name
            for name, is_told in self._strangers.items()
            if is_told or get_close_matches(name, missing, n=1, cutoff=0.75)
        )

    def _ink(self, outer: _Ink, given: Mapping[str, str]) -> _Ink:
        style = _style(given.get("style", ""))
        fill = style.get("fill") or given.get("fill") or outer.fill
        if not fill and "class" in given:
            fill = "none"  # its colour is in a style sheet, which is not taken over
        hidden = {source.get(key) for source in (style, given) for key in ("display", "visibility")}
        try:
            matrix = outer.matrix @ transform(given.get("transform", ""))
            on_paper(matrix)  # what each group may enlarge, many together may not
        except OutlineError as error:
            raise DrawingError("plan_bad_shape", shape=_told(given)) from error
        return _Ink(
            fill,
            style.get("stroke") or given.get("stroke") or outer.stroke,
            matrix,
            self._room(given) or outer.room,
            outer.is_hidden or bool(hidden & {"none", "hidden"}),
        )

    def _room(self, given: Mapping[str, str]) -> str:
        names = {key: given[key].strip() for key in (TOLD, "id", LABEL) if key in given}
        found = next((name for name in names.values() if name in self._rooms), "")
        if not found:
            self._strangers.update({_shown(name): key == TOLD for key, name in names.items()})
        return found

    def _add(self, tag: str, ink: _Ink, given: Mapping[str, str]) -> None:
        if len(self._parts) >= MAX_SHAPES:
            raise DrawingError("plan_too_many", most=MAX_SHAPES)
        try:
            found = outline(tag, given)
        except OutlineError as error:
            raise DrawingError("plan_bad_shape", shape=_told(given)) from error
        if found is None:  # a rectangle without a size: nothing is seen of it
            return
        if ink.room:
            box = around(ink.matrix, found.points)
            self._boxes[ink.room] = box | self._boxes.get(ink.room, box)
        written = Markup(' {}="{}"').format
        numbers = Markup("").join(written(key, value) for key, value in found.numbers.items())
        markup = Markup('<{}{} transform="{}"/>').format(tag, numbers, ink.matrix)
        self._parts.append(Part(ink.room, _look(ink), markup))


def _look(ink: _Ink) -> str:
    if ink.fill == "none":
        return "line"
    return "ink" if is_dark(ink.fill) else "paper"


def is_dark(colour: str) -> bool:
    """Of a colour as editors write it; nothing written is black.

    >>> is_dark("#333"), is_dark("#f4f4f4"), is_dark(""), is_dark("white")
    (True, False, True, False)
    """
    digits = colour.strip().removeprefix("#")
    if not re.fullmatch(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", digits):
        return colour.strip() in ("", "black")
    wide = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    red, green, blue = (int(wide[at : at + 2], 16) for at in (0, 2, 4))
    return 0.3 * red + 0.6 * green + 0.1 * blue < 128


def _style(text: str) -> dict[str, str]:
    pairs = (entry.partition(":") for entry in text[:4000].split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _view(tag: str, given: Mapping[str, str]) -> tuple[float, float, float, float]:
    """
    Raises:
        DrawingError: it is no SVG, or says neither a viewBox nor a size.
    """
    if tag != "svg":
        raise DrawingError("plan_not_svg")
    try:
        numbers = [float(part) for part in given.get("viewBox", "").replace(",", " ").split()]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        sizes = [_LENGTH.fullmatch(given.get(key, "")) for key in ("width", "height")]
        numbers = [0.0, 0.0, *(float(size[1]) for size in sizes if size)]
    is_sheet = (
        len(numbers) == 4
        and (
            all(abs(corner) < LARGEST for corner in numbers[:2])  # false of nan too
            and all(SMALLEST < size < LARGEST for size in numbers[2:])
        )
    )
    if not is_sheet:
        raise DrawingError("plan_no_size")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _told(given: Mapping[str, str]) -> str:
    return _shown(given.get(LABEL) or given.get("id", "?"))


def _shown(name: str) -> str:
    """A name of the file as it goes into the log: one line, and nothing that turns its order."""
    return "".join(sign if sign.isprintable() else "?" for sign in name[:40])
