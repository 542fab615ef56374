"""Codes become sentences here, at the border, in the reader's language (decision 18).

Inside the hub a text is ``Text(code, params)``; the catalogues under ``hub/locale`` hold one
sentence for each code in each language, and tests pin that none is missing and that all
use the same parameters. Three kinds of parameter are not plain words: ``time`` and ``until`` are
milliseconds since the epoch and become a clock time in the centre's zone; ``reason`` is a code;
``holiday`` is one where we know the name of the day in every language.

The catalogues are read as ``.po`` when first used: 60 ms, and no compiled file to forget.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po

from hub.domain.room import Params, Text

log = logging.getLogger(__name__)

LANGUAGES = ("zh-CN", "zh-TW", "en")
"""The first one is spoken where the reader asks for none of them."""

_BROKER = "mqtt"  # what the link to it is called inside
_TIMES = ("time", "until")
_COUNTS = ("count", "people", "rooms")  # the first of these that is there chooses the plural
_TRADITIONAL = ("hant", "tw", "hk", "mo")

Catalogue = Mapping[str, tuple[str, ...]]
"""Code to its forms: one, or singular and plural."""


@functools.cache
def catalogue(language: str) -> Catalogue:
    """All sentences of one language."""
    path = resources.files("hub") / "locale" / language.replace("-", "_") / "LC_MESSAGES/linli.po"
    with path.open("rb") as file:
        messages = read_po(file)
    return {_first(message.id): _forms(message.string) for message in messages if message.id}


def has(code: str) -> bool:
    """Whether there is a sentence for a code."""
    return code in catalogue(LANGUAGES[0])


def render(text: Text, language: str, zone: str = "UTC", now_ms: int | None = None) -> str:
    """The sentence for a code.

    Args:
        text: The code and its parameters.
        language: One of ``LANGUAGES``.
        zone: The centre's time zone, for ``time`` and ``until``.
        now_ms: With it, a time that is not today is given with its date.

    An unknown code comes back as it is and is logged once: a screen with one odd line is better
    than no screen.
    """
    forms = catalogue(language).get(text.code)
    if forms is None:
        _report_missing(text.code)
        return text.code
    words = _Words(text.params)
    for name in _TIMES:
        if isinstance(at := text.params.get(name), int):
            # 0: never heard, so there is no clock time to give
            words[name] = (
                clock(at, language, zone, now_ms) if at else catalogue(language)["time.start"][0]
            )
    if isinstance(reason := text.params.get("reason"), str) and has(f"bad.{reason}"):
        words["reason"] = catalogue(language)[f"bad.{reason}"][0]
    if isinstance(day := text.params.get("holiday"), str) and has(f"holiday.{day}"):
        words["holiday"] = catalogue(language)[f"holiday.{day}"][0]
    if isinstance(link := text.params.get("link"), str):
        words["link"] = wire(link, language)
    return _form(forms, text.params).format_map(words)


def wire(link: str, language: str) -> str:
    """A port, or the broker, as people call it.

    >>> wire("/dev/serial/by-id/gym-radar", "en"), wire("mqtt", "en")
    ('gym-radar', 'the MQTT broker')
    """
    return catalogue(language)["link.broker"][0] if link == _BROKER else port(link)


def port(link: str) -> str:
    """A wire by its own name: the folder of a serial port helps nobody to find it.

    >>> port("/dev/serial/by-id/gym-radar"), port("mqtt")
    ('gym-radar', 'mqtt')
    """
    return link.rpartition("/")[2] if link.startswith("/") else link


def clock(at_ms: int, language: str, zone: str, now_ms: int | None = None) -> str:
    """``14:05``, or ``21 Nov 14:05`` where ``now_ms`` is another day; with the year if that is.

    >>> clock(1_700_000_000_000, "en", "Asia/Shanghai")
    '06:13'
    >>> clock(1_700_000_000_000, "en", "Asia/Shanghai", 1_700_100_000_000)
    '15 Nov 06:13'
    """
    at = local(at_ms, zone)
    plain = f"{at:%H:%M}"
    now = at if now_ms is None else local(now_ms, zone)
    if at.date() == now.date():
        return plain
    month = catalogue(language)[f"month.{at.month}"][0]
    code = "time.other_day" if at.year == now.year else "time.other_year"
    params: Params = {"year": at.year, "month": month, "day": at.day, "clock": plain}
    return render(Text(code, params), language)


def local(at_ms: int, zone: str) -> datetime:
    """The moment on the centre's clocks."""
    return datetime.fromtimestamp(at_ms / 1000, _zone(zone))


def negotiate(asked: str | None, cookie: str | None, accepted: str | None) -> str:
    """The language of an answer: ``?lang=``, else the cookie, else ``Accept-Language``.

    >>> negotiate(None, None, "fr, en-GB;q=0.8, zh-Hant;q=0.9")
    'zh-TW'
    """
    for tag in (asked, cookie):
        if tag and (language := _known(tag)):
            return language
    return _accepted(accepted or "")


@functools.lru_cache(maxsize=256)
def _accepted(header: str) -> str:
    wishes: list[tuple[float, str]] = []
    for entry in header[:500].split(","):
        tag, _, weight = entry.partition(";")
        wishes.append((_weight(weight), tag))
    for weight_, tag in sorted(wishes, key=lambda wish: -wish[0]):  # stable: first of equals wins
        if weight_ > 0 and (language := _known(tag)):
            return language
    return LANGUAGES[0]


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


def _known(tag: str) -> str | None:
    primary, *rest = tag.strip().lower().split("-")
    if primary == "en":
        return "en"
    if primary != "zh":
        return None
    traditional = "hans" not in rest and any(part in _TRADITIONAL for part in rest)
    return "zh-TW" if traditional else "zh-CN"


@functools.cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _first(code: str | list[str] | tuple[str, ...]) -> str:
    return code if isinstance(code, str) else code[0]


def _forms(sentence: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (sentence,) if isinstance(sentence, str) else tuple(sentence or ())


def _form(forms: tuple[str, ...], params: Params) -> str:
    count = next((params[name] for name in _COUNTS if name in params), 1)
    return forms[0] if count == 1 else forms[-1]


@functools.cache
def _report_missing(code: str) -> None:
    log.warning("No sentence for the code %r; pages show the code itself", code)


class _Words(dict[str, str | int | float]):
    """A parameter that is not there reads as a dash; it must not cost the page."""

    def __missing__(self, key: str) -> str:
        return "–"
