"""`linli simulate` beside a hub of its own: the configured devices speak, and only those."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import aiomqtt

from hub.commands.simulate import describe
from hub.settings import parse
from simulator.wires.mqtt import Publication
from tests.broker import Broker
from tests.simulator.reading import from_mqtt, values

WITHIN_S = 30
CENTRE = """\
centre: {{id: trial, name: {{en: Trial}}, timezone: Asia/Shanghai}}
mqtt: {{port: {port}}}
rooms:
  - {{id: gym, name: {{en: Gym}}, kind: gym}}
devices:
  - {{id: gym-door, driver: zigbee2mqtt, room: gym, link: {{mqtt: zigbee2mqtt/gym_door}}}}
  - {{id: gym-radar, driver: ld2410, room: gym, link: {{serial: {folder}/gym-radar}}}}
  - {{id: gym-bp, driver: and_tm265x, room: gym, link: {{serial: /dev/serial/by-id/usb-FTDI-1}}}}
"""


def test_real_devices_stay_real(tmp_path: Path) -> None:
    centre, skipped = describe(parse(CENTRE.format(port=1883, folder=tmp_path)))
    assert [device.id for device in centre.devices] == ["gym-door", "gym-radar"]
    assert skipped == ["gym-bp is not simulated: /dev/serial/by-id/usb-FTDI-1 is not ours to make."]


def test_what_exists_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "gym-radar").write_text("a real one")
    centre, _ = describe(parse(CENTRE.format(port=1883, folder=tmp_path)))
    assert [device.id for device in centre.devices] == ["gym-door"]


async def test_it_feeds_a_broker_and_a_port_and_leaves_nothing(tmp_path: Path) -> None:
    async with Broker() as broker:
        config = tmp_path / "centre.yaml"
        config.write_text(CENTRE.format(port=broker.port, folder=tmp_path), encoding="utf-8")
        async with aiomqtt.Client("127.0.0.1", broker.port) as hub:
            await hub.subscribe("zigbee2mqtt/gym_door", qos=1)
            running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hub.cli", "simulate", "--speed", "20"),
                *("--config", str(config)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(WITHIN_S):
                message = await anext(aiter(hub.messages))
        assert (tmp_path / "gym-radar").exists()
        running.send_signal(signal.SIGINT)
        said, complaints = await asyncio.wait_for(running.communicate(), WITHIN_S)
    assert running.returncode == 0
    assert b"http://127.0.0.1:" in said
    assert b"gym-bp is not simulated" in complaints
    assert not (tmp_path / "gym-radar").exists()
    assert isinstance(message.payload, bytes)
    sent = from_mqtt(
        "zigbee2mqtt", "zigbee2mqtt/gym_door", Publication(str(message.topic), message.payload)
    )
    assert values(sent)["contact"] in (0, 1)
