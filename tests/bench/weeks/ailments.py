"""What goes wrong inside one device, from its beginning to its repair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from simulator.faults import Fault
from simulator.mqtt_device import MqttDevice, ZigbeeDevice
from simulator.serial_devices import SerialDevice
from simulator.wires import ld2410
from tests.bench.weeks.calendar import DAY_MS
from tests.bench.weeks.games import Faults
from tests.bench.weeks.place import TASMOTA
from tests.bench.weeks.sensors import Ailment, Counter, Said, Wire

Mend = Callable[[int], None]
At = Callable[[int, Callable[[], None]], None]


@dataclass
class Patient:
    """One device that falls ill. ``at`` plans what happens later; ``plan`` its next tick."""

    item: MqttDevice | SerialDevice
    wire: Wire
    interval_ms: int
    random: Random
    faults: Faults
    now: Callable[[], int]
    at: At
    plan: Callable[[], None]

    def catch(self, ailment: Ailment) -> Mend:
        """Have it until the repair."""
        self.wire.ailments.append(ailment)
        return lambda _: self.wire.ailments.remove(ailment)

    def speak(self) -> None:
        if isinstance(self.item, MqttDevice):
            self.item.report(self.now())
            self.plan()


class Mute(Ailment):
    def carry(self, payloads: list[bytes], now_ms: int) -> list[bytes]:
        return []


class Garble(Ailment):
    """Some of what is sent arrives cut or with wrong bytes."""

    def __init__(self, share: float, random: Random) -> None:
        self._share = share
        self._random = random

    def carry(self, payloads: list[bytes], now_ms: int) -> list[bytes]:
        return [self._damaged(p) if self._random.random() < self._share else p for p in payloads]

    def _damaged(self, payload: bytes) -> bytes:
        if len(payload) < 3:
            return b""
        at = self._random.randrange(1, len(payload) - 1)
        if payload.startswith(b"{"):
            return payload[:at]
        return payload[:at] + bytes([payload[at] ^ 0x5A]) * 2


class Shift(Ailment):
    """What it measures is off by so much."""

    is_inside = True

    def __init__(self, name: str, by: Callable[[int], float]) -> None:
        self._name = name
        self._by = by

    def bend(self, said: Said, now_ms: int) -> Said:
        value = said.get(self._name)
        if not isinstance(value, int | float):
            return said
        return said | {self._name: round(value + self._by(now_ms), 1)}


class Impossible(Ailment):
    """Values that cannot be, in some messages."""

    is_inside = True
    VALUES = {"temperature": (127.0, -55.0, 850.0), "humidity": (140.0, 655.0)}  # noqa: RUF012

    def __init__(self, random: Random, share: float, once: Callable[[], None] | None = None):
        self._random = random
        self._share = share
        self._once = once

    def bend(self, said: Said, now_ms: int) -> Said:
        if self._random.random() >= self._share:
            return said
        if self._once is not None:
            self._once()
        name = self._random.choice([n for n in self.VALUES if n in said] or ["humidity"])
        return said | {name: self._random.choice(self.VALUES[name])}


class Calibrating(Ailment):
    """A radar that says of some reports that they are none."""

    def __init__(self, random: Random, share: float) -> None:
        self._random = random
        self._share = share

    def carry(self, payloads: list[bytes], now_ms: int) -> list[bytes]:
        none = ld2410.report(ld2410.Target.CALIBRATING)
        return [none if self._random.random() < self._share else p for p in payloads]


class Twin(Ailment):
    """Another device speaks under the same name; ``speaks`` while it does."""

    def __init__(self, random: Random) -> None:
        self.speaks = False
        self._by = random.choice((-1, 1)) * random.uniform(2.5, 6)
        self._battery = random.randint(20, 100)
        self._quality = random.randint(20, 220)

    def bend(self, said: Said, now_ms: int) -> Said:
        if not self.speaks:
            return said
        other: Said = {"battery": self._battery, "linkquality": self._quality}
        temperature = said.get("temperature")
        if isinstance(temperature, int | float):
            other["temperature"] = round(temperature + self._by, 1)
        if "contact" in said:
            other["contact"] = not said["contact"]
        return said | other


class Opened(Ailment):
    def bend(self, said: Said, now_ms: int) -> Said:
        return said | {"tamper": True}


class WrongClock(Ailment):
    """``Time`` of a device that keeps its own."""

    def __init__(self, off: timedelta) -> None:
        self._off = off

    def bend(self, said: Said, now_ms: int) -> Said:
        told = said.get("Time")
        if not isinstance(told, str):
            return said
        return said | {"Time": f"{datetime.fromisoformat(told) + self._off:%Y-%m-%dT%H:%M:%S}"}


# -- how each begins ---------------------------------------------------------------------------


def silence(patient: Patient) -> Mend:
    """A Wi-Fi device is missed by the broker, which sends its last will."""
    mend, item = patient.catch(Mute()), patient.item
    if patient.wire.thing.kind not in TASMOTA or not isinstance(item, MqttDevice):
        return mend
    wakes: list[bool] = []

    def last_will() -> None:
        if not wakes:
            patient.wire.publish(item.online(False))

    def wake(now_ms: int) -> None:
        wakes.append(True)
        mend(now_ms)
        item.announce()

    patient.at(patient.now() + 15_000 + patient.random.randrange(45_000), last_will)
    return wake


def garble(patient: Patient) -> Mend:
    return patient.catch(Garble(patient.random.uniform(*patient.faults.garbled), patient.random))


def weaken(patient: Patient) -> Mend:
    radio, random = patient.wire.radio, patient.random
    well = radio.loses
    radio.factor = random.uniform(*patient.faults.weak_factor)
    radio.loses = random.uniform(*patient.faults.weak_loses)

    def mend(_: int) -> None:
        radio.factor, radio.loses = 1.0, well

    return mend


def break_down(fault: Fault) -> Callable[[Patient], Mend]:
    """One of the simulator's own."""

    def begin(patient: Patient) -> Mend:
        patient.item.break_down(fault, patient.now())
        patient.plan()

        def mend(now_ms: int) -> None:
            patient.item.repair(now_ms)
            patient.plan()

        return mend

    return begin


def impossible(patient: Patient) -> Mend:
    share = patient.random.uniform(*patient.faults.impossible)
    return patient.catch(Impossible(patient.random, share))


def fail(patient: Patient) -> Mend:
    """A radar that measures its background again and again."""
    return patient.catch(
        Calibrating(patient.random, patient.random.uniform(*patient.faults.errors))
    )


def flap(patient: Patient) -> Mend:
    """A loose contact; how loose differs."""
    assert isinstance(patient.item, ZigbeeDevice)
    patient.item.flaps_s = 1, round(patient.random.uniform(*patient.faults.flaps_s))
    return break_down(Fault.FLAPPING)(patient)


def jump(patient: Patient) -> Mend:
    by = patient.random.choice((-1, 1)) * patient.random.uniform(*patient.faults.jump)
    mend = patient.catch(Shift("temperature", lambda _: by))
    patient.speak()
    return mend


def drift(patient: Patient) -> Mend:
    a_day = patient.random.choice((-1, 1)) * patient.random.uniform(*patient.faults.drift)
    begun_ms = patient.now()
    return patient.catch(Shift("temperature", lambda at: a_day * (at - begun_ms) / DAY_MS))


def shake(patient: Patient) -> Mend:
    sigma, random = patient.random.uniform(*patient.faults.noise), patient.random
    return patient.catch(Shift("temperature", lambda _: random.gauss(0, sigma)))


def double(patient: Patient) -> Mend:
    """The other one has the same rhythm, at its own times."""
    twin = Twin(patient.random)
    mend = patient.catch(twin)
    over: list[bool] = []

    def speak() -> None:
        if over:
            return
        twin.speaks = True
        patient.speak()
        twin.speaks = False
        pause_ms = round(patient.interval_ms * patient.random.uniform(0.3, 1.1))
        patient.at(patient.now() + pause_ms, speak)

    patient.at(patient.now() + 1, speak)

    def end(now_ms: int) -> None:
        over.append(True)
        mend(now_ms)

    return end


def tamper(patient: Patient) -> Mend:
    mend = patient.catch(Opened())
    patient.speak()

    def shut(now_ms: int) -> None:
        mend(now_ms)
        patient.speak()

    return shut


def misdate(patient: Patient) -> Mend:
    hours = patient.random.choice((-1, 1)) * patient.random.uniform(*patient.faults.clock_h)
    return patient.catch(WrongClock(timedelta(hours=hours)))


def miscount(patient: Patient) -> Mend:
    counter = patient.item
    assert isinstance(counter, Counter)
    counter.misses_out = patient.random.uniform(*patient.faults.misses_out)

    def mend(now_ms: int) -> None:
        counter.misses_out = 0.0
        counter.repair(now_ms)

    return mend


def drain(patient: Patient, days: float) -> Mend:
    """Its battery falls faster, is empty after so many days, and is replaced at the repair."""
    wire, battery = patient.wire, patient.wire.battery
    well = battery.per_day
    battery.pass_time(patient.now())
    battery.per_day = (1 - battery.used) / days
    mute = Mute()
    patient.at(patient.now() + round(days * DAY_MS), lambda: wire.ailments.append(mute))

    def mend(now_ms: int) -> None:
        wire.ailments.remove(mute)
        battery.used, battery.per_day, battery.at_ms = 0.02, well, now_ms
        patient.speak()

    return mend
