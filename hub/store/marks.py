"""Marks of the rooms' rules: beside the rooms' steps in a commit, in a block of their own later.

A sealed block is one row of ``mark_chapters`` for each chapter. It goes with its chapter, because
without the changes of that time nothing can be replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

import msgspec

from hub.domain.mark import Mark, MarkKind
from hub.store.damage import Kind
from hub.store.packing import unpack_said
from hub.store.planes import DamagedBlockError, compress, decompress
from hub.store.reader import Question

LEVEL = 19
SEALED = "SELECT id, body FROM mark_chapters WHERE last_ms >= ? AND first_ms < ? ORDER BY id"
LOGGED = (
    "SELECT id, rooms FROM log WHERE id > ? AND id <= ? AND last_ms >= ? AND first_ms < ?"
    " AND rooms IS NOT NULL ORDER BY id"
)


class Block(msgspec.Struct, array_like=True):
    """The columns of a chapter's marks; equal things stand side by side and pack well."""

    kinds: list[MarkKind]
    gaps: list[int]  # milliseconds since the mark before
    orders: list[int]
    names: list[str]
    what: list[int]  # places in ``names``
    silent: list[int | None]  # how long before the mark the device was last heard
    details: list[Any]


_encoder = msgspec.msgpack.Encoder()
_block = msgspec.msgpack.Decoder(Block)


def shelve_marks(marks: Sequence[Mark]) -> bytes:
    """Pack marks, in their order."""
    times = [mark.at_ms for mark in marks]
    names: dict[str, int] = {}
    block = Block(
        [mark.kind for mark in marks],
        [at - before for at, before in zip(times, chain((0,), times), strict=False)],
        [mark.order for mark in marks],
        [],
        [names.setdefault(mark.what, len(names)) for mark in marks],
        [None if mark.last_ms is None else mark.at_ms - mark.last_ms for mark in marks],
        [mark.detail for mark in marks],
    )
    block.names = list(names)
    return compress([_encoder.encode(block)], LEVEL)


def marks_of(body: bytes) -> list[Mark]:
    """
    Raises:
        DamagedBlockError: the body is cut short or changed.
    """
    try:
        block = _block.decode(decompress(body))
    except msgspec.MsgspecError as error:
        raise DamagedBlockError(f"marks are damaged ({error}); restore a backup") from error
    rows = zip(
        block.kinds,
        accumulate(block.gaps),
        block.orders,
        block.what,
        block.silent,
        block.details,
        strict=True,
    )
    return [
        Mark(kind, at, order, block.names[what], None if silent is None else at - silent, detail)
        for kind, at, order, what, silent, detail in rows
    ]


def read_marks(question: Question, pending: Iterable[Mark], from_ms: int, to_ms: int) -> list[Mark]:
    """All marks of a time, in the order in which they were made."""
    found = chain(_written(question, from_ms, to_ms), pending)
    return [mark for mark in found if from_ms <= mark.at_ms < to_ms]


def _written(question: Question, from_ms: int, to_ms: int) -> Iterator[Mark]:
    for chapter, body in question.rows(SEALED, (from_ms, to_ms)):
        question.check()
        with question.passing_over(Kind.MARKS, chapter):
            yield from marks_of(body)
    bounds = (question.sealed_upto, question.upto, from_ms, to_ms)
    for row_id, packed in question.rows(LOGGED, bounds):
        question.check()
        with question.passing_over(Kind.ROOMS, row_id):
            yield from unpack_said(packed).marks
