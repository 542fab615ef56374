"""A stretch of time as one band: status, people under it, hatching where nothing is recorded.

A room's page draws it twice: today, and the last hour, in which one sees who just came or left.

The hatching is the ground of the drawing: whatever no step covers shows through as a gap, so a
gap cannot be forgotten. Units of the drawing are minutes; the style sheet colours it.
Labels are not in the drawing: it is stretched to the width it has, and letters must not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.domain.room import Status
from hub.domain.views import RoomStep
from hub.texts import local

PEOPLE_HEIGHT = 40
LEVELS = {  # how high the solid part stands, so that the band reads without colour
    Status.FREE: 6,
    Status.IN_USE: 20,
    Status.FULL: 40,
    Status.CLOSED: 2,
    Status.UNKNOWN: 0,
}
_MINUTE_MS = 60_000


class Piece(NamedTuple):
    """One status, in minutes from the band's start. ``status`` is None for a gap."""

    start: float
    width: float
    from_ms: int
    to_ms: int
    status: Status | None
    people: int | None


class Tick(NamedTuple):
    """A mark on the scale, and what stands under it."""

    at: float
    label: str


class Timeline(NamedTuple):
    """A day or an hour, ready to draw."""

    from_ms: int
    to_ms: int
    minutes: float  # of a day 1440; 1380 or 1500 where clocks change
    now: float  # the part after it is still to come
    pieces: list[Piece]  # by status and people
    bands: list[Piece]  # by status alone
    people: str  # a path, empty where nobody counted
    people_most: int
    ticks: list[Tick]


def day(now_ms: int, zone: str) -> tuple[int, int]:
    """From midnight to midnight on the centre's clocks."""
    now = local(now_ms, zone)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = start + timedelta(days=1)  # within one zone this is wall clock: midnight again
    return _ms(start), _ms(end)


def last_hour(now_ms: int, zone: str) -> tuple[int, int]:
    """Six stretches of ten minutes on the centre's clocks; the last one is under way."""
    now = local(now_ms, zone)
    start = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    end_ms = _ms(start) + 10 * _MINUTE_MS
    return end_ms - 60 * _MINUTE_MS, end_ms


def timeline(
    steps: Sequence[RoomStep],
    now_ms: int,
    zone: str,
    window: tuple[int, int] | None = None,
    top: int = 0,
) -> Timeline:
    """Lay the steps of today, or of a window, out; what they leave open is a gap.

    ``top`` people at least fill the height, so that two bands can share one scale.
    """
    from_ms, to_ms = window or day(now_ms, zone)
    pieces = _pieces(steps, from_ms, now_ms)
    most = max((piece.people or 0 for piece in pieces), default=0)
    scale = max(most, top)
    return Timeline(
        from_ms=from_ms,
        to_ms=to_ms,
        minutes=(to_ms - from_ms) / _MINUTE_MS,
        now=round((now_ms - from_ms) / _MINUTE_MS, 1),
        pieces=pieces,
        bands=_bands(pieces),
        people=_path(pieces, scale) if most else "",
        people_most=most,
        ticks=_ticks(from_ms, to_ms, zone),
    )


def _ticks(from_ms: int, to_ms: int, zone: str) -> list[Tick]:
    """Every three hours of a day, every ten minutes of an hour."""
    every, form = (180, "%H") if to_ms - from_ms > 2 * 60 * _MINUTE_MS else (10, "%H:%M")
    ats = range(0, round((to_ms - from_ms) / _MINUTE_MS), every)
    return [Tick(at, local(from_ms + at * _MINUTE_MS, zone).strftime(form)) for at in ats]


def _pieces(steps: Sequence[RoomStep], from_ms: int, now_ms: int) -> list[Piece]:
    pieces: list[Piece] = []
    at = from_ms
    for step in steps:
        start, end = max(step.from_ms, at), min(step.to_ms, now_ms)
        if end <= start:
            continue
        if start - at > _MINUTE_MS:
            pieces.append(_piece(from_ms, at, start))
        pieces.append(_piece(from_ms, start, end, step.status, step.people))
        at = end
    if now_ms - at > _MINUTE_MS:
        pieces.append(_piece(from_ms, at, now_ms))
    return pieces


def _piece(
    origin: int, start: int, end: int, status: Status | None = None, people: int | None = None
) -> Piece:
    left = round((start - origin) / _MINUTE_MS, 1)
    return Piece(left, round((end - start) / _MINUTE_MS, 1), start, end, status, people)


def _bands(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbours of one status as one."""
    bands: list[Piece] = []
    for piece in pieces:
        last = bands[-1] if bands else None
        if last and last.status is piece.status and last.to_ms == piece.from_ms:
            width = round(piece.start + piece.width - last.start, 1)
            bands[-1] = last._replace(width=width, to_ms=piece.to_ms, people=None)
        else:
            bands.append(piece._replace(people=None))
    return bands


def _path(pieces: Sequence[Piece], most: int) -> str:
    """A step line; it breaks where nobody counted."""
    if not most:
        return ""
    path, drawing = [], False
    for piece in pieces:
        if piece.people is None:
            drawing = False
            continue
        y = round(PEOPLE_HEIGHT - piece.people / most * (PEOPLE_HEIGHT - 2) - 1, 1)
        end = round(piece.start + piece.width, 1)
        path.append(f"V{y}H{end}" if drawing else f"M{piece.start} {y}H{end}")
        drawing = True
    return "".join(path)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
