"""What is wrong with a device? One small function a kind: what is remembered and now in, a verdict
out.

A verdict is its evidence, since when it is so, and when to look again if nothing is heard.
``evidence`` None says that it is not so. How much a kind matters and how long it must last is in
``kinds.py``; what people read is under ``fault.<kind>`` in the catalogues.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from device_drivers.channels import CHANNELS
from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.memory import Key, Memory
from hub.faults.kinds import HOUR, MINUTE

OFFLINE_FOR_MS = 5 * MINUTE  # its convention says that it is gone: it may join again at once
AFTER_LINK_MS = 10 * MINUTE  # when its link is back it speaks at its own time, if that is not known
STUCK_LOOKED_MS = HOUR
FIRST_WORD_MS = 12 * HOUR  # whoever mounts a sensor waits for its first word
OF_ITSELF_MS = 48 * HOUR  # what is silent for longer speaks only when people use it


class Verdict(NamedTuple):
    evidence: Params | None = None
    since_ms: int = 0
    due_ms: int | None = None


NOTHING = Verdict()
DeviceRule = Callable[[Memory, int, int], Verdict]
ChannelRule = Callable[[Memory, Key, int], Verdict]


def silence_due_ms(memory: Memory, now_ms: int, deaf_ms: int) -> int | None:
    """From when on its silence counts; None while its room's closed hours stop its clock."""
    extra_ms = deaf_ms - memory.deaf_ms
    ceiling_ms = memory.silent_after_ms
    limit_ms = memory.rhythm.limit_ms()
    if limit_ms is not None and limit_ms < ceiling_ms:
        due_ms = memory.word_ms + limit_ms + extra_ms
        return max(due_ms, memory.listening_ms + limit_ms)
    open_limit_ms = memory.open_rhythm.limit_ms()
    limit_ms = ceiling_ms if open_limit_ms is None else min(open_limit_ms, ceiling_ms)
    if memory.hours.is_closed:
        return None
    left_ms = limit_ms + extra_ms - (memory.hours.open_ms(now_ms) - memory.open_ms)
    return max(now_ms + left_ms, memory.listening_ms + min(AFTER_LINK_MS, ceiling_ms))


def _is_silent(memory: Memory, now_ms: int, deaf_ms: int) -> tuple[bool, int | None]:
    """Is it silent, and when to look again."""
    if memory.is_silent:
        return True, None
    if memory.down:
        return False, None
    due_ms = silence_due_ms(memory, now_ms, deaf_ms)
    if memory.offline_ms is not None:
        offline_due_ms = max(memory.offline_ms, memory.listening_ms) + OFFLINE_FOR_MS
        due_ms = offline_due_ms if due_ms is None else min(due_ms, offline_due_ms)
    return due_ms is not None and now_ms >= due_ms, due_ms


def silent(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """It speaks no more, against its own rhythm."""
    if not memory.is_known:
        return NOTHING
    is_silent, due_ms = _is_silent(memory, now_ms, deaf_ms)
    if not is_silent:
        memory.is_silent = False
        return Verdict(due_ms=due_ms)
    if not memory.is_silent:
        memory.is_silent = True
        memory.is_dead = memory.is_dead or memory.battery.was_poor
    if memory.is_dead:
        return NOTHING
    usual_ms = memory.rhythm.usual_ms or memory.silent_after_ms
    evidence: Params = {
        "usual_s": round(usual_ms / 1000),
        "silent_s": round((now_ms - memory.word_ms) / 1000),
    }
    return Verdict(evidence, memory.word_ms)


def never_heard(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """It is configured, and has not spoken yet."""
    if memory.is_known or memory.down:
        return NOTHING
    wait_ms = memory.silent_after_ms
    if wait_ms <= OF_ITSELF_MS:
        wait_ms = min(wait_ms, FIRST_WORD_MS)
    due_ms = memory.word_ms + wait_ms - memory.waited_ms + deaf_ms - memory.deaf_ms
    if now_ms < due_ms:
        return Verdict(due_ms=due_ms)
    waited_ms = now_ms - memory.word_ms + memory.waited_ms
    return Verdict({"waited_s": round(waited_ms / 1000)}, now_ms - waited_ms)


def battery_dead(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """It fell silent with an empty battery. It may come back for an hour: only a better battery,
    or one that asks for nothing any more, ends it."""
    if not memory.is_dead:
        return NOTHING
    if not memory.is_silent and not memory.battery.is_low:
        memory.is_dead = False
        return NOTHING
    silent_s = round((now_ms - memory.word_ms) / 1000)
    return Verdict({"level": _level(memory), "silent_s": silent_s}, memory.word_ms)


def battery_low(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """It asks for a battery, or will soon."""
    battery = memory.battery
    if not battery.is_low:
        return NOTHING
    evidence: Params = {"level": _level(memory), "days_left": battery.days_left}
    return Verdict(evidence, battery.since_ms or now_ms)


def _level(memory: Memory) -> int:
    return -1 if memory.battery.level is None else round(memory.battery.level)


def garbled(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """Much of what it sends cannot be read."""
    frames, reasons = memory.frames, memory.garbled_reasons
    if not frames.is_high or not reasons:
        return NOTHING
    reason = max(reasons, key=reasons.__getitem__)
    return Verdict({"share_pct": round(frames.level * 100), "reason": reason}, now_ms)


def weak_link(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """Its radio is heard badly, against its own usual."""
    radio = memory.radio
    if not radio.is_weak:
        return NOTHING
    return Verdict({"quality": round(radio.level), "usual": round(radio.usual)}, radio.since_ms)


def clock_wrong(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """The device's own clock."""
    clock = memory.clock
    if not clock.is_wrong or clock.off_ms is None:
        return NOTHING
    return Verdict({"off_s": round(clock.off_ms / 1000)}, clock.since_ms)


def out_of_range(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """Values that cannot be."""
    spoilt = memory.spoilt
    if not memory.bad.is_high or spoilt is None:
        return NOTHING
    row = CHANNELS[spoilt.channel]
    low, high = ("" if bound is None else bound for bound in (row.low, row.high))
    value = "" if spoilt.value is None else spoilt.value
    name = _named((spoilt.channel, spoilt.part))
    return Verdict({"channel": name, "value": value, "low": low, "high": high}, now_ms)


def device_error(memory: Memory, now_ms: int, deaf_ms: int) -> Verdict:
    """It reports an error of its own."""
    if not memory.error.is_high or memory.failed is None:
        return NOTHING
    return Verdict({"code": memory.failed.reason}, now_ms)


def stuck(memory: Memory, key: Key, now_ms: int) -> Verdict:
    """It goes on saying the same while its world moves."""
    analog = memory.analog.get(key)
    if analog is None or analog.value is None:
        return NOTHING
    rest = analog.rest
    rest.is_stuck = rest.is_stuck or rest.is_too_long(is_dark=analog.is_dark)
    if not rest.is_stuck:
        return Verdict(due_ms=now_ms + STUCK_LOOKED_MS)
    hours = round((now_ms - rest.since_ms) / HOUR)
    evidence: Params = {"channel": _named(key), "value": analog.value, "hours": hours}
    return Verdict(evidence, rest.since_ms)


def jump(memory: Memory, key: Key, now_ms: int) -> Verdict:
    """A step that its quantity cannot make, and that stays, or comes again and again."""
    analog = memory.analog.get(key)
    if analog is None or analog.jumped is None:
        return NOTHING
    found = analog.jumped
    evidence: Params = {
        "channel": _named(key),
        "from": found.was,
        "to": found.now,
        "seconds": round(found.pause_ms / 1000),
    }
    return Verdict(evidence, found.at_ms)


def noise(memory: Memory, key: Key, now_ms: int) -> Verdict:
    """It shakes more than it used to."""
    analog = memory.analog.get(key)
    if analog is None or not analog.is_noisy:
        return NOTHING
    return Verdict({"channel": _named(key), "times": analog.times}, analog.noisy_ms)


def drift(memory: Memory, key: Key, now_ms: int) -> Verdict:
    """It moves away from its neighbours."""
    analog = memory.analog.get(key)
    if analog is None or not analog.is_drifting:
        return NOTHING
    evidence: Params = {
        "channel": _named(key),
        "off": round(analog.far, 1),
        "neighbours": analog.neighbours,
    }
    return Verdict(evidence, now_ms)


def _named(key: Key) -> str:
    channel, part = key
    return f"{channel}.{part}" if part else channel


DEVICE_RULES: Mapping[FaultKind, DeviceRule] = MappingProxyType(
    {
        # silent decides whether an empty battery explains it
        FaultKind.SILENT: silent,
        FaultKind.BATTERY_DEAD: battery_dead,
        FaultKind.NEVER_HEARD: never_heard,
        FaultKind.GARBLED: garbled,
        FaultKind.BATTERY_LOW: battery_low,
        FaultKind.WEAK_LINK: weak_link,
        FaultKind.CLOCK_WRONG: clock_wrong,
        FaultKind.OUT_OF_RANGE: out_of_range,
        FaultKind.DEVICE_ERROR: device_error,
    }
)
CHANNEL_RULES: Mapping[FaultKind, ChannelRule] = MappingProxyType(
    {
        FaultKind.STUCK: stuck,
        FaultKind.JUMP: jump,
        FaultKind.NOISE: noise,
        FaultKind.DRIFT: drift,
    }
)
LOOKED_AT = (FaultKind.SILENT, FaultKind.BATTERY_DEAD, FaultKind.NEVER_HEARD)
"""Kinds that time alone may bring, besides stuck."""
