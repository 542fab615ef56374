"""How a change looks when it is read again, and what it is known by."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hub.live import Change
from hub.store.query import ReadingItem
from hub.store.shelf import Step


def name(change: Change) -> tuple[int, int, int]:
    return (change.number, change.observed_ms, change.tie)


def names(changes: Iterable[Change]) -> set[tuple[int, int, int]]:
    return {name(change) for change in changes}


def item_of(change: Change, until_ms: int) -> ReadingItem:
    return ReadingItem(
        *change.key, change.value, change.unit, change.quality, change.reason, change.observed_ms,
        change.received_ms, change.time_source, until_ms, change.number, change.tie,
    )  # fmt: skip


def plain(step: Step) -> tuple[object, ...]:
    """The intake is given up when a chapter is sealed."""
    return msgspec.structs.astuple(msgspec.structs.replace(step.change, intake=0)), step.until_ms
