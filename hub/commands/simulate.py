"""`linli simulate`: people and devices for a hub that runs beside it.

Run as a program (``python -m hub.commands.simulate``) it is the demo's child: it reads one job as
a line of JSON, answers with the panel's address, and ends when its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.clock import Clock
from hub.configuration.locate import configuration_file, terminal_language
from simulator.broker import Address
from simulator.centre import Centre, Device, Door, Room

if TYPE_CHECKING:
    from edge.settings import DeviceSettings
    from hub.settings import CentreSettings

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
Plays the devices that the configuration names: a serial path that does not exist yet is made as a
pseudo-terminal, MQTT devices speak through the configured broker, which must be running. What a
Zigbee2MQTT device is, its place and its id tell: one at a door is a contact; gym-count counts,
gym-air and gym-climate measure the air; everything else is a motion sensor.

A path under /dev is never touched, and nothing that exists is replaced: real devices stay real.
With --speed a hub beside it keeps true time, so that only people and sensors hurry.

examples:
  linli run --config centre.yaml          in one terminal
  linli simulate --config centre.yaml     in another
"""
FASTEST = 20.0
READ_LIMIT = 1 << 24


class Job(msgspec.Struct, frozen=True):
    """What a child is to play, and the clock it shares with its parent."""

    centre: Centre
    broker: Address
    seed: int
    panel_port: int
    clock_ms: int  # what the parent's clock said at the true time below
    true_s: float
    speed: float
    cruise: float


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "simulate",
        help="feed a running hub with simulated devices",
        description="Simulate the devices of a configuration.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the centre's file")
    parser.add_argument("--seed", type=int, default=1, help="another day of other people")
    parser.add_argument("--speed", type=float, default=1.0, help=f"1 to {FASTEST:g}; default 1")
    parser.add_argument("--panel-port", type=int, default=0, help="default: any free one")


def run(arguments: argparse.Namespace) -> int:
    """Translate the configuration, then play until a signal."""
    from hub.commands.check_config import complaint
    from hub.commands.run import set_up_logging
    from hub.settings import SettingsError, load

    if not 1 <= arguments.speed <= FASTEST:
        print(f"linli simulate: --speed is between 1 and {FASTEST:g}.", file=sys.stderr)
        return 2
    set_up_logging("warning")
    try:
        settings = load(configuration_file(arguments.config))
    except SettingsError as error:
        print(complaint(error.problems, terminal_language(os.environ)), file=sys.stderr)
        return 2
    centre, skipped = describe(settings)
    for line in skipped:
        print(line, file=sys.stderr)
    try:
        job = Job(
            centre=centre,
            broker=_address(settings),
            seed=arguments.seed,
            panel_port=arguments.panel_port,
            clock_ms=int(time.time() * 1000),
            true_s=time.time(),
            speed=1.0,
            cruise=arguments.speed,
        )
        asyncio.run(_play(job, _greet, until_eof=False))
    except OSError as error:
        print(f"linli simulate: {error}", file=sys.stderr)
        return 1
    return 0


def describe(settings: CentreSettings) -> tuple[Centre, list[str]]:
    """The centre in the simulator's words, and what of it is not simulated, with the reason."""
    devices: list[Device] = []
    skipped: list[str] = []
    for item in settings.devices:
        reason = _why_not(item)
        if reason:
            skipped.append(f"{item.id} is not simulated: {reason}.")
        else:
            devices.append(_device(item))
    centre = Centre(
        name={str(key): text for key, text in settings.centre.name.items()},
        timezone=settings.centre.timezone,
        rooms=tuple(
            Room(
                id=room.id,
                name={str(key): text for key, text in room.name.items()},
                kind=room.kind,
                building=room.building or "",
                floor=room.floor,
                zones=tuple(zone.id for zone in room.zones),
            )
            for room in settings.rooms
        ),
        doors=tuple(Door(door.id, door.between) for door in settings.doors),
        devices=tuple(devices),
    )
    return centre, skipped


def _why_not(item: DeviceSettings) -> str:
    from edge.settings import MqttLink
    from simulator.mqtt_devices import kind_of
    from simulator.serial_devices import SERIAL

    if isinstance(item.link, MqttLink):
        return "" if kind_of(_device(item)) else f"no simulated device speaks {item.driver}"
    path = item.link.serial
    if item.driver not in SERIAL:
        return f"no simulated device speaks {item.driver}"
    if "://" in path or path.startswith("/dev/") or Path(path).exists():
        return f"{path} is not ours to make"
    return ""


def _device(item: DeviceSettings) -> Device:
    """A device with several inputs is played at the first place that its map names."""
    from edge.settings import SerialLink

    place = next(iter(item.map.values())) if item.map else item
    serial = item.link.serial if isinstance(item.link, SerialLink) else None
    topic = None if isinstance(item.link, SerialLink) else item.link.mqtt
    return Device(
        item.id, item.driver, place.room, place.door, place.zone, serial=serial, topic=topic
    )


def _address(settings: CentreSettings) -> Address:
    """Raises OSError where the password cannot be read, or the broker wants TLS."""
    mqtt = settings.mqtt
    if mqtt.tls is not None:
        raise OSError("the simulator speaks plain MQTT only; give a broker without tls")
    password = Path(mqtt.password_file).read_text().strip() if mqtt.password_file else None
    return Address(mqtt.host, mqtt.port, mqtt.username, password)


def _greet(panel: str) -> None:
    print(f"模拟面板 Panel  {panel}")
    print("Ctrl-C 结束 / ends it", flush=True)


def _answer(panel: str) -> None:
    print(panel, flush=True)


def shared_clock(job: Job, true_time: Callable[[], float] = time.time) -> Clock:
    """The parent's clock, which went on while we were started."""
    passed_ms = (true_time() - job.true_s) * 1000
    start_ms = job.clock_ms + round(passed_ms * job.speed)
    return Clock(start_ms, job.speed, job.cruise, true_time)


async def _play(job: Job, ready: Callable[[str], None], *, until_eof: bool) -> None:
    from simulator.run import simulate

    clock = shared_clock(job)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if until_eof:
        loop.add_reader(sys.stdin.fileno(), stop.set)  # nothing more is said: it is the end
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
    await simulate(
        job.centre,
        clock,
        seed=job.seed,
        broker=job.broker,
        panel_port=job.panel_port,
        stop=stop,
        ready=ready,
    )


def main() -> int:
    """The demo's child."""
    from hub.commands.run import set_up_logging

    set_up_logging("warning")
    try:
        job = msgspec.json.decode(sys.stdin.buffer.readline(READ_LIMIT), type=Job)
        asyncio.run(_play(job, _answer, until_eof=True))
    except OSError as error:
        print(f"The simulator cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
