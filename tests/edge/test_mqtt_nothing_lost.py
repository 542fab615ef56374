"""Late acknowledgement: nothing is lost, nothing is taken twice, and the window holds."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from edge.settings import MqttSettings
from tests.broker import Broker
from tests.edge.wires import Recorder, mqtt_device, running

DOOR = mqtt_device("z2m/door")
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with Broker(persistence=True) as started:
        yield started


def settings(broker: Broker, inflight: int = 20) -> MqttSettings:
    return MqttSettings(port=broker.port, inflight=inflight)


async def publish(broker: Broker, values: range) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for value in values:
            await client.publish("z2m/door", b'{"contact": %d}' % value, qos=1)


async def begin_session(broker: Broker) -> None:
    outlet = Recorder()
    async with running([DOOR], outlet, settings(broker)):
        await outlet.until(lambda: bool(outlet.links))


async def test_reading_pauses_at_the_window_and_goes_on(broker: Broker) -> None:
    outlet = Recorder()
    async with running([DOOR], outlet, settings(broker, 20), heartbeat_s=0.1):
        await outlet.until(lambda: bool(outlet.links))
        await publish(broker, range(200))
        await outlet.until(lambda: len(outlet.reports) >= 20)
        # Ten heartbeats long nothing more comes, and nobody takes the silence for a dead link.
        with pytest.raises(TimeoutError):
            await outlet.until(lambda: len(outlet.reports) > 25, within_s=1.0)
        assert len(outlet.reports) <= 22  # a packet or two may be read together with the last
        assert outlet.links == [("mqtt", True, "")]
        outlet.settle(10)
        await outlet.until(lambda: len(outlet.reports) >= 30)
        outlet.settles_at = 10
        outlet.settle()
        await outlet.until(lambda: len(outlet.reports) == 200)
    assert outlet.values == list(range(200))


async def test_what_was_not_settled_comes_again_after_a_restart(broker: Broker) -> None:
    await begin_session(broker)
    await publish(broker, range(10))
    first = Recorder()
    async with running([DOOR], first, settings(broker)):
        await first.until(lambda: len(first.reports) == 10)
        first.settle(4)
    second = Recorder(settles_at=1)
    async with running([DOOR], second, settings(broker)):
        await second.until(lambda: len(second.reports) == 6)
    assert second.values == list(range(4, 10))


async def test_what_is_committed_after_the_stop_is_still_acknowledged(broker: Broker) -> None:
    await begin_session(broker)
    await publish(broker, range(15))
    first = Recorder()
    async with running([DOOR], first, settings(broker, 15), commits_at_end=True):
        await first.until(lambda: len(first.reports) == 15)
    await publish(broker, range(15, 17))
    second = Recorder(settles_at=1)
    async with running([DOOR], second, settings(broker)):
        await second.until(lambda: len(second.reports) >= 2)
    assert second.values == [15, 16]


async def test_committed_but_not_acknowledged_is_dropped_when_it_comes_again(
    broker: Broker,
) -> None:
    await begin_session(broker)
    await publish(broker, range(12))
    first = Recorder()
    async with running([DOOR], first, settings(broker)):
        await first.until(lambda: len(first.reports) == 12)
    # The process ended between its commit and its acknowledgements: eight are in the database.
    known = {
        report.receipt.delivery.mid: report.receipt.delivery.digest
        for report in first.reports[:8]
        if report.receipt is not None and report.receipt.delivery is not None
    }
    second = Recorder(settles_at=1)
    async with running([DOOR], second, settings(broker), known=known) as edge:
        await second.until(lambda: len(second.reports) == 4)
        assert edge.repeats == 8
    assert second.values == [8, 9, 10, 11]


async def test_an_equal_message_that_is_no_repeat_is_taken(broker: Broker) -> None:
    await begin_session(broker)
    first = Recorder(settles_at=1)
    async with running([DOOR], first, settings(broker)):
        await first.until(lambda: bool(first.links))
        await publish(broker, range(1, 2))
        await first.until(lambda: len(first.reports) == 1)
    # The broker numbers on, so give the next message's id to the remembered one.
    known = {mid: digest for mid in range(1, 40) for digest in first.deliveries.values()}
    second = Recorder(settles_at=1)
    async with running([DOOR], second, settings(broker), known=known):
        await second.until(lambda: bool(second.links))
        await publish(broker, range(1, 2))
        await second.until(lambda: second.values == [1])


async def test_a_lost_connection_does_not_double_what_the_hub_still_holds(
    broker: Broker,
) -> None:
    outlet = Recorder()
    async with running([DOOR], outlet, settings(broker)) as edge:
        await outlet.until(lambda: bool(outlet.links))
        await publish(broker, range(5))
        await outlet.until(lambda: len(outlet.reports) == 5)
        await broker.stop()
        await outlet.until(lambda: outlet.links[-1][1] is False)
        outlet.settle(2)  # committed while there is nobody to tell
        await broker.start()
        await outlet.until(lambda: outlet.links[-1][1] is True)
        await outlet.until(lambda: edge.repeats == 5)
        outlet.settle()
        await publish(broker, range(5, 6))
        await outlet.until(lambda: len(outlet.reports) == 6)
        outlet.settle()
        await outlet.until(lambda: outlet.commits[-1:] == [3])
    assert outlet.values == list(range(6))
    again = Recorder(settles_at=1)
    async with running([DOOR], again, settings(broker)):
        await again.until(lambda: bool(again.links))
        await publish(broker, range(9, 10))
        await again.until(lambda: len(again.reports) >= 1)
    assert again.values == [9]


async def test_a_commit_is_confirmed_after_a_beat_and_not_before(broker: Broker) -> None:
    outlet = Recorder()
    async with running([DOOR], outlet, settings(broker), heartbeat_s=0.2):
        await outlet.until(lambda: bool(outlet.links))
        await publish(broker, range(4))
        await outlet.until(lambda: len(outlet.reports) == 4)
        outlet.settle(2)
        outlet.settle(2)
        assert outlet.commits == []
        await outlet.until(lambda: outlet.commits[-1:] == [2])
    assert outlet.commits == sorted(outlet.commits)


async def test_a_killed_reader_loses_nothing_and_doubles_nothing() -> None:
    async with Broker(persistence=True, inflight=100) as broker:
        await begin_session(broker)
        await _kill_and_read_on(broker)


async def _kill_and_read_on(broker: Broker) -> None:
    await publish(broker, range(60))
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.edge.killed_reader",
        str(broker.port),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert reader.stdout is not None
    line = await asyncio.wait_for(reader.stdout.readline(), 20)
    reader.send_signal(signal.SIGKILL)
    await reader.wait()
    committed, known = json.loads(line)
    assert len(committed) == 30
    outlet = Recorder(settles_at=1)
    deliveries = {int(mid): bytes.fromhex(found) for mid, found in known.items()}
    async with running([DOOR], outlet, settings(broker, 100), known=deliveries) as edge:
        await outlet.until(lambda: len(outlet.reports) >= 60 - len(committed))
        await outlet.until(lambda: bool(outlet.commits))  # and no more comes
        assert edge.repeats == 10
    assert committed + outlet.values == list(range(60))
