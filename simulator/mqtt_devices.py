"""Devices on MQTT: Zigbee sensors behind Zigbee2MQTT, and Tasmota plugs and switches.

Each reports on change and, as battery devices in the field do, again every few minutes, so that
"still shut" and "dead" can be told apart.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from simulator.centre import Device, implied
from simulator.faults import Fault
from simulator.habits import PERFECT, Imperfections
from simulator.mqtt_device import MqttDevice, Publish, ZigbeeDevice
from simulator.wires import tasmota
from simulator.wires.mqtt import Publication
from simulator.world import DAY, SECOND, DoorMoved, Entered, Fact, Moved, World

TELE_PERIOD = 300 * SECOND  # Tasmota's own default
CO2_OUTSIDE, CO2_PER_PERSON, CO2_CEILING = 430, 22, 1900


class DoorContact(ZigbeeDevice):
    """A reed contact. It watches a named door, or its room's only one."""

    def say(self, seen: bool) -> None:
        self.values["contact"] = not seen

    def look(self, now_ms: int) -> None:
        self.values["contact"] = not self.world.is_open(self._door)

    def notices(self, fact: Fact, now_ms: int) -> bool:
        if not isinstance(fact, DoorMoved) or fact.door != self._door:
            return False
        self.values["contact"] = not fact.is_open
        return True

    @property
    def _door(self) -> str:
        return self.device.door or implied(self.device.room or "")


class MotionSensor(ZigbeeDevice):
    """A PIR: true at the first movement, false when none was seen for its timeout.

    Several in one room share the people between them, as they would share the floor.
    """

    def __init__(
        self,
        device: Device,
        world: World,
        publish: Publish,
        seed: int,
        imperfections: Imperfections = PERFECT,
    ) -> None:
        self._last_ms = self._told_ms = 0
        self._clears_after_ms = imperfections.pir_clears_s * SECOND
        super().__init__(device, world, publish, seed, imperfections)
        siblings = [
            other.id
            for other in world.centre.devices
            if other.room == device.room and kind_of(other) is MotionSensor
        ] or [device.id]
        self._sees = siblings.index(device.id), len(siblings)
        self._blind_to: dict[int, bool] = {}  # who sits where it does not look

    def say(self, seen: bool) -> None:
        self.values["occupancy"] = seen

    def look(self, now_ms: int) -> None:
        self.values["occupancy"] = now_ms - self._last_ms < self._clears_after_ms and now_ms > 0

    @property
    def due_ms(self) -> int:
        if self.is_blind or not self.values["occupancy"]:
            return super().due_ms
        return min(super().due_ms, self._last_ms + self._clears_after_ms)

    def notices(self, fact: Fact, now_ms: int) -> bool:
        if not isinstance(fact, Moved) or fact.place != self.device.room:
            return False
        own, total = self._sees
        if fact.who >= 0 and fact.who % total != own:
            return False
        if self._overlooks(fact):
            return False
        self._last_ms = now_ms
        was, self.values["occupancy"] = self.values["occupancy"], True
        return not was or now_ms - self._told_ms >= self._clears_after_ms

    def _overlooks(self, fact: Moved) -> bool:
        """Whoever walks is seen; of who sits, that depends on the seat and on the movement."""
        sensor = self.imperfections
        if not fact.is_small:
            self._blind_to[fact.who] = self.random.random() < sensor.pir_blind
            return False
        return self._blind_to.get(fact.who, False) or self.random.random() < sensor.pir_misses

    def report(self, now_ms: int) -> None:
        self._told_ms = now_ms
        super().report(now_ms)
        if self.values["occupancy"] is True and not self.is_blind:
            self._next_report_ms = now_ms + DAY  # it repeats "motion" on motion, not by the clock

    def passes_time(self, now_ms: int) -> bool:
        was = self.values["occupancy"]
        self.look(now_ms)
        return was != self.values["occupancy"]


class PeopleCounter(ZigbeeDevice):
    """Counts who is in the room by who passes its doors, or one of them where it names one."""

    def __init__(
        self,
        device: Device,
        world: World,
        publish: Publish,
        seed: int,
        imperfections: Imperfections = PERFECT,
    ) -> None:
        self._balance = 0 if device.door else world.people_in(device.room or "")
        self._passed_ms = -DAY
        super().__init__(device, world, publish, seed, imperfections)

    def say(self, seen: bool) -> None:
        self.values["people"] = int(seen)

    def look(self, now_ms: int) -> None:
        self.values |= {"people": self._balance, "status": "idle"}

    def repair(self, now_ms: int) -> None:
        starts_at_0 = self.device.door is not None or self.imperfections.counter_forgets
        self._balance = 0 if starts_at_0 else self.world.people_in(self.device.room or "")
        super().repair(now_ms)

    def notices(self, fact: Fact, now_ms: int) -> bool:
        if not isinstance(fact, Entered) or self.device.room not in (fact.place, fact.left):
            return False
        if self.device.door not in (None, fact.door):
            return False
        is_in = fact.place == self.device.room
        times = self._times_counted(now_ms)
        self._balance = max(self._balance + (times if is_in else -times), 0)
        self.look(now_ms)
        self.values["status"] = "in" if is_in else "out"
        return times > 0

    def _times_counted(self, now_ms: int) -> int:
        sensor = self.imperfections
        apart_ms, self._passed_ms = now_ms - self._passed_ms, now_ms
        drawn = self.random.random()
        if apart_ms < sensor.counter_merges_ms or drawn < sensor.counter_misses:
            return 0
        return 2 if drawn > 1 - sensor.counter_doubles else 1


class ClimateSensor(ZigbeeDevice):
    """Temperature and humidity, which follow the number of people slowly."""

    def look(self, now_ms: int) -> None:
        people = self.world.people_in(self.device.room or "")
        warmth = 21.0 + min(people, 40) * 0.06 + self.random.uniform(-0.2, 0.2)
        self.values |= {
            "temperature": round(warmth, 1),
            "humidity": round(47 + min(people, 40) * 0.25 + self.random.uniform(-1, 1), 1),
        }

    def messages(self, now_ms: int) -> tuple[Publication, ...]:
        if self.fault is not Fault.STUCK:
            self.look(now_ms)
        return super().messages(now_ms)


class AirSensor(ClimateSensor):
    """The same with CO2, which tells of a full room what no thermometer does."""

    def look(self, now_ms: int) -> None:
        super().look(now_ms)
        aim = CO2_OUTSIDE + CO2_PER_PERSON * self.world.people_in(self.device.room or "")
        was = self.values.get("co2", CO2_OUTSIDE + 60)
        level = int(was) + (min(aim, CO2_CEILING) - int(was)) // 3
        self.values["co2"] = level + self.random.randint(-8, 8)


class TasmotaDevice(MqttDevice):
    """A Wi-Fi module on mains: a door switch where it has a door, else a metered plug."""

    def __init__(
        self,
        device: Device,
        world: World,
        publish: Publish,
        seed: int,
        imperfections: Imperfections = PERFECT,
    ) -> None:
        super().__init__(device, world, publish, seed, imperfections)
        self._zone = ZoneInfo(world.centre.timezone)
        self._booted_ms = 0
        self._power = True
        self._wifi = self.random.randint(48, 92)
        self._readings: tasmota.Reading = {}
        self.look(0)

    def start(self, now_ms: int) -> None:
        super().start(now_ms)
        self._booted_ms = now_ms

    def look(self, now_ms: int) -> None:
        if self.device.door is None:
            degrees = round(self.random.uniform(3.2, 5.4), 1)
            self._readings = {"DS18B20": {"Id": "01131B123456", "Temperature": degrees}}
            self._readings["TempUnit"] = "C"
        else:
            self._readings = {"Switch1": "ON" if self.world.is_open(self.device.door) else "OFF"}

    def notices(self, fact: Fact, now_ms: int) -> bool:
        if not isinstance(fact, DoorMoved) or fact.door != self.device.door:
            return False
        self.look(now_ms)
        return True

    def pause_ms(self) -> int:
        return TELE_PERIOD

    def online(self, online: bool) -> Publication:
        return tasmota.will(self.topic, online)

    def messages(self, now_ms: int) -> tuple[Publication, ...]:
        at = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(self._zone)
        if self.device.door is None and self.fault is not Fault.STUCK:
            self.look(now_ms)
        up = timedelta(milliseconds=now_ms - self._booted_ms)
        power = None if self.device.door else self._power
        return (
            tasmota.state(self.topic, at, up, power, self._wifi),
            tasmota.sensor(self.topic, at, self._readings),
        )


WORDS: tuple[tuple[tuple[str, ...], type[ZigbeeDevice]], ...] = (
    (("door", "contact", "window"), DoorContact),
    (("count", "people"), PeopleCounter),
    (("air", "co2"), AirSensor),
    (("climate", "temp", "humidity"), ClimateSensor),
)


def kind_of(device: Device) -> type[MqttDevice] | None:
    """What a configured MQTT device is; None for a driver that we cannot speak.

    The configuration says that a device speaks Zigbee2MQTT, not what it measures: what watches a
    door is a contact, else its id tells (``gym-air``, ``hall-count``), else it is a motion sensor.
    """
    if device.driver == "tasmota":
        return TasmotaDevice
    if device.driver != "zigbee2mqtt":
        return None
    if device.door is not None and device.room is None:
        return DoorContact
    parts = device.id.split("-")
    for words, kind in WORDS:
        if any(part.startswith(words) for part in parts):
            return kind
    return MotionSensor
