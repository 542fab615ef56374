"""The live state: what every sensor says now, and what of it is a change worth keeping.

    Report > apply > Change...

``apply`` is the hottest function of the hub: most readings repeat what is known, and then only
``until_ms``, ``count`` and ``live_ms`` of the series move, in memory. It answers a ``Change`` where
value, unit, quality or reason differ. Five things are less obvious:

1. Silence is a gap. When a device speaks again after more than its ``silent_after``, or for the
   first time since the hub started, each of its series begins a new step even with the same value,
   and the step before keeps the end it had. The gap is then in the record.
2. A queued reading older than what is known, or one with a device time before the running step's
   own device time, is history: a ``Change`` that ``is_late``, and the live state stays.
3. Lateness compares like with like. A live reading stamped by the hub is never late, even when
   the hub's clock was set back: what is heard now is what holds now.
4. Personal channels never enter; the intake counts and drops them, and this is the second lock.
5. A retained reading is the broker's memory. Equal to what is known it changes nothing, not even
   coverage; older than what is known it is dropped, or each reconnection would store it again.
"""

from __future__ import annotations

from collections.abc import Container

import msgspec

from device_drivers.channels import is_personal
from device_drivers.contract import Quality, Value
from edge.reading import REMEMBERED, Reading, Report, TimeSource
from hub.domain.series import Series, SeriesKey
from hub.store.mending import Mending
from hub.store.rollup import Rollups

DEFAULT_SILENT_AFTER_MS = 600_000  # the contract's for a device on mains
MAX_SERIES = 200  # channels and parts of one device; one that invents names must not fill us
NEVER_MS = -(2**62)
LATE_TIES = 1_000_000 // 2  # a mirror adds the tie as nanoseconds: it must stay below a millisecond

HUB_STAMPED = (TimeSource.HUB, TimeSource.UNSYNCED)


class Change(msgspec.Struct, frozen=True, gc=False):
    """A new step of a series. ``intake`` is unique and grows, also over restarts."""

    number: int
    key: SeriesKey
    value: Value
    unit: str
    quality: Quality
    reason: str
    observed_ms: int
    received_ms: int
    time_source: TimeSource
    intake: int
    previous_until_ms: int | None = None  # when the step before was last confirmed
    is_late: bool = False
    after_gap: bool = False  # the device, or the hub, was silent before this step
    tie: int = 0  # the order of changes that were observed in the same millisecond


class Voice:
    """What one device said last, whatever the channel."""

    __slots__ = ("resumed_ms", "series", "spoke_ms")

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        self.spoke_ms = NEVER_MS
        self.resumed_ms = NEVER_MS  # it spoke again then, after a silence


class LiveState:
    """``silent_after`` is filled by whoever knows the configuration; unknown devices get 10 min."""

    def __init__(self) -> None:
        self.series: dict[SeriesKey, Series] = {}
        self.by_device: dict[str, list[Series]] = {}
        self.heard: dict[str, int] = {}
        self.silent_after: dict[str, int] = {}
        self.rollups = Rollups()
        self.mending = Mending()
        self.next_intake = 1
        self.next_number = 1
        self.rewound_ms = NEVER_MS
        """Time up to here was lived before: set back, or known at the start. Ties must differ."""
        self.refused = 0  # readings beyond MAX_SERIES, or personal ones that should not come here
        self._voices: dict[str, Voice] = {}
        self._tied_ms = NEVER_MS  # when the last change was observed, and its tie
        self._ties = 0

    def apply(self, report: Report) -> tuple[Change, ...]:
        """Take in one message; answer what it changed, in the order of its readings."""
        device = report.device
        voice = self._voices.get(device) or self._meet(device)
        if report.is_live:
            self.heard[device] = report.received_ms
        readings = report.readings
        if readings and readings[0].time_source is not TimeSource.RETAINED:
            self._hear(device, voice, readings[0])
        changes: list[Change] | None = None
        for reading in readings:
            series = voice.series.get((reading.channel, reading.part))
            if (
                series is not None
                and reading.value == series.value
                and reading.quality is series.quality
                and reading.unit == series.unit
                and reading.reason == series.reason
                and _absorb(voice, series, reading)
            ):
                continue
            change = self._change(voice, series, reading)
            if change is not None:
                changes = changes or []
                changes.append(change)
        return tuple(changes) if changes else ()

    def number_of(self, key: SeriesKey) -> Series:
        """The series of a key, made where there is none."""
        series = self.series.get(key)
        if series is None:
            series = self.restore(key, self.next_number)
        return series

    def restore(self, key: SeriesKey, number: int) -> Series:
        """Put a series back, or a new one in, under its number."""
        series = Series(key, number)
        self.series[key] = series
        self.by_device.setdefault(key.device, []).append(series)
        voice = self._voices.get(key.device) or self._meet(key.device)
        voice.series[(key.channel, key.part)] = series
        self.next_number = max(self.next_number, number + 1)
        return series

    def cover_all(self) -> None:
        """Let the roll-ups count every running step as long as it holds."""
        for series in self.series.values():
            if series.intake:
                self.rollups.cover(series.number, self.held_ms(series))

    def spoke_ms(self, device: str) -> int:
        """When the device last spoke, since this start, queued readings included."""
        voice = self._voices.get(device)
        return NEVER_MS if voice is None else voice.spoke_ms

    def newest_ms(self) -> int:
        """The latest time in it; nothing new may come to lie before it at a start."""
        times = [max(series.until_ms, series.received_ms) for series in self.series.values()]
        return max([*times, *self.heard.values()], default=0)

    def move(self, base_ms: int, shift_ms: int, now_ms: int) -> None:
        """The time is known: what our clock said from ``base_ms`` on was wrong by the shift.

        All hours where those times were and where they are must be found anew, up to now: what ran
        on from there was counted as well.
        """

        def moved(at_ms: int) -> int:
            return at_ms + shift_ms if at_ms >= base_ms else at_ms

        for series in self.series.values():
            self.mending.mark(series.number, base_ms, now_ms - shift_ms)
            self.mending.mark(series.number, base_ms + shift_ms, now_ms)
            is_ours = series.time_source in HUB_STAMPED or series.observed_ms == series.received_ms
            series.until_ms = moved(series.until_ms)
            if is_ours:
                series.observed_ms = moved(series.observed_ms)
            series.until_ms = max(series.until_ms, series.observed_ms)
            series.held_ms = max(moved(series.held_ms), series.until_ms)
            series.received_ms = moved(series.received_ms)
            series.live_ms = None if series.live_ms is None else moved(series.live_ms)
        for voice in self._voices.values():
            voice.spoke_ms, voice.resumed_ms = moved(voice.spoke_ms), moved(voice.resumed_ms)
        self.rewound_ms = moved(self.rewound_ms)
        self.heard.update({device: moved(at_ms) for device, at_ms in self.heard.items()})
        self.rollups.move(base_ms, shift_ms)

    def count_anew(self, numbers: Container[int], from_ms: int, to_ms: int) -> None:
        """The hours of these series in that time are not known any more."""
        for series in self.series.values():
            if series.number in numbers:
                self.mending.mark(series.number, from_ms, to_ms)

    def silence_ms(self, device: str) -> int:
        """How long a device may say nothing and still hold what it said."""
        return self.silent_after.get(device, DEFAULT_SILENT_AFTER_MS)

    def held_ms(self, series: Series) -> int:
        """Until when a running step holds: its device may have spoken of other things."""
        voice, until = self._voices[series.key.device], max(series.until_ms, series.held_ms)
        if series.restored or series.until_ms < voice.resumed_ms:
            return until
        return max(until, voice.spoke_ms)

    def counted_ms(self, series: Series) -> int:
        """How far the roll-ups may have counted what runs, or what ran before a silence."""
        sums = self.rollups.sums.get(series.number)
        if sums is None or sums.since_ms is None:
            return max(series.until_ms, series.held_ms)
        return sums.since_ms

    def _meet(self, device: str) -> Voice:
        voice = self._voices[device] = Voice()
        return voice

    def _hear(self, device: str, voice: Voice, reading: Reading) -> None:
        observed, spoke = reading.observed_ms, voice.spoke_ms
        if observed >= spoke:
            if observed - spoke > self.silent_after.get(device, DEFAULT_SILENT_AFTER_MS):
                for series in voice.series.values():
                    if series.until_ms < observed:  # or it was retained, and runs on
                        series.held_ms = self.held_ms(series)
                        self.rollups.pause(series.number, series.held_ms)
                voice.resumed_ms = observed
            voice.spoke_ms = observed
        elif reading.time_source in HUB_STAMPED:  # the hub's clock was set back
            for series in voice.series.values():
                series.held_ms = self.held_ms(series)  # it was counted, and is true
                if series.until_ms < voice.resumed_ms:
                    series.restored = True  # what it said ended in a silence that lies ahead now
            voice.spoke_ms = observed
            voice.resumed_ms = min(voice.resumed_ms, observed)

    def _change(self, voice: Voice, series: Series | None, reading: Reading) -> Change | None:
        if series is None:
            if is_personal(reading.channel) or len(voice.series) >= MAX_SERIES:
                self.refused += 1
                return None
            series = self.number_of(SeriesKey(reading.device, reading.channel, reading.part))
        is_late = series.intake > 0 and _is_late(series, reading)
        if is_late and reading.time_source is TimeSource.RETAINED:
            return None
        known = series.intake > 0 and not is_late
        is_gap = known and self._is_behind_gap(voice, series, reading)
        change = Change(
            series.number,
            series.key,
            reading.value,
            reading.unit,
            reading.quality,
            reading.reason,
            reading.observed_ms,
            reading.received_ms,
            reading.time_source,
            self.next_intake,
            _end_of(series, reading) if known else None,
            is_late,
            is_gap,
            self._tie(series, reading, is_late),
        )
        self.next_intake += 1
        self.mending.note(change, self.counted_ms(series))
        if not is_late:
            if change.after_gap and change.previous_until_ms is not None:
                # a queued one from before its device spoke again; it did not hold up to here
                self.rollups.pause(series.number, change.previous_until_ms)
            self.begin(series, change)
            if reading.is_live:
                series.live_ms = reading.received_ms
        return change

    def order_at(self, at_ms: int) -> int:
        """How many changes of this millisecond came before now, as ties count them."""
        if at_ms <= self.rewound_ms:
            return LATE_TIES + self.next_intake % LATE_TIES
        return self._ties + 1 if at_ms == self._tied_ms else 0

    def _is_behind_gap(self, voice: Voice, series: Series, reading: Reading) -> bool:
        """Was the device, or the hub, silent before this reading?

        A retained one is not heard from the device, so nothing has ended the step by now.
        """
        if series.restored or series.until_ms < voice.resumed_ms:
            return True
        if reading.time_source is not TimeSource.RETAINED:
            return False
        held_ms = self.held_ms(series)
        is_gap = reading.observed_ms - held_ms > self.silence_ms(series.key.device)
        if is_gap:
            series.held_ms = held_ms
        return is_gap

    def note_rewind(self, series: Series, observed_ms: int) -> None:
        """Time was set back if what is new lies before what is running."""
        if series.intake and observed_ms < series.observed_ms:
            self.rewound_ms = max(self.rewound_ms, series.until_ms)

    def _tie(self, series: Series, reading: Reading, is_late: bool) -> int:
        """Changes of one millisecond are told apart, and kept in order, by their tie."""
        observed, known = reading.observed_ms, series.intake > 0
        if not is_late:
            self.note_rewind(series, observed)
        if is_late or observed <= self.rewound_ms:
            # nobody knows what else was observed then; never the tie of a live change
            return LATE_TIES + self.next_intake % LATE_TIES
        self._ties = self._ties + 1 if observed == self._tied_ms else 0
        self._tied_ms = observed
        if known and observed == series.observed_ms:
            self._ties = max(self._ties, series.tie + 1)
        return self._ties

    def begin(self, series: Series, change: Change) -> None:
        """The step of a change becomes the running one; also how a log is replayed."""
        series.value, series.unit = change.value, change.unit
        series.quality, series.reason = change.quality, change.reason
        series.observed_ms = series.until_ms = series.held_ms = change.observed_ms
        series.received_ms, series.time_source = change.received_ms, change.time_source
        series.intake, series.tie, series.count = change.intake, change.tie, 1
        series.live_ms, series.restored = None, False
        counted = change.value if change.quality is Quality.GOOD else None
        self.rollups.turn(series.number, change.observed_ms, counted)


def _absorb(voice: Voice, series: Series, reading: Reading) -> bool:
    """A reading that says what is known: extend the step, unless a gap lies between."""
    if reading.time_source is TimeSource.RETAINED:
        return True
    observed = reading.observed_ms
    if series.restored or series.until_ms < voice.resumed_ms:
        return False
    if observed > series.until_ms:
        series.until_ms = observed
    elif observed < series.observed_ms and _is_late(series, reading):
        return False
    series.count += 1
    if reading.time_source is not TimeSource.QUEUED:
        series.live_ms = reading.received_ms
    return True


def _is_late(series: Series, reading: Reading) -> bool:
    source = reading.time_source
    if source in REMEMBERED:
        return reading.observed_ms < series.until_ms
    return (
        source is TimeSource.DEVICE
        and series.time_source is TimeSource.DEVICE
        and reading.observed_ms < series.observed_ms
    )


def _end_of(series: Series, reading: Reading) -> int:
    """Where the step before ends: never after the next one began, unless a clock was set back."""
    until = max(series.until_ms, series.held_ms)
    if reading.observed_ms < series.observed_ms:
        return until
    return min(until, reading.observed_ms)
