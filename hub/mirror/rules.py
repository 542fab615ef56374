"""What an answer of a server means for the lines that were sent, and how long to wait.

    204                        stored: the cursor may move
    201, 400, 422              at least one line is bad: halve, down to it
    413                        too large: halve, and stay smaller
    408, 425, 429, 5xx, none   not now: wait 1 s to 5 min, or as long as Retry-After says
    401, 403, 404, the rest    not as it is set up: alarm, and ask again every minute

201 is InfluxDB 3's word for "some of them". Any other 2xx is not InfluxDB: a captive portal says
200 to everything, and what it swallows would be gone. A line is only called bad while the same
server takes another line that is surely good; a proxy that answers 400 to everything would
otherwise make us set aside the whole history.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from hub.domain.room import Params

BACKOFF_S = (1.0, 300.0)
ALARM_S = 60.0
RETRY_AFTER_S = 3_600.0  # a server may ask for more; a mistaken one must not silence us for a year
MAX_LINES = 2_000  # in one request: some 250 kB before gzip
SHOWN = 200  # characters of a server's words
DROPPED = re.compile(r"\bdropped=(\d+)")


class Meaning(StrEnum):
    STORED = "stored"
    BAD_LINE = "bad_line"
    TOO_LARGE = "too_large"
    LATER = "later"
    SETUP = "setup"


class Answer(msgspec.Struct, frozen=True):
    """What came back. ``status`` 0: nothing that is HTTP; ``code`` then says why."""

    status: int
    detail: str = ""  # the server's own words, shortened
    retry_after_s: float | None = None
    code: str = ""


class Trouble(msgspec.Struct, frozen=True):
    """Why a mirror does not get on: a code of the locale, with its parameters."""

    code: str
    params: Params = {}


class BadLine(msgspec.Struct, frozen=True):
    line: str
    reason: str


OURS = frozenset({"token_file", "ca_file", "tls", "refuses_all"})
"""Codes that wait for somebody, whatever the status."""
SETUP_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found"}
LATER_CODES = {0: "unreachable", 408: "timeout", 429: "too_busy"}


def meaning(answer: Answer) -> Meaning:
    """
    >>> [meaning(Answer(status)).value for status in (204, 200, 422, 503, 404)]
    ['stored', 'setup', 'bad_line', 'later', 'setup']
    """
    if answer.code in OURS:
        return Meaning.SETUP
    match answer.status:
        case 204:
            return Meaning.STORED
        case 201 | 400 | 422:
            return Meaning.BAD_LINE
        case 413:
            return Meaning.TOO_LARGE
        case 0 | 408 | 425 | 429:
            return Meaning.LATER
        case status if status >= 500:
            return Meaning.LATER
    return Meaning.SETUP


def trouble(answer: Answer) -> Trouble:
    """The words for an answer that stops us."""
    status = answer.status
    if meaning(answer) is Meaning.LATER:
        usual = "server_error" if status >= 500 else LATER_CODES.get(status, "too_busy")
    else:
        usual = SETUP_CODES.get(status, "unexpected")
    code = answer.code or usual
    params: Params = {"status": status, "detail": answer.detail[:SHOWN]}
    return Trouble(f"mirror.{code}", params)


def wait_s(answer: Answer, failures: int) -> float:
    """How long after the ``failures``-th failure in a row, with jitter.

    >>> 0.5 <= wait_s(Answer(503), 1) <= 1 and 150 <= wait_s(Answer(0), 50) <= 300
    True
    >>> wait_s(Answer(429, retry_after_s=90), 1)
    90
    """
    if meaning(answer) is Meaning.SETUP:
        return ALARM_S
    shortest, longest = BACKOFF_S
    full = min(shortest * 2.0 ** min(failures - 1, 20), longest)
    jittered = full * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
    asked = min(answer.retry_after_s or 0.0, RETRY_AFTER_S)
    return max(jittered, asked)


class Delivery:
    """The lines of one batch on their way: which piece is next, and what became of the others.

    Pieces stay in the order of the lines, so a later line of the same time is written later.
    """

    def __init__(self, lines: Sequence[str], most: int = MAX_LINES) -> None:
        self.most = most
        self._lines = lines
        starts = range(0, len(lines), most)
        self._pieces = deque((at, min(at + most, len(lines))) for at in starts)

    @property
    def is_done(self) -> bool:
        return not self._pieces

    def piece(self) -> Sequence[str]:
        """What to send now; at least one line."""
        first, last = self._pieces[0]
        return self._lines[first:last]

    def stored(self) -> int:
        """The piece is there; how many lines that were."""
        first, last = self._pieces.popleft()
        return last - first

    def is_one(self) -> bool:
        first, last = self._pieces[0]
        return last - first == 1

    def halve(self) -> None:
        """Send the piece as two."""
        first, last = self._pieces.popleft()
        middle = (first + last) // 2
        self._pieces.extendleft(((middle, last), (first, middle)))

    def smaller(self) -> None:
        """Send all that is left in pieces of half this one's size."""
        first, last = self._pieces[0]
        self.most = max((last - first + 1) // 2, 1)
        end = len(self._lines)
        starts = range(first, end, self.most)
        self._pieces = deque((at, min(at + self.most, end)) for at in starts)

    def refused(self, answer: Answer) -> list[BadLine]:
        """The piece, which is bad as a whole; once it is set aside, ``pass_over`` it."""
        first, last = self._pieces[0]
        reason = f"{answer.status} {answer.detail}".strip()[:SHOWN]
        return [BadLine(line, reason) for line in self._lines[first:last]]

    def pass_over(self) -> None:
        """Do not send the piece again."""
        self._pieces.popleft()

    def all_dropped(self, answer: Answer) -> bool:
        """The server says itself that it took none of them (older than it keeps, say)."""
        first, last = self._pieces[0]
        found = DROPPED.search(answer.detail)
        return found is not None and int(found[1]) == last - first
