"""History as InfluxDB's line protocol: the same change is always the very same line.

    temperature,building=main,centre=hongmei,device=d7,floor=2,room=gym value=21.4,quality="good" NS
    gap,building=main,centre=hongmei,channel=temperature,... seconds=840.0,until=1767225600000.0 NS
    room,building=main,centre=hongmei,floor=2,room=gym status="free",code=1.0,people=0.0 NS

1. One precision. The time is ``observed_ms`` in nanoseconds plus the change's ``tie``, so every
   change of a series has a time of its own, and writing it again writes over itself.
2. A line without a field would vanish without a word; ``quality`` is always one. A number is
   always a float, since a field keeps the type it had first; what is no number is ``text``, and so
   are NaN and the infinities, which the protocol does not have.
3. A gap is a point of its own where the step before was last confirmed, so that a chart can show
   that nothing was known, instead of drawing through it.
4. Tags are places and devices, never a person. Personal channels do not come here; if one did, it
   is counted and left out.
5. Names cannot hold a line's end, no parser can undo a backslash in them, and some take a quote for
   the start of a text; all three are replaced. Texts keep everything but lone surrogates, which
   are no UTF-8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from device_drivers.channels import is_personal
from hub.domain.centre import Centre, Placement, Room
from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.outbox import RoomPoint

NS = 1_000_000  # nanoseconds in a millisecond
GAP, ROOM, PROBE = "gap", "room", "linli"
CODES = {
    Status.UNKNOWN.value: 0,
    Status.FREE.value: 1,
    Status.IN_USE.value: 2,
    Status.FULL.value: 3,
    Status.CLOSED.value: 4,
}
"""A status as a number, for charts that cannot draw words; dashboards rely on them."""
UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
SPECIAL = re.compile(r"([,= ])")
PLAIN = re.compile(r"[A-Za-z0-9_.:/-]+")


Fields = dict[str, float | str]


class Point(NamedTuple):
    """What a line says, as a server gives it back."""

    measurement: str
    tags: dict[str, str]
    fields: Fields
    at_ns: int


class LineWriter:
    """Knows the places of one centre. Used by one thread at a time."""

    def __init__(self, centre: Centre) -> None:
        self.personal = 0  # changes that should never have come here, left out
        self._centre = centre
        self._rooms = {room.id: room for room in centre.rooms}
        self._places = {device.id: device.places for device in centre.devices}
        self._heads: dict[SeriesKey, str] = {}
        self._tags: dict[str, str] = {}

    def lines(self, changes: Iterable[Change], rooms: Sequence[RoomPoint] = ()) -> list[str]:
        """A line for each change and each room's step, and one for each gap before them."""
        found: list[str] = []
        for change in changes:
            if is_personal(change.key.channel):
                self.personal += 1
                continue
            if change.after_gap and change.previous_until_ms is not None:
                found.append(self._gap(change, change.previous_until_ms))
            found.append(self._change(change))
        for point in rooms:
            found += self._room(point)
        return found

    def probe(self, now_ms: int) -> str:
        """A line that every sound server takes; it tells a bad line from a bad server."""
        return f"{name(PROBE)},centre={tag(self._centre.id)} mirror=1.0 {now_ms * NS}"

    def point(self, change: Change) -> Point:
        """The line of a change, taken apart; for comparing, not for speed."""
        tags = {key: safe(value) for key, value in self._series_tags(change.key).items() if value}
        fields: Fields = {"quality": change.quality.value}
        if change.reason:
            fields["reason"] = _utf8(change.reason)
        value = as_field(change.value)
        if isinstance(value, float):
            fields["value"] = value
        elif value is not None:
            fields["text"] = _utf8(value)
        at = change.observed_ms * NS + change.tie
        return Point(safe(change.key.channel), tags, fields, at)

    def _change(self, change: Change) -> str:
        head = self._heads.get(change.key)
        if head is None:
            tags = written(self._series_tags(change.key))
            head = self._heads[change.key] = f"{name(change.key.channel)}{tags} "
        reason = f",reason={text(change.reason)}" if change.reason else ""
        at = change.observed_ms * NS + change.tie
        return f'{head}{_value(change.value)}quality="{change.quality}"{reason} {at}'

    def _gap(self, change: Change, until_ms: int) -> str:
        tags = written({**self._series_tags(change.key), "channel": change.key.channel})
        return _gap(tags, until_ms, change.observed_ms)

    def _room(self, point: RoomPoint) -> list[str]:
        row = point.row
        tags = {"centre": self._centre.id, "room": point.room, **self._room_tags(point.room)}
        found = []
        if row.previous_until_ms is not None and row.previous_until_ms < row.at_ms:
            until = row.previous_until_ms
            found.append(_gap(written({**tags, "channel": "status"}), until, row.at_ms))
        people = "" if row.people is None else f",people={float(row.people)}"
        code = float(CODES.get(row.status, CODES[Status.UNKNOWN.value]))
        fields = f"status={text(row.status)},code={code}{people}"
        found.append(f"{ROOM}{written(tags)} {fields} {row.at_ms * NS}")
        return found

    def _series_tags(self, key: SeriesKey) -> dict[str, str]:
        tags = {"centre": self._centre.id, "device": key.device}
        if key.part:
            tags["part"] = key.part
        place = self._place(key)
        if place is not None and place.room is not None:
            tags |= {"room": place.room, **self._room_tags(place.room)}
        elif place is not None and place.door is not None:
            tags["door"] = place.door
        return tags

    def _place(self, key: SeriesKey) -> Placement | None:
        places = self._places.get(key.device, {})
        return places.get(key.part) or places.get(key.channel) or places.get("")

    def _room_tags(self, room: str) -> dict[str, str]:
        known: Room | None = self._rooms.get(room)
        return {} if known is None else {"building": known.building, "floor": str(known.floor)}


def _gap(tags: str, until_ms: int, resumed_ms: int) -> str:
    """``until`` is where it ended, in milliseconds, as charts want the end of a region."""
    seconds = (resumed_ms - until_ms) / 1000
    return f"{GAP}{tags} seconds={seconds!r},until={float(resumed_ms)!r} {until_ms * NS}"


def as_field(value: float | str | None) -> float | str | None:
    """A finite float, a text for what is none, or nothing."""
    if value is None or isinstance(value, str):
        return value
    try:
        number = float(value)
    except OverflowError:  # an integer beyond every float
        return str(value)
    return number if math.isfinite(number) else str(number)


def _value(value: float | str | None) -> str:
    field = as_field(value)
    if isinstance(field, float):
        return f"value={field!r},"
    return "" if field is None else f"text={text(field)},"


def written(tags: dict[str, str]) -> str:
    """Tags in the order that servers like best; one without a text cannot be written.

    >>> written({"room": "gym", "centre": "a b", "part": ""})
    ',centre=a\\\\ b,room=gym'
    """
    return "".join(f",{name(key)}={tag(tags[key])}" for key in sorted(tags) if tags[key])


def safe(word: str) -> str:
    """A name as every server can keep it; what it is called in answers too.

    >>> safe("a\\\\b\\nc")
    'a/b c'
    """
    if PLAIN.fullmatch(word):
        return word
    word = UNSAFE.sub(" ", word.replace("\\", "/").replace('"', "'"))
    return _utf8(f"_{word}" if word.startswith("#") else word)  # a comment would vanish


def tag(word: str) -> str:
    return SPECIAL.sub(r"\\\1", safe(word))


name = tag


def text(value: str) -> str:
    """A text in quotes, in which only a quote and a backslash are special."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_utf8(escaped)}"'


def _utf8(word: str) -> str:
    return word if word.isascii() else word.encode("utf-8", "backslashreplace").decode()
