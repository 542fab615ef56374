"""``/storage``: whether the card lasts, how far history reaches, what is written for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.configuration.sizes import size_text
from hub.domain.centre import Centre
from hub.domain.room import Text
from hub.domain.views import CopyState, HubView
from hub.storage.api import Accounts, date_of
from hub.storage.rules import AMPLIFICATION, BUDGET, Basis
from hub.storage.service import Account, Day
from hub.texts import local
from hub.web.page import Frame, language_of, translator, word

SHOWN_DAYS = 8  # a week, and today
LONG_YEARS = 50  # a forecast beyond that says nothing but "very long"
SHORT_YEARS = 5
FILES = {
    "wal": "ui.file_wal",
    "database": "ui.file_database",
    "log": "ui.file_log",
    "backup": "ui.file_backup",
    "other": "ui.file_other",
}


class Verdict(NamedTuple):
    """``kind`` is a mark of ``marks.html``: ok, faulty or new."""

    kind: str
    words: str
    years: str
    """The figure; empty where there is none yet."""


class DayLine(NamedTuple):
    date: str
    total: str
    percent: int
    files: list[str]


class PurposeLine(NamedTuple):
    name: str
    total: str
    percent: int


class CopyLine(NamedTuple):
    name: str
    kind: str
    is_well: bool
    words: str
    last: str


def pages(storage: Accounts, centre: Centre, hub: HubView) -> APIRouter:
    frame = Frame(centre, hub)
    router = APIRouter(include_in_schema=False)

    @router.get("/storage")
    async def show_storage(request: Request) -> Response:
        language = language_of(request)
        account = await storage.account()
        days = account.days[:SHOWN_DAYS]
        t = translator(language)
        return frame.answer(
            request,
            "storage",
            here="devices",
            verdict=_verdict(account, language),
            reckoning=_reckoning(account, language),
            facts=_facts(frame, account, language),
            damaged=t("ui.damaged_places", count=account.damaged) if account.damaged else "",
            files=[(key, t(FILES[key])) for key in _used(days)],
            days=_days(days),
            purposes=_purposes(days, language),
            copies=[_copy(frame, copy, language) for copy in account.copies],
        )

    return router


def size(count: float) -> str:
    """Bytes for people, with the unit that makes two or three digits.

    >>> size(61_234_000).replace("\\N{NO-BREAK SPACE}", " ")
    '61 MB'
    >>> size(2_345_678_901).replace("\\N{NO-BREAK SPACE}", " ")
    '2.3 GB'
    """
    return size_text(count).replace(" ", "\N{NO-BREAK SPACE}")


def _verdict(account: Account, language: str) -> Verdict:
    t, pace, years = translator(language), account.pace, account.years
    if pace is None or years is None:
        return Verdict("new", t("ui.card_unknown"), "")
    figure = t("ui.years_over", count=LONG_YEARS) if years > LONG_YEARS else _years(years, language)
    if not pace.is_within_budget:
        return Verdict("faulty", t("ui.card_above", size=size(BUDGET)), figure)
    if years < SHORT_YEARS:
        return Verdict("faulty", t("ui.card_short"), figure)
    return Verdict("ok", t("ui.card_within", size=size(BUDGET)), figure)


def _years(years: float, language: str) -> str:
    t = translator(language)
    if years < 1:
        return t("ui.years_under_one")
    return t("ui.years", count=round(years))


def _reckoning(account: Account, language: str) -> str:
    t, pace = translator(language), account.pace
    if pace is None:
        return ""
    basis = "ui.basis_days" if pace.basis is Basis.DAYS else "ui.basis_start"
    return t(
        "ui.card_reckoning",
        pace=size(pace.bytes_a_day),
        basis=t(basis, count=pace.amount),
        card=size(account.card_size),
        rewrites=account.rewrites,
        factor=AMPLIFICATION,
    )


def _facts(frame: Frame, account: Account, language: str) -> list[tuple[str, str]]:
    t = translator(language)
    oldest = "–"
    if account.oldest_ms is not None:
        oldest = f"{local(account.oldest_ms, frame.centre.timezone):%Y-%m-%d}"
    grown = "–" if account.growth is None else t("ui.a_day", size=size(account.growth))
    full = account.full_ms
    if full is not None:
        until = t("ui.full_in", count=max(round((full - account.now_ms) / 86_400_000), 1))
    else:
        until = t("ui.never_full") if account.growth is not None else "–"
    return [
        (t("ui.history_since"), oldest),
        (t("ui.history_size"), size(account.database)),
        (t("ui.history_growth"), grown),
        (t("ui.disk_free"), size(account.free)),
        (t("ui.disk_full"), until),
    ]


def _used(days: Sequence[Day]) -> list[str]:
    return [key for key in FILES if any(key in day.by_file for day in days)]


def _days(days: Sequence[Day]) -> list[DayLine]:
    keys, most = _used(days), max([BUDGET, *(day.total for day in days)])
    return [
        DayLine(
            date_of(day),
            size(day.total),
            round(100 * day.total / most),
            [size(day.by_file[key]) if key in day.by_file else "–" for key in keys],
        )
        for day in days
    ]


def _purposes(days: Sequence[Day], language: str) -> list[PurposeLine]:
    counts: Counter[str] = Counter()
    for day in days:
        counts.update(day.by_purpose)
    whole = max(sum(counts.values()), 1)
    return [
        PurposeLine(
            word(f"purpose.{purpose}", language, purpose), size(count), round(100 * count / whole)
        )
        for purpose, count in counts.most_common()
    ]


def _copy(frame: Frame, copy: CopyState, language: str) -> CopyLine:
    t = translator(language)
    words = t("ui.copy_well") if copy.trouble is None else _said(frame, copy.trouble, language)
    last = t("ui.never") if copy.last_ms is None else frame.when(copy.last_ms, language)
    kind = t("ui.copy_mirror") if copy.kind == "mirror" else t("ui.copy_backup")
    return CopyLine(copy.name, kind, copy.trouble is None, words, last)


def _said(frame: Frame, trouble: Text, language: str) -> str:
    return frame.text(trouble, language)
