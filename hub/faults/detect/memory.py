"""All that is remembered of one device, for the rules to judge (``hub/faults/rules.py``).

Times are those of the detection: our clock as it would be had nobody ever set it, so a pause is
as long as it was. ``learnt`` is what survives a restart; the rest begins anew, since nobody knows
what was said while nobody listened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from device_drivers.channels import CHANNELS
from device_drivers.contract import Quality
from edge.reading import Reading
from hub.domain.centre import Device
from hub.domain.fault import FaultKind, Finding, Subject, SubjectKind
from hub.faults.detect.analog import Analog
from hub.faults.detect.battery import Battery
from hub.faults.detect.clock import OwnClock
from hub.faults.detect.hours import Hours
from hub.faults.detect.radio import Radio
from hub.faults.detect.rhythm import Rhythm
from hub.faults.detect.share import Share
from hub.faults.detect.sieve import Sieve
from hub.faults.kinds import ANALOG, BATTERY, RADIO

BLIPS = 50  # fit into a usual pause
MOST_CHANNELS = 64  # of one device; more are counted by nobody
Key = tuple[str, str]


class Learnt(msgspec.Struct, array_like=True, omit_defaults=True):
    """What is kept of one device. ``waited_ms``: listened to without ever hearing it."""

    heard: bool = False
    waited_ms: int = 0
    rhythm: list[int] = []
    open_rhythm: list[int] = []
    garbled: float = 0
    battery: Any = None
    radio: Any = None
    analog: dict[str, Any] = {}
    is_dead: bool = False


class Memory:
    """One device. ``down``: the links between it and us that are lost now."""

    __slots__ = (
        "analog",
        "bad",
        "battery",
        "clock",
        "deaf_ms",
        "device",
        "down",
        "error",
        "failed",
        "frames",
        "garbled_ms",
        "garbled_reasons",
        "heard_ms",
        "hours",
        "id",
        "is_dead",
        "is_known",
        "is_silent",
        "listening_ms",
        "lost_ms",
        "offline_ms",
        "open_ms",
        "open_rhythm",
        "pending",
        "radio",
        "rhythm",
        "sieve",
        "silent_after_ms",
        "spoilt",
        "subject",
        "waited_ms",
        "word_ms",
    )

    def __init__(self, device: Device, hours: Hours, now_ms: int, learnt: Learnt | None) -> None:
        learnt = learnt or Learnt()
        self.id = device.id
        self.device = device
        self.silent_after_ms = device.silent_after_ms
        self.subject = Subject(SubjectKind.DEVICE, device.id)
        self.hours = hours
        self.is_known = learnt.heard  # it spoke once, if not since this start
        self.waited_ms = learnt.waited_ms
        self.heard_ms: int | None = None  # its last live word, since this start
        self.word_ms = now_ms  # from here its silence counts: a word, readable or not, or our start
        self.listening_ms = now_ms  # its links are there since
        self.deaf_ms = 0  # how long we could not listen, as it was at ``word_ms``
        self.open_ms = hours.open_ms(now_ms)  # how long its room was open, as it was then
        self.down: set[str] = set()
        self.lost_ms = now_ms  # since when any of them is lost
        self.offline_ms: int | None = None  # its convention says that it is gone, since
        self.is_silent = False
        self.is_dead = learnt.is_dead  # silent with an empty battery, and no better one seen since
        self.sieve = Sieve()
        self.rhythm = Rhythm(learnt.rhythm)
        self.open_rhythm = Rhythm(learnt.open_rhythm)
        self.frames = Share(learnt.garbled)
        self.garbled_reasons: dict[str, float] = {}
        self.garbled_ms = now_ms - 60_000  # bytes were last thrown away
        self.clock = OwnClock()
        self.battery = Battery(learnt.battery)
        self.radio = Radio(learnt.radio)
        self.bad, self.error = Share(), Share()  # messages with values that cannot be, or errors
        self.spoilt: Reading | None = None  # the last that could not be
        self.failed: Reading | None = None  # the last error of its own
        self.analog: dict[Key, Analog] = {}
        self.pending: set[tuple[FaultKind, Key | None]] = set()  # rules to run
        for name, kept in learnt.analog.items():
            channel, _, part = name.partition("/")
            self.analog[channel, part] = Analog(channel, kept)

    def learnt(self, now_ms: int) -> Learnt:
        waited = 0 if self.is_known else now_ms - self.word_ms + self.waited_ms
        return Learnt(
            self.is_known,
            waited,
            self.rhythm.kept(),
            self.open_rhythm.kept(),
            round(self.frames.usual, 4),
            self.battery.kept(),
            self.radio.kept(),
            {"/".join(key): analog.kept() for key, analog in self.analog.items()},
            self.is_dead,
        )

    def spoke(self, now_ms: int, deaf_ms: int) -> None:
        """A live word. Its pause is learnt, unless we could not listen in between."""
        pause_ms = now_ms - self.word_ms - (deaf_ms - self.deaf_ms)
        is_whole = self.heard_ms is not None and self.listening_ms <= self.word_ms
        open_ms = self.hours.open_ms(now_ms)
        if is_whole:
            if self.is_silent:
                self.rhythm.broke()
            else:
                self.rhythm.learn(pause_ms)
            if self.hours.ever_closed and not self.is_silent:
                self.open_rhythm.learn(open_ms - self.open_ms)
        self.word(now_ms, deaf_ms, open_ms)
        self.heard_ms = now_ms
        if self.is_silent or not self.is_known or self.offline_ms is not None:
            self.is_known = True
            self.offline_ms = None
            self.pending.add((FaultKind.SILENT, None))

    def lose(self, link: str, now_ms: int) -> None:
        """A link between it and us is gone."""
        if not self.down:
            self.lost_ms = now_ms
        self.down.add(link)

    def regain(self, link: str, now_ms: int) -> None:
        """It is back. In a blip hardly a word was lost: its silence goes on as if nothing was."""
        was_lost = link in self.down
        self.down.discard(link)
        usual_ms = self.rhythm.usual_ms or 0
        if not was_lost or (now_ms - self.lost_ms) * BLIPS > usual_ms:
            self.listening_ms = now_ms

    def date(self, off_ms: int, now_ms: int) -> None:
        """It says what time it is, so far from ours."""
        if self.clock.take(off_ms, now_ms):
            self.pending.add((FaultKind.CLOCK_WRONG, None))

    def word(self, now_ms: int, deaf_ms: int, open_ms: int) -> None:
        """Something came from it, readable or not."""
        self.word_ms, self.deaf_ms, self.open_ms = now_ms, deaf_ms, open_ms

    def stand(self, finding: Finding, now_ms: int) -> None:
        """It was found before this start: the same words as ever end it."""
        kind = finding.kind
        if kind in (FaultKind.SILENT, FaultKind.BATTERY_DEAD):
            self.is_silent = self.is_known = True
            self.is_dead = kind is FaultKind.BATTERY_DEAD
        elif kind is FaultKind.GARBLED:
            self.frames.stand()
        elif kind is FaultKind.CLOCK_WRONG:
            self.clock.is_wrong = True
        elif kind is FaultKind.OUT_OF_RANGE:
            self.bad.stand()
        elif kind is FaultKind.DEVICE_ERROR:
            self.error.stand()
        else:
            analog = self.analog.get(self._key_of(finding.subject.channel))
            if analog is not None:
                analog.stand(kind, finding.evidence, now_ms)

    def _key_of(self, name: str) -> Key:
        if name in CHANNELS:
            return name, ""
        for channel in CHANNELS:  # channels have dots of their own, and so may parts
            if name.startswith(f"{channel}."):
                return channel, name[len(channel) + 1 :]
        return name, ""

    def part(self, key: Key) -> Subject:
        """One channel of it, as the subject of a finding."""
        channel, part = key
        name = f"{channel}.{part}" if part else channel
        return Subject(SubjectKind.DEVICE, self.id, name)


def take(memory: Memory, readings: Sequence[Reading], now_ms: int) -> None:
    """Remember one live message of it: what is worth a look, or nothing."""
    spoilt = failed = None
    for reading in readings:
        if reading.quality is Quality.GOOD:
            value = reading.value
            if isinstance(value, int | float):
                _measured(memory, reading.channel, reading.part, value, now_ms)
        elif reading.quality is Quality.BAD and reading.channel in CHANNELS:
            if reading.reason in OURS:
                spoilt = memory.spoilt = reading
            else:
                failed = memory.failed = reading
    if (spoilt or memory.bad.seen) and memory.bad.add(spoilt is not None):
        memory.pending.add((FaultKind.OUT_OF_RANGE, None))
    if (failed or memory.error.seen) and memory.error.add(failed is not None):
        memory.pending.add((FaultKind.DEVICE_ERROR, None))


def _measured(memory: Memory, channel: str, part: str, value: float, now_ms: int) -> None:
    if channel in ANALOG:
        key = channel, part
        analog = memory.analog.get(key)
        if analog is None:
            if len(memory.analog) >= MOST_CHANNELS:
                return
            analog = memory.analog[key] = Analog(channel, None)
        for kind in analog.take(value, now_ms, memory.open_ms):
            memory.pending.add((kind, key))
    elif channel in RADIO:
        if memory.radio.take(channel, value, now_ms):
            memory.pending.add((FaultKind.WEAK_LINK, None))
    elif channel in BATTERY and memory.battery.take(channel, value, now_ms):
        memory.pending.add((FaultKind.BATTERY_LOW, None))


OURS = frozenset({"implausible", "malformed"})
"""Reasons that we give ourselves; every other is the device's own."""
