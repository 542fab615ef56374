"""What each sensor of a room has shown so far: the facts the rules judge.

A witness remembers only what the truth table asks for: its last value, since when, when its device
last spoke, and the moments that matter (somebody last seen, door last opened, counter last moved).
It is fed readings in order and never looks at a clock. What concerns the whole room (somebody
passed a door, somebody stirred) it tells its ``Place``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from device_drivers.contract import Quality
from edge.reading import Reading
from hub.domain.series import Series
from hub.rooms.learning import LATE_MS, MOTION_HOLD_MS, Delay, Lag

NEVER_HEARD = "never_heard"


class Kind(StrEnum):
    """What a sensor can prove. ``occupancy`` does not say how it knows: it counts as motion."""

    RADAR = "radar"
    MOTION = "motion"
    DOOR = "door"
    COUNT = "count"


KIND_OF_CHANNEL = {
    "presence": Kind.RADAR,
    "motion": Kind.MOTION,
    "occupancy": Kind.MOTION,
    "contact": Kind.DOOR,
    "people.count": Kind.COUNT,
    "people.in": Kind.COUNT,
    "people.out": Kind.COUNT,
}


class Place(Protocol):
    """The room as its witnesses know it."""

    opened_ms: int | None

    def seen(self, at_ms: int) -> None:
        """A radar or a motion sensor sees somebody."""

    def stirred(self, at_ms: int) -> None:
        """A motion sensor sees somebody, and saw nobody before."""

    def stilled(self, at_ms: int) -> None:
        """A motion sensor sees nobody any more."""

    def opened(self, door: str, at_ms: int) -> None:
        """A contact opened."""

    def passed(self, at_ms: int) -> None:
        """A counter saw somebody pass."""

    def last_exit_ms(self, at_ms: int) -> int:
        """Until when somebody may have gone; the moment itself, where nothing would tell."""


@dataclass(slots=True)
class Line:
    """What stands between a device and us, shared by all its witnesses."""

    device: str
    proof_within_ms: int
    silent_after_ms: int
    heard_ms: int | None = None  # last live word of the device itself, since this start
    known_ms: int = 0  # its last word before this start, or since when we wait for the first one
    proof_from_ms: int = 0  # older words prove nothing: the line was dead in between
    lost: dict[str, str] = field(default_factory=dict)  # link or parent that is down, to its code
    offline: bool = False  # its convention says it is gone
    is_faulty: bool = False  # what it says now may be noise; it proves nothing
    witnesses: list[Witness] = field(default_factory=list)
    trusted_ms: int = field(init=False)  # how long a word of this device counts as proof

    def __post_init__(self) -> None:
        self.trusted_ms = min(self.proof_within_ms, self.silent_after_ms)

    @property
    def spoke_ms(self) -> int:
        """Its silence counts from then."""
        return self.known_ms if self.heard_ms is None else self.heard_ms

    @property
    def silent_ms(self) -> int:
        """From then on it is silent, if it says nothing."""
        return self.spoke_ms + self.silent_after_ms

    def is_fresh(self, at_ms: int) -> bool:
        """Did its last word still count at that moment?"""
        return not self.lost and self.is_recent(at_ms)

    def is_recent(self, at_ms: int) -> bool:
        """Would its last word still count, if what it came over was there?"""
        return (
            self.heard_ms is not None
            and not self.offline
            and self.heard_ms >= self.proof_from_ms
            and at_ms < self.heard_ms + self.trusted_ms
        )

    def hear(self, at_ms: int) -> None:
        """The device speaks. After a silence it may have missed something meanwhile."""
        if not self.is_fresh(at_ms):
            for witness in self.witnesses:
                witness.resume(at_ms)
        self.heard_ms = max(self.heard_ms or 0, at_ms)
        self.offline = False

    def lose(self, name: str, code: str) -> None:
        self.lost[name] = code

    def find_again(self, name: str, at_ms: int) -> None:
        """The link is back; what was said before it broke proves nothing any more."""
        if self.lost.pop(name, None) is not None:
            self.proof_from_ms = at_ms

    def forget(self, now_ms: int) -> None:
        """The clock was set: moments before and after can not be compared."""
        self.heard_ms, self.known_ms, self.proof_from_ms = None, now_ms, 0
        for witness in self.witnesses:
            witness.forget()


@dataclass(slots=True, eq=False)
class Witness:
    """One channel of one sensor, in one place."""

    line: Line
    kind: Kind
    place: Place
    at: str = ""  # the door it watches; "": the room itself
    zone: str | None = None
    value: int | None = None  # None: the device gave none
    is_good: bool = False
    reason: str = NEVER_HEARD
    is_live: bool = False  # heard since this start, not remembered by a broker or the store
    source: str = ""  # retained or queued, where the newest word was only remembered
    since_ms: int = 0  # the value began
    first_live_ms: int | None = None  # from here on we know what we missed nothing of

    def take(self, reading: Reading) -> bool:
        """Remember a reading; True if it says something else than was known.

        What is older than the running value teaches nothing.
        """
        at, is_live, was_live = reading.observed_ms, reading.is_live, self.is_live
        if was_live and not is_live:
            return self._miss(reading)
        if was_live and at < self.since_ms:
            return False
        said = reading.value
        value = int(said) if isinstance(said, int | float) else None
        is_good = reading.quality is Quality.GOOD and value is not None
        if is_live and is_good:
            if self.first_live_ms is None:
                self.first_live_ms = at
            elif not self.is_good or self.source:
                self.resume(at)
            self.note(self.value if was_live and self.is_good else None, value or 0, at)
        is_new = value != self.value or not self.since_ms
        if is_new:
            self.since_ms = at
        is_new |= is_good != self.is_good or is_live != was_live or bool(self.source)
        self.value, self.is_good, self.reason = value, is_good, reading.reason
        self.is_live = is_live
        self.source = "" if is_live else reading.time_source.value
        return is_new

    def recall(self, series: Series) -> None:
        """Its last value before the start."""
        self.value = int(series.value) if isinstance(series.value, int | float) else None
        self.is_good, self.reason = series.is_good, series.reason
        self.since_ms = series.until_ms

    def _miss(self, reading: Reading) -> bool:
        """It said something that was not heard when it was said: what it shows now is not known."""
        if reading.observed_ms <= self.since_ms or self.source:
            return False
        self.source = reading.time_source.value
        return True

    def note(self, was: int | None, value: int, at_ms: int) -> None:
        """Keep the moments of a good, live value. ``was`` is None if the one before is not sure."""
        raise NotImplementedError

    def resume(self, at_ms: int) -> None:
        """It speaks again after a time in which it, or we, may have missed something: assume so."""
        self.first_live_ms = at_ms

    def forget(self) -> None:
        """Keep the value to show, and no moment of it."""
        self.is_live = False
        self.since_ms, self.first_live_ms = 0, None


@dataclass(slots=True, eq=False)
class Eye(Witness):
    """A radar or a motion sensor: it sees somebody, or nobody."""

    began_ms: int | None = None  # this sight, or the last one, began; None: that is not known
    seen_ms: int | None = None  # it last said that it sees somebody
    ended_ms: int | None = None  # it last said that it sees nobody any more
    delay: Delay = field(default_factory=Delay)  # how late it says so
    tail_ms: int | None = None  # how long after a door opened the last sight ended
    lag: Lag = field(default_factory=Lag)  # of a radar: how long it may see who has left
    lost: bool = False  # a radar that stopped seeing somebody whom nothing let out

    def note(self, was: int | None, value: int, at_ms: int) -> None:
        if value:
            if not was:
                self._begin(was, at_ms)
            self.seen_ms = at_ms
            self.lost = False
            self.place.seen(at_ms)
        elif was:
            self.ended_ms = at_ms
            if self.kind is Kind.RADAR:
                self._lose(at_ms)
            elif self.began_ms is not None:
                self._end(self.began_ms, at_ms)

    def _begin(self, was: int | None, at_ms: int) -> None:
        self.began_ms = at_ms if was == 0 else None
        if was != 0:
            return
        if self.kind is Kind.RADAR:
            self._find_again(at_ms)
            return
        self.place.stirred(at_ms)
        if self.tail_ms and self.ended_ms and at_ms - self.ended_ms > MOTION_HOLD_MS:
            self.delay.learn(self.tail_ms)  # whoever opened the door then was the last one

    def _end(self, began_ms: int, at_ms: int) -> None:
        self.place.stilled(at_ms)
        self.delay.learn(at_ms - began_ms)
        opened_ms = self.place.opened_ms
        self.tail_ms = at_ms - opened_ms if opened_ms and opened_ms >= began_ms else None

    def _lose(self, at_ms: int) -> None:
        """It sees nobody any more. Whoever it saw has left, if he could.

        One radar of several bays may lose who walked to the next one.
        """
        self.tail_ms = None
        if self.zone is None and self.first_live_ms != at_ms:
            self.tail_ms = at_ms - self.place.last_exit_ms(at_ms)
            self.lost = self.tail_ms > self.lag.lag_ms

    def _find_again(self, at_ms: int) -> None:
        """Somebody came in: so it was right that nobody was there, however late it said so."""
        ended_ms = self.ended_ms or at_ms
        if self.tail_ms is not None and ended_ms < self.place.last_exit_ms(at_ms) < at_ms:
            self.lag.learn(self.tail_ms)

    def let_out(self, at_ms: int) -> None:
        """Somebody may have gone just now: the word of that may come later than the radar's."""
        if self.lost and self.ended_ms is not None and at_ms - self.ended_ms <= LATE_MS:
            self.lost, self.tail_ms = False, 0

    def resume(self, at_ms: int) -> None:
        Witness.resume(self, at_ms)
        self.began_ms = self.tail_ms = None
        if self.kind is Kind.RADAR:
            self.since_ms = at_ms

    def forget(self) -> None:
        Witness.forget(self)
        self.began_ms = self.seen_ms = self.ended_ms = self.tail_ms = None
        self.lost = False

    @property
    def last_ms(self) -> int | None:
        """Somebody was last there: a sensor that says "nobody" later than it was so is corrected
        by its own delay, once that is known."""
        if self.seen_ms is None or self.ended_ms is None:
            return self.seen_ms
        return max(self.seen_ms, self.ended_ms - self.delay.known_ms)

    def saw_after(self, moment_ms: int) -> bool:
        """Did it begin or go on to say that somebody is there, later than that?"""
        return bool(self.is_live and self.value) or (self.seen_ms or 0) > moment_ms

    def saw_since(self, moment_ms: int) -> bool:
        """Could it say that somebody was there then, or later?"""
        if self.is_live and self.value:
            return True
        return max(self.seen_ms or 0, self.ended_ms or 0, self.first_live_ms or 0) >= moment_ms


@dataclass(slots=True, eq=False)
class Contact(Witness):
    """A door that opens and shuts."""

    opened_ms: int | None = None  # the last opening we saw
    moved_ms: int | None = None  # it last moved, or may have

    def note(self, was: int | None, value: int, at_ms: int) -> None:
        if value == was:
            return
        # a value that was not known before may have changed just now: assume the worse
        self.moved_ms = at_ms
        if was is not None and value:
            self.opened_ms = at_ms
            self.place.opened(self.at, at_ms)

    def resume(self, at_ms: int) -> None:
        Witness.resume(self, at_ms)
        self.moved_ms = at_ms

    def forget(self) -> None:
        Witness.forget(self)
        self.opened_ms = self.moved_ms = None


LEAVE_AT_ONCE = 2
"""Two may leave side by side; a count that falls to zero from more was set to it."""


class Measure(StrEnum):
    """What a counter counts."""

    INSIDE = "inside"  # people inside now
    PASSED = "passed"  # people who went one way, ever growing


@dataclass(slots=True, eq=False)
class Counter(Witness):
    """One number of a people counter. ``sign``: what one more means for this room.

    The device's own number is only compared with itself. What counts is ``net``, how many more are
    inside than when the room was last proven empty, so a counter that was off stays useful.
    """

    sign: int = 1
    measure: Measure = Measure.INSIDE
    net: int = 0
    crossings: int = 0  # how often somebody passed since it was last proven right
    zeroed: bool = False  # proven right since this start, and heard without a gap
    passed_ms: int = 0  # somebody last passed

    @property
    def has_base(self) -> bool:
        """Does its net say how many are inside, and not only how many more than at the start?"""
        return self.zeroed or (self.measure is Measure.INSIDE and self.sign > 0)

    def note(self, was: int | None, value: int, at_ms: int) -> None:
        if was is None:
            if self.measure is Measure.INSIDE and self.sign > 0 and not self.crossings:
                self.net = value
            return
        step = value - was
        if not step:
            return
        if self._began_anew(was, value):
            self.zeroed = False
            step = value if self.measure is Measure.PASSED else step
        self.net += self.sign * step
        self.crossings += abs(step)
        self.passed_ms = at_ms
        self.place.passed(at_ms)

    def _began_anew(self, was: int, value: int) -> bool:
        """Was the device restarted? A total never shrinks, and no crowd leaves in one step."""
        if self.measure is Measure.PASSED:
            return value < was
        return value == 0 and was > LEAVE_AT_ONCE

    def resume(self, at_ms: int) -> None:
        Witness.resume(self, at_ms)
        self.zeroed, self.crossings = False, 0

    def forget(self) -> None:
        Witness.forget(self)
        self.zeroed, self.crossings = False, 0
        self.passed_ms = 0

    def zero(self) -> None:
        """The room is proven empty."""
        self.net, self.crossings, self.zeroed = 0, 0, True
