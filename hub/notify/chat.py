"""Everything that Apprise speaks: chat robots, short messages, ntfy, and mail's addresses.

Apprise says yes or no. Between "nobody listens there" and "it took the message and then the line
broke" lies whether a repeat is a second message, so its requests are watched from below: each one
that this thread makes through ``requests``, and its answer or its error. The robots of WeCom,
DingTalk and Feishu also answer 200 where they refuse, with a code in the body, which is read here.

Apprise is imported with the first message; it takes a third of a second and some 20 MiB.
"""

from __future__ import annotations

import functools
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from hub.notify import mail
from hub.notify.letter import ANSWER_S, CONNECT_S, Letter, of_status, refused, unknown
from hub.notify.queue import SENT, Outcome, Result
from hub.notify.webhook import first_line

ROBOTS = frozenset({"wecom", "dingtalk", "feishu"})
MARKED = frozenset({"email", "webhook"})
"""Kinds whose repeats carry a mark that the other end can recognise."""
MOST_BYTES = {"wecom": 2_000, "dingtalk": 15_000, "feishu": 15_000, "sms": 400, "ntfy": 3_900}
MOST_REST = 60_000
MOST_READ, PIECE = 64 * 1024, 4096
TALKATIVE = ("apprise", "urllib3", "requests")


class Answered(NamedTuple):
    """``status`` 0: none came, and ``error`` says why."""

    status: int
    retry_after: str | None = None
    body: bytes = b""
    error: Exception | None = None


class _Seen(threading.local):
    """What this thread's requests came to."""

    def __init__(self) -> None:
        self.answers: list[Answered] = []


_seen = _Seen()


def send(kind: str, url_file: Path, to: str, letter: Letter) -> Outcome:
    """Send one letter over a channel, in a worker's thread. What it says of a failure is a code:
    the words of servers and libraries may hold the address, and that is a secret."""
    url = first_line(url_file)
    if not url:
        return refused("no_secret")
    service = _apprise().Apprise.instantiate(
        url.replace("{to}", quote(to, safe="")), suppress_exceptions=True
    )
    if service is None or (kind == "email") != hasattr(service, "smtp_host"):
        return refused("bad_url")
    if kind == "email":
        return mail.send(service, letter)
    service.socket_connect_timeout, service.socket_read_timeout = CONNECT_S, ANSWER_S
    if kind == "webhook" and isinstance(getattr(service, "headers", None), dict):
        service.headers["Idempotency-Key"] = letter.mark
    _seen.answers.clear()
    title = letter.title if service.title_maxlen else ""  # the body begins with it
    said_yes = bool(service.notify(title=title, body=fitted(letter.body, most_bytes(kind))))
    return judged(kind, _seen.answers, said_yes=said_yes)


def most_bytes(kind: str) -> int:
    """How long a body may be; a robot counts bytes of UTF-8, and a Chinese character has three."""
    return MOST_BYTES.get(kind, MOST_REST)


def judged(kind: str, answers: list[Answered], *, said_yes: bool) -> Outcome:
    """What became of a message, from all the requests that it took."""
    if not answers:
        return SENT if said_yes else refused("not_sent")
    found = [_outcome(kind, answer) for answer in answers]
    results = {outcome.result for outcome in found}
    if results == {Result.SENT}:
        return SENT
    worst = next(outcome for outcome in found if outcome.result is not Result.SENT)
    if Result.SENT in results and not said_yes:
        return unknown("partly")
    return next((item for item in found if item.result is Result.UNKNOWN), worst)


def fitted(body: str, most: int) -> str:
    """Whole lines, as many as a channel takes.

    >>> fitted("first line\\nsecond line\\nthird", 24)
    'first line\\n…'
    """
    if len(body.encode()) <= most:
        return body
    kept, left = [], most - 4
    for line in body.splitlines():
        left -= len(line.encode()) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join([*kept, "…"])


def _outcome(kind: str, answer: Answered) -> Outcome:
    if answer.error is not None:
        return refused("no_connection") if _is_unsent(answer.error) else unknown()
    found = of_status(answer.status, answer.retry_after)
    if found.result is Result.SENT and kind in ROBOTS:
        return _said_by_robot(answer.body)
    return found


def _said_by_robot(body: bytes) -> Outcome:
    """``{"errcode": 0}`` or ``{"code": 0}`` is a yes; an answer that is neither is none."""
    try:
        said = json.loads(body)
        code = next(said[key] for key in ("errcode", "code", "StatusCode") if key in said)
        number = int(code)
    except (ValueError, TypeError, StopIteration):
        return unknown("bad_answer")
    return SENT if number == 0 else refused(f"code:{number}")


def _is_unsent(error: BaseException | None) -> bool:
    """Did it fail before the first byte of the request? Errors of urllib3 are inside each other."""
    import requests
    from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
    from urllib3.exceptions import SSLError as LowSSLError

    early = (
        *(ConnectTimeoutError, NameResolutionError, NewConnectionError, LowSSLError),
        *(requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.InvalidURL),
    )
    while error is not None:
        if isinstance(error, early):
            return True
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        error = inner if isinstance(inner, BaseException) and inner is not error else None
    return False


@functools.cache
def _apprise() -> Any:
    """Apprise, once. Its log, and that of what it asks with, may hold addresses with passwords, so
    nothing of them is kept, however much is logged."""
    import apprise

    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    _watch_requests()
    return apprise


def _watch_requests() -> None:
    """Look at each request from below; only Apprise uses this library here.

    Whoever points elsewhere is not followed: of a POST this library makes a GET on the way, and the
    page at its end says 200 to a message that nobody got. Of an answer so much is read as can be
    one, and no longer than one may take.
    """
    import requests

    plain = requests.Session.send

    def send(self: Any, request: Any, **options: Any) -> Any:
        options |= {"allow_redirects": False, "stream": True}
        try:
            response = plain(self, request, **options)
            _read(response)
        except requests.RequestException as error:
            _seen.answers.append(Answered(0, error=error))
            raise
        after = response.headers.get("Retry-After")
        _seen.answers.append(Answered(response.status_code, after, response.content))
        return response

    requests.Session.send = send  # type: ignore[method-assign]


def _read(response: Any) -> None:
    """Read the answer, within bounds, for all who look at it afterwards.

    Raises:
        requests.RequestException: it is cut, or too slow.
    """
    import requests

    until, found = time.monotonic() + ANSWER_S, bytearray()
    with response:
        for piece in response.iter_content(PIECE):
            found += piece
            if time.monotonic() > until:
                raise requests.ReadTimeout
            if len(found) >= MOST_READ:
                break
    response._content = bytes(found)
