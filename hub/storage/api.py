"""``storage``: how long the card lives, how far history reaches; what is written, as metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client.core import CounterMetricFamily, Metric

from hub.api.answers import answer, documented
from hub.api.documents import rfc3339
from hub.domain.views import CopyState
from hub.storage.rules import AMPLIFICATION, BUDGET
from hub.storage.service import Account, Day, WearCounts

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WrittenDay(msgspec.Struct):
    """Bytes on one day in UTC; the last one is not over."""

    day: str
    total: int
    by_purpose: dict[str, int]
    by_file: dict[str, int]


class CardDocument(msgspec.Struct):
    """``years`` is an order of magnitude: bytes a day times ``write_amplification`` (an
    assumption) against ``size`` times ``rewrites``. ``basis``: ``days`` or ``start``."""

    size: int
    rewrites: int
    write_amplification: int = AMPLIFICATION
    budget_per_day: int = BUDGET
    bytes_per_day: int | None = None
    basis: str | None = None
    basis_amount: int | None = None
    within_budget: bool | None = None
    years: float | None = None


class HistoryExtent(msgspec.Struct):
    """``full_at`` is null where deleting the oldest readings keeps the disk from filling.
    ``damaged``: places that cannot be read any more; readings there are a gap."""

    oldest_reading: str | None
    database_bytes: int
    growth_per_day: int | None
    free_bytes: int
    full_at: str | None
    damaged: int


class CopyDocument(msgspec.Struct):
    """Another place that has the history: ``mirror`` or ``backup``."""

    kind: str
    name: str
    ok: bool
    last: str | None


class StorageDocument(msgspec.Struct):
    """What the hub writes, how long the card lives with it, and how far history reaches."""

    as_of: str
    history: HistoryExtent
    card: CardDocument
    written: list[WrittenDay]
    copies: list[CopyDocument]


class Accounts(Protocol):
    def account(self) -> Awaitable[Account]: ...


class WrittenCollector:
    """Bytes since the start, when somebody asks for them."""

    def __init__(self, wear: WearCounts) -> None:
        self._wear = wear

    def collect(self) -> Iterator[Metric]:
        written = CounterMetricFamily(
            "linli_written_bytes", "Bytes caused to be written.", labels=["purpose"]
        )
        self._wear.days()  # brings the log and what nobody named up to date
        for purpose, count in self._wear.since_start.items():
            written.add_metric([purpose], count)
        yield written


def routes(storage: Accounts) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["storage"])

    @router.get(
        "/storage",
        responses=documented(StorageDocument, on_503="Too much was asked for at once"),
    )
    async def read_storage() -> Response:
        """What is written and for what, how long the card lives, how far history reaches."""
        return answer(document(await storage.account()))

    return router


def document(account: Account) -> StorageDocument:
    return StorageDocument(
        as_of=rfc3339(account.now_ms),
        history=HistoryExtent(
            oldest_reading=_time(account.oldest_ms),
            database_bytes=account.database,
            growth_per_day=None if account.growth is None else round(account.growth),
            free_bytes=account.free,
            full_at=_time(account.full_ms),
            damaged=account.damaged,
        ),
        card=_card(account),
        written=[_day(day) for day in reversed(account.days)],
        copies=[_copy(copy) for copy in account.copies],
    )


def _card(account: Account) -> CardDocument:
    pace = account.pace
    known = CardDocument(account.card_size, account.rewrites)
    if pace is None:
        return known
    known.bytes_per_day = round(pace.bytes_a_day)
    known.basis, known.basis_amount = pace.basis.value, pace.amount
    known.within_budget = pace.is_within_budget
    known.years = None if account.years is None else round(account.years, 1)
    return known


def date_of(day: Day) -> str:
    return f"{EPOCH + timedelta(days=day.number):%Y-%m-%d}"


def _day(day: Day) -> WrittenDay:
    return WrittenDay(date_of(day), day.total, dict(day.by_purpose), day.by_file)


def _copy(copy: CopyState) -> CopyDocument:
    return CopyDocument(copy.kind, copy.name, copy.trouble is None, _time(copy.last_ms))


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
