"""What the timetable plans for a room, as stretches under its day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, Protocol

from hub.domain.centre import pick
from hub.domain.opening import Slot
from hub.web.page import Frame, translator
from hub.web.width import columns

WIDTH = 660  # pixels of a day at the least, where labels are shown
COLUMN = 8


MOST_SLOTS = 12  # looked at for the next change between open and closed
A_WEEK_MS = 7 * 86_400_000


class Timetable(Protocol):
    def slots(self, room: str, from_ms: int, to_ms: int) -> Iterator[Slot]:
        """All slots of a room that touch a stretch of time, in order."""


class Stretch(NamedTuple):
    """In hundredths of the day. ``label`` is empty where it would not fit."""

    start: float
    width: float
    is_open: bool
    name: str
    label: str
    hours: str


def stretches(
    frame: Frame, slots: Iterable[Slot], window: tuple[int, int], language: str
) -> list[Stretch]:
    """Empty where nothing is planned at all: such a room is always open."""
    found = [_stretch(frame, slot, window, language) for slot in slots]
    return found if any(one.name for one in found) else []


def _stretch(frame: Frame, slot: Slot, window: tuple[int, int], language: str) -> Stretch:
    begin_ms, end_ms = window
    from_ms = max(begin_ms if slot.from_ms is None else slot.from_ms, begin_ms)
    until_ms = min(end_ms if slot.until_ms is None else slot.until_ms, end_ms)
    percent = 100 / (end_ms - begin_ms)
    width = round((until_ms - from_ms) * percent, 2)
    name = purpose(slot, language)
    fits = columns(name) * COLUMN + 8 < width / 100 * WIDTH
    begin, end = (frame.when(at, language) for at in (from_ms, until_ms))
    hours = f"{begin}\N{EN DASH}{'24:00' if until_ms == end_ms else end}"
    start = round((from_ms - begin_ms) * percent, 2)
    return Stretch(start, width, slot.is_open, name, name if fits else "", hours)


def purpose(slot: Slot, language: str) -> str:
    """What a room is for now; "closed" where it is; empty where it is simply open."""
    if not slot.is_open:
        return translator(language)("status.closed")
    return pick(slot.name, language) if slot.name else ""


def opening(frame: Frame, timetable: Timetable, room: str, language: str) -> str:
    """``Chess club until 16:00``, ``open until 18:00``, ``opens 08:00``; empty if always open."""
    now_ms = frame.hub.now_ms()
    coming = list(islice(timetable.slots(room, now_ms, now_ms + A_WEEK_MS), MOST_SLOTS))
    if not coming:
        return ""
    now, t = coming[0], translator(language)
    name = purpose(now, language)
    if now.is_open and name:
        if now.until_ms is None:
            return name
        return t("ui.purpose_until", purpose=name, time=frame.when(now.until_ms, language))
    turns_ms = next((one.from_ms for one in coming if one.is_open != now.is_open), None)
    if turns_ms is None:
        return ""
    code = "ui.open_until" if now.is_open else "ui.opens"
    return t(code, time=frame.when(turns_ms, language))
