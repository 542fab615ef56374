"""Rows as CSV (RFC 4180, with a head) or NDJSON (one JSON object a line), with the API's names.

What differs in CSV:

- Texts among the values stand in quotes and numbers do not, so that "1" and 1 stay apart.
- The shares of a room stand in a column for each status; those of a channel, whose words nobody
  knows beforehand, stay one JSON object.
- A spreadsheet takes a text that begins with ``= + - @`` for a formula, and a device that nobody
  authenticated may say anything. Such a text, and one that begins with an apostrophe, a tab or a
  line break, gets an apostrophe in front. Numbers are never touched, and taking one leading
  apostrophe away gives every text back.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from hub.api.documents import ReadingDocument, SummaryDocument, encode
from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.export import Told

Stamp = Callable[[int], str]
FORMULA = ("=", "+", "-", "@", "'", "\t", "\r", "\n")
MOST_NOTES = 10_000  # reasons are codes, but the form does not depend on it
STATUSES = tuple(status.value for status in Status)
READING = ReadingDocument.__struct_fields__
SUMMARY = ("device", "channel", "from", "to", "mean", "min", "max", "share", "covered")
STRETCH = ("room", "from", "to", "status", "people_mean", "covered")
SHARES = ("room", "from", "to", *STATUSES, "people_mean", "covered")


class RoomDocument(msgspec.Struct):
    """A stretch of one status, or the shares of a minute, an hour or a day."""

    room: str
    from_: str = msgspec.field(name="from")
    to: str
    people_mean: float | None
    covered: float
    status: str | msgspec.UnsetType = msgspec.UNSET
    share: dict[str, float] | msgspec.UnsetType = msgspec.UNSET


encode_lines = msgspec.json.Encoder().encode_lines


def local_stamp(zone: ZoneInfo) -> Stamp:
    """RFC 3339 on the clocks of a zone.

    >>> local_stamp(ZoneInfo("Asia/Shanghai"))(1_700_000_000_123)
    '2023-11-15T06:13:20.123+08:00'
    """

    @functools.lru_cache(maxsize=8192)
    def to_the_second(at_s: int) -> tuple[str, str]:
        text = datetime.fromtimestamp(at_s, zone).isoformat()
        return text[:19], text[19:]

    def stamp(at_ms: int) -> str:
        begin, offset = to_the_second(at_ms // 1000)
        return f"{begin}.{at_ms % 1000:03d}{offset}"

    return stamp


def safe(text: str) -> str:
    """A text that no spreadsheet calculates with.

    >>> safe("=1+1"), safe("heat"), safe("'tis")
    ("'=1+1", 'heat', "''tis")
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def cell(text: str) -> str:
    """A text as one cell.

    >>> cell('say "hi", please'), cell("plain")
    ('"say ""hi"", please"', 'plain')
    """
    text = safe(text)
    return quoted(text) if any(sign in text for sign in ',"\r\n') else text


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


class Lines(Protocol):
    """Rows in one form."""

    def head(self, columns: Sequence[str]) -> bytes: ...

    def readings(self, found: Sequence[Told]) -> bytes: ...

    def documents(self, found: Sequence[SummaryDocument | RoomDocument]) -> bytes: ...


class Ndjson:
    """``stamp``: how times are written."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp

    def head(self, columns: Sequence[str]) -> bytes:
        """None: each line names its fields."""
        return b""

    def readings(self, found: Sequence[Told]) -> bytes:
        stamp = self._stamp
        documents = [
            ReadingDocument(
                change.key.device,
                name_of(change.key),
                change.value,
                change.unit,
                change.quality,
                change.reason,
                stamp(change.observed_ms),
                stamp(change.received_ms),
                change.time_source,
                stamp(until_ms),
            )
            for change, until_ms in found
        ]
        return encode_lines(documents)

    def documents(self, found: Sequence[SummaryDocument | RoomDocument]) -> bytes:
        return encode_lines(found)


class Csv:
    """``stamp``: how times are written."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp
        self._heads: dict[SeriesKey, str] = {}
        self._notes: dict[tuple[str, str, str], str] = {}

    def head(self, columns: Sequence[str]) -> bytes:
        return f"{','.join(columns)}\r\n".encode()

    def readings(self, found: Sequence[Told]) -> bytes:
        return "".join([self._reading(change, until) for change, until in found]).encode()

    def documents(self, found: Sequence[SummaryDocument | RoomDocument]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(
            _summary(item) if isinstance(item, SummaryDocument) else _room(item) for item in found
        )
        return text.getvalue().encode()

    def _reading(self, change: Change, until_ms: int) -> str:
        head = self._heads.get(change.key)
        if head is None:
            head = f"{cell(change.key.device)},{cell(name_of(change.key))}"
            self._heads[change.key] = head
        kind = (change.unit, change.quality.value, change.reason)
        note = self._notes.get(kind)
        if note is None:
            note = ",".join(map(cell, kind))
            if len(self._notes) < MOST_NOTES:
                self._notes[kind] = note
        value, stamp = change.value, self._stamp
        shown = quoted(safe(value)) if isinstance(value, str) else "" if value is None else value
        return (
            f"{head},{shown},{note},{stamp(change.observed_ms)},{stamp(change.received_ms)},"
            f"{change.time_source.value},{stamp(until_ms)}\r\n"
        )


def name_of(key: SeriesKey) -> str:
    """A channel as the API names it."""
    return f"{key.channel}.{key.part}" if key.part else key.channel


def _summary(item: SummaryDocument) -> list[object]:
    share = encode(item.share).decode() if item.share else ""
    return [
        safe(item.device),
        safe(item.channel),
        item.from_,
        item.to,
        item.mean,
        item.min,
        item.max,
        share,
        item.covered,
    ]


def _room(item: RoomDocument) -> list[object]:
    shares = item.share
    if isinstance(shares, msgspec.UnsetType):
        told: list[object] = [item.status]
    else:
        told = [shares.get(status, 0) if shares else None for status in STATUSES]
    return [safe(item.room), item.from_, item.to, *told, item.people_mean, item.covered]
