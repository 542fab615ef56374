"""The house with its devices: what happens in the world reaches every sensor that could see it."""

from __future__ import annotations

from pathlib import Path

from simulator.centre import Centre
from simulator.faults import Fault, Misfortune
from simulator.mqtt_device import MqttDevice, Publish
from simulator.mqtt_devices import kind_of
from simulator.serial_devices import SERIAL, Radar, SerialDevice
from simulator.world import SECOND, World, story_shift_ms

SOMEBODY_STAYS = 40 * SECOND
DOOR_HELD = 10 * SECOND
BRIDGED = "zigbee2mqtt"


class House:
    """World, devices and failures, moved on together by the clock."""

    def __init__(self, centre: Centre, seed: int, start_ms: int, publish: Publish) -> None:
        self.centre = centre
        shift_ms = story_shift_ms(start_ms, centre.timezone)
        self.world = World(centre, seed, start_ms, shift_ms)
        self.now_ms = start_ms
        self.serial: list[SerialDevice] = [
            SERIAL[device.driver](device, self.world, seed)
            for device in centre.devices
            if device.serial is not None and device.driver in SERIAL
        ]
        self.mqtt: list[MqttDevice] = [
            kind(device, self.world, publish, seed)
            for device in centre.devices
            if device.topic is not None and (kind := kind_of(device)) is not None
        ]
        self.devices: dict[str, SerialDevice | MqttDevice] = {}
        self.devices |= {item.device.id: item for item in self.serial}
        self.devices |= {item.device.id: item for item in self.mqtt}
        self._misfortune = Misfortune(tuple(self.devices.values()), seed, start_ms)

    def start(self) -> None:
        """Every device comes up."""
        for device in self.devices.values():
            device.start(self.now_ms)

    def stop(self) -> None:
        """Nothing of us is left on the machine."""
        for device in self.serial:
            device.port.unplug()

    def advance(self, now_ms: int) -> None:
        """What happened since the last time, seen by everybody."""
        self.now_ms = now_ms
        facts = self.world.advance(now_ms)
        for device in self.devices.values():
            for fact in facts:
                device.react(fact, now_ms)
            device.tick(now_ms)
        self._misfortune.advance(now_ms)

    def stream(self, now_ms: int) -> None:
        """One report of everything that reports all the time."""
        for device in self.serial:
            if isinstance(device, Radar):
                device.stream(now_ms)

    def greet(self) -> None:
        """The broker may have forgotten who is there: say it again."""
        for device in self.mqtt:
            if device.fault is not Fault.OFFLINE:
                device.announce()

    def bases(self) -> tuple[str, ...]:
        """The Zigbee2MQTT instances our devices hang on."""
        topics = [d.topic for d in self.mqtt if d.device.driver == BRIDGED]
        return tuple(dict.fromkeys(Path(topic).parts[0] for topic in topics))

    # The panel's buttons

    def let_someone_in(self, room: str) -> None:
        self.world.let_someone_in(room, self.now_ms + SOMEBODY_STAYS, self.now_ms)

    def open_door(self, door: str) -> None:
        self.world.open_door(door, self.now_ms + DOOR_HELD, self.now_ms)

    def measure(self, room: str) -> None:
        self.world.measure(room, self.now_ms)

    def break_down(self, device: str, fault: Fault) -> None:
        item = self.devices[device]
        if item.fault is not None:
            item.repair(self.now_ms)
        item.break_down(fault, self.now_ms)

    def repair(self, device: str) -> None:
        if self.devices[device].fault is not None:
            self.devices[device].repair(self.now_ms)
