"""What ``linli explain`` prints: one moment of a room, or a time with another configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.domain.centre import Centre, pick
from hub.domain.room import Status, Text
from hub.rooms.explained import Evidence, Explained
from hub.rooms.trial import Trial
from hub.texts import render

MOST_STRETCHES = 40  # of each room; all are in the JSON
MINUTE_MS = 60_000


class Words:
    """Sentences of one language, with the centre's times."""

    def __init__(self, centre: Centre, language: str) -> None:
        self._zone = ZoneInfo(centre.timezone)
        self._names = {room.id: pick(room.name, language) for room in centre.rooms}
        self._language = language

    def say(self, code: str, **params: str | int | float) -> str:
        return self.text(Text(code, params))

    def text(self, text: Text) -> str:
        return render(text, self._language, self._zone.key)

    def status(self, status: Status) -> str:
        return self.say(f"status.{status.value}")

    def room(self, room: str) -> str:
        return self._names.get(room, room)

    def day(self, at_ms: int) -> str:
        return f"{self._local(at_ms):%Y-%m-%d %H:%M:%S}"

    def clock(self, at_ms: int | None) -> str:
        return f"{self._local(at_ms):%H:%M:%S}" if at_ms else self.say("explain.never")

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self._zone)


def lines(found: Explained, centre: Centre, language: str) -> Iterator[str]:
    """One moment of a room."""
    words = Words(centre, language)
    yield f"{words.room(found.room)}, {words.day(found.at_ms)}"
    if found.said is None:
        yield words.say("explain.nobody_watched")
        return
    state = found.state
    if state is None:
        yield words.say("explain.unkept", status=words.status(found.said.status))
        return
    since = words.day(state.since_ms)
    yield words.say("explain.state", status=words.status(state.status), since=since)
    yield from (f"  {words.text(reason)}" for reason in state.reasons)
    if not found.agrees:
        yield words.say("explain.differs", status=words.status(found.said.status))
    if found.evidence:
        yield words.say("explain.evidence")
        yield from (f"  {_evidence(item, words)}" for item in found.evidence)
    for item in found.overrides:
        code = "explain.override" if item.people is None else "explain.look"
        people, until = item.people or 0, words.day(item.until_ms)
        yield words.say(code, author=item.author, people=people, why=item.reason, until=until)


def _evidence(item: Evidence, words: Words) -> str:
    channel = f"{item.channel}.{item.part}" if item.part else item.channel
    said = words.say(
        "explain.channel",
        name=f"{item.device} {channel}",
        value="-" if item.value is None else item.value,
        since=words.clock(item.since_ms),
        heard=words.clock(item.heard_ms),
    )
    return said if not item.trouble else f"{said}; {words.say(f'explain.trouble.{item.trouble}')}"


def table(found: Mapping[str, Trial], centre: Centre, language: str) -> Iterator[str]:
    """Every room with its shares, then where they differ."""
    words = Words(centre, language)
    yield words.say("explain.heading")
    for room, trial in found.items():
        yield from _shares(words.room(room), trial, words)
    for room, trial in found.items():
        if trial.differs:
            yield ""
            yield words.room(room)
            yield from (
                f"  {words.day(item.from_ms)} - {words.clock(item.to_ms)}"
                f"  {words.status(item.old)} > {words.status(item.new)}"
                for item in trial.differs[:MOST_STRETCHES]
            )
            if (rest := len(trial.differs) - MOST_STRETCHES) > 0:
                yield "  " + words.say("explain.more", count=rest)
    if any(trial.unkept_ms for trial in found.values()):
        most = max(trial.unkept_ms for trial in found.values())
        yield words.say("explain.unkept_time", minutes=most // MINUTE_MS)


def _shares(name: str, trial: Trial, words: Words) -> Iterator[str]:
    whole = sum(trial.old_ms.values())
    for status in Status:
        old, new = trial.old_ms.get(status, 0), trial.new_ms.get(status, 0)
        if old or new:
            was, now = (f"{100 * part / whole:6.2f} %" for part in (old, new))
            yield f"{was}  {now}  {name}: {words.status(status)}"
