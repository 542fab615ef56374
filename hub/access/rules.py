"""What access decides without a database or a clock: names, passwords, keys, spans, waits. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from hub.domain.access import Role
from hub.domain.room import Text

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

# --- names and passwords ----------------------------------------------------------------------

MAX_TITLE = 60
MIN_PASSWORD, MAX_PASSWORD = 10, 200


def clean_password(text: str) -> str:
    """The same characters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", text)


def password_problem(password: str, name: str) -> Text | None:
    """Long enough, and not the name. Nothing else: rules of composition make passwords worse.

    >>> password_problem("li.nali.na", "li.na")
    Text(code='access.password_is_name', params={})
    """
    password = clean_password(password)
    if len(password) < MIN_PASSWORD:
        return Text("access.password_short", {"least": MIN_PASSWORD})
    if len(password) > MAX_PASSWORD:
        return Text("access.password_long", {"most": MAX_PASSWORD})
    if not password.casefold().replace(name, ""):
        return Text("access.password_is_name")
    return None


# --- keys: tokens, sessions, codes ------------------------------------------------------------

KEY_BYTES = 32
PREFIX = "linli_"
CODE_LENGTH = 8
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 characters that nobody takes for one another
_DIGITS, _CHECK = 43, 6
_TOKEN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_DIGITS + _CHECK}}}")


def token_of(random: bytes) -> str:
    """``linli_``, 256 random bits, and a checksum: scanners for secrets and typos both find it."""
    digits = _base62(int.from_bytes(random), _DIGITS)
    return PREFIX + digits + _base62(zlib.crc32(digits.encode()), _CHECK)


def is_token(text: str) -> bool:
    """Does it look like one, and was nothing mistyped? Says nothing about who may use it.

    >>> is_token(token_of(bytes(32))), is_token(token_of(bytes(32)).replace("0", "1", 1))
    (True, False)
    """
    if not _TOKEN.fullmatch(text):
        return False
    digits, check = text[len(PREFIX) : -_CHECK], text[-_CHECK:]
    return _base62(zlib.crc32(digits.encode()), _CHECK) == check


def code_of(random: bytes) -> str:
    """Forty bits that a person can read out and type.

    >>> code_of(bytes(8))
    'AAAA-AAAA'
    """
    code = "".join(_CODE[byte % len(_CODE)] for byte in random[:CODE_LENGTH])
    return f"{code[:4]}-{code[4:]}"


def clean_code(text: str) -> str:
    """What was meant by what was typed.

    >>> clean_code(" abcd efgh ")
    'ABCD-EFGH'
    """
    code = "".join(character for character in text.upper() if character in _CODE)
    return f"{code[:4]}-{code[4:]}"


def digest(key: str) -> bytes:
    """What is kept of a key. It has 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).digest()


def csrf_of(hashed: bytes) -> str:
    """What the forms of a session must bring: derived, so that a restart does not lose a form."""
    return hmac.new(hashed, b"csrf", hashlib.sha256).hexdigest()[:32]


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits


# --- how long somebody stays signed in --------------------------------------------------------


class Span(NamedTuple):
    """A session ends after ``idle_ms`` without a person doing something, and at ``whole_ms``."""

    idle_ms: int
    whole_ms: int


SPANS: Mapping[Role, Span] = MappingProxyType(
    {
        Role.PUBLIC: Span(10 * MINUTE_MS, HOUR_MS),
        Role.RESIDENT: Span(10 * MINUTE_MS, HOUR_MS),
        Role.STAFF: Span(12 * HOUR_MS, 7 * DAY_MS),
        Role.GRID_WORKER: Span(12 * HOUR_MS, 7 * DAY_MS),
        Role.MAINTENANCE: Span(12 * HOUR_MS, 7 * DAY_MS),
        Role.NURSE: Span(30 * MINUTE_MS, 12 * HOUR_MS),
        Role.DOCTOR: Span(30 * MINUTE_MS, 12 * HOUR_MS),
        Role.MANAGER: Span(12 * HOUR_MS, 7 * DAY_MS),
        Role.INTEGRATOR: Span(30 * MINUTE_MS, 12 * HOUR_MS),
        Role.ADMIN: Span(30 * MINUTE_MS, 12 * HOUR_MS),
    }
)


def span(roles: Iterable[Role]) -> Span:
    """Of several roles the shortest of each.

    >>> span([Role.STAFF, Role.ADMIN]).idle_ms == 30 * MINUTE_MS
    True
    """
    found = [SPANS[role] for role in roles] or [SPANS[Role.PUBLIC]]
    return Span(min(s.idle_ms for s in found), min(s.whole_ms for s in found))


PAIR_MS = 15 * MINUTE_MS
SCREEN_MS = 400 * DAY_MS  # what browsers keep a cookie for at most
RENEW_MS = 30 * DAY_MS  # a screen that is used gets its whole time again, once a month
TOKEN_MS = 365 * DAY_MS
MAX_TOKEN_MS = 5 * 365 * DAY_MS

# --- waiting after failures -------------------------------------------------------------------

FREE_FAILURES = 3
FIRST_WAIT_S = 2
LONGEST_WAIT_S = 300


def wait_s(failures: int, free: int = FREE_FAILURES) -> int:
    """How long the next attempt must wait: doubling, and never longer than five minutes.

    >>> [wait_s(failures) for failures in (0, 2, 3, 4, 5, 10, 1000)]
    [0, 0, 2, 4, 8, 256, 300]
    """
    if failures < free:
        return 0
    return min(FIRST_WAIT_S << min(failures - free, 20), LONGEST_WAIT_S)


# --- where to go after signing in -------------------------------------------------------------


def local_path(wanted: str) -> str:
    """A path of this hub, or nothing: nobody is sent to another site.

    >>> local_path("/rooms/gym?lang=en"), local_path("//evil.example"), local_path("https://a")
    ('/rooms/gym?lang=en', '', '')
    >>> local_path("/\\\\evil.example"), local_path("/a\\tb"), local_path("/sign-out")
    ('', '', '')
    """
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/sign-"))
    is_plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if is_path and is_plain and len(wanted) <= 500 else ""
