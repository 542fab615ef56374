"""What a fault or an alert is in words: one place for pages, messages and the API.

A sentence is chosen by the kind and what is known (``fault.battery_low.days`` where a forecast
is), figures get their units, and a drill says in every sentence that it is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from hub.domain.centre import Centre, pick
from hub.domain.fault import FaultKind, Subject
from hub.domain.room import Params, Text
from hub.texts import has, render

Part = Literal["", ".effect", ".cause", ".check", ".remedy"]

_SPANS = (("days", 2 * 86_400), ("hours", 2 * 3_600), ("minutes", 120), ("seconds", 0))
_UNIT_S = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_CODES = {"reason": "discard", "code": "bad"}  # evidence that is a code itself, and of what family
_GROWING = ("silent_s", "waited_s")
_SEPARATOR = {"en": ", "}


class Told(Protocol):
    """A fault or an alert."""

    @property
    def kind(self) -> FaultKind: ...
    @property
    def subject(self) -> Subject: ...
    @property
    def evidence(self) -> Params: ...
    @property
    def is_drill(self) -> bool: ...
    @property
    def cleared_ms(self) -> int | None: ...


def sentence(thing: Told, language: str, part: Part = "", now_ms: int | None = None) -> str:
    """What it is (``part`` empty), or another part of what there is to say of it.

    With ``now_ms`` what goes on is as long as it is by now, and not as long as when it was found.

    >>> from hub.domain.fault import Finding, Fault, Severity, SubjectKind
    >>> fault = Fault(1, Subject(SubjectKind.DEVICE, "gym-pir"), FaultKind.SILENT, Severity.LOW,
    ...     "gym", 0, 0, 0, {"usual_s": 60, "silent_s": 600})
    >>> sentence(fault, "en")
    'gym-pir has been silent for 10 min; it usually speaks every 60 s'
    """
    words: Params = {"device": subject_name(thing)}
    if channel := thing.subject.channel:
        words["channel"] = channel
    words = words | thing.evidence
    if now_ms is not None:
        words = words | _grown(thing, now_ms)
    line = render(Text(_code(thing, part), _figures(words, language)), language)
    unstable: int = getattr(thing, "unstable", 0)
    if unstable and not part:
        line = render(Text("fault.unstable", {"words": line, "times": unstable}), language)
    if thing.is_drill:
        line = render(Text("fault.drill", {"words": line}), language)
    return line


def subject_name(thing: Told) -> str:
    """A device by its id, a wire by its own name: a bridge's topic helps nobody to find it."""
    name = _last(thing.subject.id)
    return name.partition("/bridge")[0] if thing.kind is FaultKind.GATEWAY_DOWN else name


def effect(thing: Told, blinded: Iterable[str], centre: Centre, language: str) -> str:
    """What it means for people: of its kind, and which rooms nothing else can tell of."""
    line = sentence(thing, language, ".effect")
    names = room_names(centre, language)
    if shown := _SEPARATOR.get(language, "、").join(names.get(room, room) for room in blinded):
        gap = " " if language == "en" else ""
        line += gap + render(Text("fault.blinds", {"names": shown}), language)
    return line


def room_names(centre: Centre, language: str) -> Mapping[str, str]:
    return {room.id: pick(room.name, language) for room in centre.rooms}


def duration(seconds: float, language: str) -> str:
    """About how long, in one unit.

    >>> duration(90, "en"), duration(5400, "zh-CN"), duration(200_000, "en")
    ('90 s', '90 分钟', '2 days')
    """
    unit = next(name for name, least in _SPANS if seconds >= least or name == "seconds")
    return render(Text(f"span.{unit}", {"count": round(seconds / _UNIT_S[unit])}), language)


def _grown(thing: Told, now_ms: int) -> Params:
    """Spans that go on growing while it lasts."""
    begun_ms = int(getattr(thing, "raised_ms", 0) or getattr(thing, "found_ms", now_ms))
    until_ms = now_ms if thing.cleared_ms is None else thing.cleared_ms
    more_s = max(until_ms - begun_ms, 0) // 1000
    return {
        name: value + more_s
        for name in _GROWING
        if isinstance(value := thing.evidence.get(name), int | float)
    }


def _last(link: str) -> str:
    """The folder of a serial port helps nobody to find it."""
    return link.rpartition("/")[2] if link.startswith("/") else link


def _code(thing: Told, part: Part) -> str:
    """Which of the sentences of a kind what is known allows."""
    code = f"fault.{thing.kind}{part}"
    if thing.kind is FaultKind.BATTERY_LOW and not part:
        level, days = (_number(thing.evidence.get(key, -1)) for key in ("level", "days_left"))
        if level < 0:
            return f"{code}.asks"
        return f"{code}.days" if days >= 0 else code
    return code


def _figures(params: Params, language: str) -> Params:
    """Figures as people read them: spans with their unit, channels and their values by name."""
    told: Params = {}
    channel = str(params.get("channel", ""))
    for name, value in params.items():
        if name.endswith("_s") and isinstance(value, int | float):
            told[name] = duration(value, language)
        elif name == "channel":
            told[name] = _word("channel", channel, language)
        elif name == "ports":
            told[name] = ", ".join(_last(one.strip()) for one in str(value).split(","))
        elif name == "value":
            told[name] = _value(channel, value, language)
        elif name in _CODES and has(code := f"{_CODES[name]}.{value}"):
            told[name] = render(Text(code), language)
        else:
            told[name] = _plain(value)
    return told


def _word(family: str, key: str, language: str) -> str:
    """``contact.di1`` is the part ``di1`` of a contact; ``people.count`` is a channel."""
    base, part = key, ""
    while base and not has(f"{family}.{base}"):
        base, _, last = base.rpartition(".")
        part = f"{last}.{part}" if part else last
    if not base:
        return key
    return f"{render(Text(f'{family}.{base}'), language)} {part}".strip()


def _value(channel: str, value: str | int | float, language: str) -> str | int:
    plain = _plain(value)
    for base in (channel, channel.rpartition(".")[0]):
        if has(code := f"value.{base}.{plain}"):
            return render(Text(code), language)
    return plain


def _plain(value: str | int | float) -> str | int:
    """Nobody reads the sixth digit of a voltage."""
    if not isinstance(value, float):
        return value
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _number(value: str | int | float) -> float:
    return -1 if isinstance(value, str) else value
