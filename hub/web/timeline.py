"""Today as one band: status by hour, people under it, and hatching where nothing is recorded.

The hatching is the ground of the drawing: whatever no step covers shows through as a gap, so a
gap cannot be forgotten. Units of the drawing are minutes of the day; the style sheet colours it.
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
    """One status, in minutes of the day. ``status`` is None for a gap."""

    start: float
    width: float
    from_ms: int
    to_ms: int
    status: Status | None
    people: int | None


class Timeline(NamedTuple):
    """A day, ready to draw."""

    from_ms: int
    to_ms: int
    minutes: float  # of this day: 1380 or 1500 where clocks change
    now: float  # the part after it is still to come
    pieces: list[Piece]  # by status and people
    bands: list[Piece]  # by status alone
    people: str  # a path, empty where nobody counted
    people_most: int
    hours: list[int]


def day(now_ms: int, zone: str) -> tuple[int, int]:
    """From midnight to midnight on the centre's clocks."""
    now = local(now_ms, zone)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = start + timedelta(days=1)  # within one zone this is wall clock: midnight again
    return _ms(start), _ms(end)


def timeline(steps: Sequence[RoomStep], now_ms: int, zone: str) -> Timeline:
    """Lay the steps of today out; what they leave open is a gap."""
    from_ms, to_ms = day(now_ms, zone)
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
    most = max((piece.people or 0 for piece in pieces), default=0)
    return Timeline(
        from_ms=from_ms,
        to_ms=to_ms,
        minutes=(to_ms - from_ms) / _MINUTE_MS,
        now=round((now_ms - from_ms) / _MINUTE_MS, 1),
        pieces=pieces,
        bands=_bands(pieces),
        people=_path(pieces, most),
        people_most=most,
        hours=list(range(0, 24, 3)),
    )


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
