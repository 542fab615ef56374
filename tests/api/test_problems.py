"""What went wrong is said in the reader's language, and its code is the same in all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hub.api.answers import explain
from hub.domain.errors import (
    BadFormError,
    BadQueryError,
    UnknownChannelError,
    UnknownDeviceError,
    UnknownRoomError,
)
from hub.store.query import BadCursorError, QueryTooSlowError, StoreBusyError
from hub.texts import LANGUAGES


def unfit(kind: str, **figures: str | int) -> Callable[[], Exception]:
    item = {"type": kind, "loc": ("query", "limit"), "msg": "no", "ctx": figures}
    return lambda: RequestValidationError([item])


MADE: dict[str, Callable[[], Exception]] = {
    "room": lambda: UnknownRoomError("attic"),
    "device": lambda: UnknownDeviceError("attic"),
    "channel": lambda: UnknownChannelError("attic"),
    "time": lambda: BadQueryError("from", "time"),
    "wrong way": lambda: BadQueryError("from", "wrong_way"),
    "of one": lambda: BadQueryError("device", "sums_of_one"),
    "of good": lambda: BadQueryError("quality", "sums_of_good"),
    "parts": lambda: BadQueryError("channel", "several_parts", known="contact.di1"),
    "cursor": lambda: BadCursorError("x"),
    "form kind": lambda: BadFormError(415, "x"),
    "form size": lambda: BadFormError(413, "x"),
    "form": lambda: BadFormError(422, "x"),
    "slow": lambda: QueryTooSlowError(),
    "busy": lambda: StoreBusyError(),
    "at most": unfit("less_than_equal", le=1000),
    "at least": unfit("greater_than_equal", ge=1),
    "one of": unfit("literal_error", expected="'raw' or 'hour'"),
    "whole": unfit("int_parsing"),
    "unfit": unfit("string_too_long"),
    "no address": lambda: HTTPException(404),
    "no method": lambda: HTTPException(405),
    "refused": lambda: HTTPException(418),
    "ours": lambda: ZeroDivisionError(),
}


@pytest.mark.parametrize("name", MADE)
def test_every_problem_is_told_in_every_language(name: str) -> None:
    told = [explain(MADE[name](), language) for language in LANGUAGES]

    assert len({problem.kind for problem in told}) == 1
    for texts in ([problem.title for problem in told], [problem.detail for problem in told]):
        assert len(set(texts)) == len(LANGUAGES), texts
        assert not any(text.startswith(("problem.", "query.")) for text in texts)


def test_what_is_allowed_is_said() -> None:
    assert explain(MADE["at most"](), "en").detail == "limit is at most 1000."
    assert explain(MADE["at least"](), "zh-CN").detail == "limit 最小为 1。"
    assert "attic" in explain(MADE["room"](), "zh-TW").detail
