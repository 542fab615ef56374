"""The reader against a real Mosquitto: what is live, what is remembered, what is refused."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiomqtt
import pytest

from device_drivers.contract import DiscardReason
from edge.reading import TimeSource
from edge.settings import MqttSettings
from tests.broker import Broker
from tests.edge.wires import Recorder, mqtt_device, running

DOOR = mqtt_device("z2m/hall/front door")


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with Broker() as started:
        yield started


def settings(broker: Broker, **more: object) -> MqttSettings:
    return MqttSettings.model_validate({"port": broker.port, **more})


async def publish(
    broker: Broker, topic: str, *payloads: bytes, qos: int = 1, retain: bool = False
) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for payload in payloads:
            await client.publish(topic, payload, qos=qos, retain=retain)


def contact(value: int, at: str | None = None) -> bytes:
    return f'{{"contact": {value}, "at": "{at}"}}'.encode() if at else b'{"contact": %d}' % value


def is_live(outlet: Recorder) -> bool:
    """The link is up, and our own heartbeat came back at least once."""
    return bool(outlet.links) and outlet.links[-1][1]


def has_more(outlet: Recorder, than: int) -> bool:
    return len(outlet.reports) > than


async def test_live_messages_arrive_with_and_without_qos(broker: Broker) -> None:
    outlet = Recorder(settles_at=1)
    async with running([DOOR], outlet, settings(broker)):
        await outlet.until(lambda: is_live(outlet))
        await publish(broker, "z2m/hall/front door", contact(1))
        await outlet.until(lambda: outlet.values == [1])
        await publish(broker, "z2m/hall/front door", contact(0), qos=0)
        await outlet.until(lambda: outlet.values == [1, 0])
    first, second = outlet.reports
    assert first.is_live
    assert first.readings[0].time_source is TimeSource.HUB
    assert first.receipt is not None
    assert first.receipt.delivery is not None
    assert second.receipt is None


async def test_what_follows_a_commit_is_not_held_back_by_a_delayed_acknowledgement(
    broker: Broker,
) -> None:
    outlet, worst = Recorder(), []
    async with (
        running([DOOR], outlet, settings(broker, inflight=1000)),
        aiomqtt.Client("127.0.0.1", broker.port) as client,
    ):
        await outlet.until(lambda: is_live(outlet))
        for _ in range(9):
            outlet.settle()
            late = []
            for _ in range(12):
                seen, sent = len(outlet.reports), time.monotonic()
                await client.publish("z2m/hall/front door", contact(1), qos=1)
                await outlet.until(partial(has_more, outlet, seen))
                late.append(time.monotonic() - sent)
            worst.append(max(late))
    assert statistics.median(worst) < 0.03, "the kernel waits 40 ms"


async def test_a_retained_message_is_known_and_never_live(broker: Broker) -> None:
    await publish(
        broker, "z2m/hall/front door", contact(1, "2026-01-02T03:04:05+08:00"), retain=True
    )
    outlet = Recorder()
    async with running([DOOR], outlet, settings(broker)):
        await outlet.until(lambda: outlet.values == [1])
    reading = outlet.reports[0].readings[0]
    assert reading.time_source is TimeSource.RETAINED
    assert not outlet.reports[0].is_live
    assert reading.observed_ms == 1_767_294_245_000
    assert reading.received_ms > reading.observed_ms


async def test_what_waited_in_the_broker_is_queued_and_what_follows_is_live(
    broker: Broker,
) -> None:
    outlet = Recorder(settles_at=1)
    async with running([DOOR], outlet, settings(broker)):
        await outlet.until(lambda: is_live(outlet))
    await publish(broker, "z2m/hall/front door", *(contact(n) for n in range(50)))
    outlet = Recorder(settles_at=5)
    async with running([DOOR], outlet, settings(broker)):
        await outlet.until(lambda: len(outlet.reports) == 50)
        outlet.settle()
        await outlet.until(lambda: bool(outlet.commits))  # a beat came back: the queue is behind us
        await publish(broker, "z2m/hall/front door", contact(50))
        await outlet.until(lambda: len(outlet.reports) == 51)
    assert outlet.values == list(range(51))
    ways = [report.readings[0].time_source for report in outlet.reports]
    assert ways == [TimeSource.QUEUED] * 50 + [TimeSource.HUB]
    assert [report.is_live for report in outlet.reports] == [False] * 50 + [True]


async def test_the_health_of_a_bridge_is_its_own_and_belongs_to_its_devices(
    broker: Broker,
) -> None:
    outlet = Recorder()
    devices = [DOOR, mqtt_device("z2m/window", "window"), mqtt_device("other/x", "x")]
    async with running(devices, outlet, settings(broker)):
        await outlet.until(lambda: is_live(outlet))
        await publish(broker, "z2m/bridge/state", b'{"state": "offline"}', b"odd", b"\xff" * 9)
        await publish(broker, "z2m/bridge/state", b'{"state": "online"}')
        await outlet.until(lambda: len(outlet.parents) == 2)
    behind = frozenset({"door", "window"})
    assert outlet.parents == [
        ("z2m/bridge/state", behind, False),
        ("z2m/bridge/state", behind, True),
    ]
    assert outlet.reports == []


async def test_availability_is_a_reading_of_the_device(broker: Broker) -> None:
    outlet = Recorder()
    async with running([DOOR], outlet, settings(broker)):
        await outlet.until(lambda: is_live(outlet))
        await publish(broker, "z2m/hall/front door/availability", b'{"state": "offline"}')
        await outlet.until(lambda: len(outlet.reports) == 1)
    assert [(r.channel, r.value) for r in outlet.reports[0].readings] == [("online", 0)]


async def test_garbage_is_counted_acknowledged_and_stops_nothing(broker: Broker) -> None:
    outlet = Recorder()
    topic = "z2m/hall/front door"
    async with running([DOOR], outlet, settings(broker, inflight=2)):
        await outlet.until(lambda: is_live(outlet))
        nested = b"[" * 1000 + b"]" * 1000
        garbage = [b"", b"\xff\xfe", b"not json", nested, b"[1]", b'{"contact": "x"}', b"bug"]
        await publish(broker, topic, *garbage, b"x" * 300_000, *garbage)
        await publish(broker, f"{topic}/ignored", b"anything")
        await publish(broker, topic, contact(1))
        await outlet.until(lambda: outlet.values == [1])
    reasons = [found.reason for _, found in outlet.discards]
    assert reasons == [DiscardReason.MALFORMED] * 7 + [DiscardReason.OVERSIZE] + (
        [DiscardReason.MALFORMED] * 7
    )
    assert outlet.discards[7][1].size == 300_000
    assert outlet.discards[3][1].size == 2000


async def test_a_message_without_values_shows_life_and_takes_no_place(broker: Broker) -> None:
    outlet = Recorder()
    async with running([DOOR], outlet, settings(broker, inflight=1)):
        await outlet.until(lambda: is_live(outlet))
        await publish(broker, "z2m/hall/front door", b"{}", b"{}", contact(1))
        await outlet.until(lambda: outlet.values == [1])
    assert [report.receipt is None for report in outlet.reports] == [True, True, False]


async def test_a_refused_account_is_named() -> None:
    outlet = Recorder()
    async with (
        Broker(config=["allow_anonymous false"]) as closed,
        running([DOOR], outlet, settings(closed)),
    ):
        await outlet.until(lambda: outlet.links == [("mqtt", False, "not_authorised")])


async def test_a_password_from_a_file_opens_the_door(broker: Broker) -> None:
    outlet = Recorder()
    guarded = Broker(config=["allow_anonymous false"])
    passwords = guarded.folder / "passwords"
    maker = await asyncio.create_subprocess_exec(
        "mosquitto_passwd", "-b", "-c", str(passwords), "hub", "secret"
    )
    assert await maker.wait() == 0
    passwords.chmod(0o644)
    (guarded.folder / "mine").write_text("secret\n", encoding="utf-8")
    guarded = _with_config(guarded, f"password_file {passwords}")
    async with guarded:
        account = settings(guarded, username="hub", password_file=str(guarded.folder / "mine"))
        async with running([DOOR], outlet, account):
            await outlet.until(lambda: outlet.links == [("mqtt", True, "")])


def _with_config(broker: Broker, line: str) -> Broker:
    broker.config = (*broker.config, line)
    return broker


async def test_a_broker_that_is_not_there_is_refused_and_found_when_it_comes(
    broker: Broker,
) -> None:
    await broker.kill()
    outlet = Recorder()
    async with running([DOOR], outlet, settings(broker)):
        await outlet.until(lambda: outlet.links == [("mqtt", False, "refused")])
        await broker.start()
        await outlet.until(lambda: outlet.links[-1] == ("mqtt", True, ""))


async def test_a_broker_that_restarts_is_lost_once_and_back_once(broker: Broker) -> None:
    outlet = Recorder(settles_at=1)
    async with running([DOOR], outlet, settings(broker)):
        await outlet.until(lambda: is_live(outlet))
        await broker.kill()
        await outlet.until(lambda: not is_live(outlet))
        await asyncio.sleep(0.3)  # some attempts fail meanwhile, and are not told
        await broker.start()
        await outlet.until(lambda: is_live(outlet))
        await publish(broker, "z2m/hall/front door", contact(1))
        await outlet.until(lambda: outlet.values == [1])
    assert outlet.links == [("mqtt", True, ""), ("mqtt", False, "lost"), ("mqtt", True, "")]


async def test_a_broker_that_hangs_is_found_out_and_used_again(broker: Broker) -> None:
    outlet = Recorder(settles_at=1)
    loop = asyncio.get_running_loop()
    async with running([DOOR], outlet, settings(broker), heartbeat_s=0.4):
        await outlet.until(lambda: is_live(outlet))
        broker.freeze()
        began = loop.time()
        await outlet.until(lambda: ("mqtt", False, "no_answer") in outlet.links)
        assert loop.time() - began < 3 * 0.4  # with the real period of 10 s: under 30 s
        broker.thaw()
        await outlet.until(lambda: is_live(outlet))


async def _refuse_all_but_the_first(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """A broker as far as SUBACK. Mosquitto lets everything be subscribed; others say no here."""
    try:
        while header := await reader.readexactly(2):
            body = await reader.readexactly(header[1])
            if header[0] == 0x10:
                writer.write(b"\x20\x02\x00\x00")
            elif header[0] == 0x82:
                filters, at = 0, 2
                while at < len(body):
                    at += 3 + int.from_bytes(body[at : at + 2], "big")
                    filters += 1
                codes = b"\x01" + b"\x80" * (filters - 1)
                writer.write(bytes([0x90, 2 + filters]) + body[:2] + codes)
    except asyncio.IncompleteReadError:
        writer.close()


async def test_topics_the_broker_keeps_from_us_are_named() -> None:
    outlet = Recorder()
    server = await asyncio.start_server(_refuse_all_but_the_first, "127.0.0.1", 0)
    mqtt = MqttSettings(port=server.sockets[0].getsockname()[1])
    device = mqtt_device("z/d")
    async with running([device], outlet, mqtt):
        await outlet.until(lambda: ("mqtt", True, "") in outlet.links)
    refused = {name for name, up, why in outlet.links if (up, why) == (False, "not_authorised")}
    assert refused == {f"mqtt:z/{rest}" for rest in ("d", "d/availability", "d/ignored")} | {
        "mqtt:z/bridge/state"
    }
    server.close()
    await server.wait_closed()


async def test_an_encrypted_broker_is_read_and_a_stranger_is_refused() -> None:
    outlet = Recorder(settles_at=1)
    guarded = Broker()
    await _certificate(guarded.folder, "ours")
    await _certificate(guarded.folder, "strange")
    for line in (f"certfile {guarded.folder}/ours.crt", f"keyfile {guarded.folder}/ours.key"):
        guarded.config = (*guarded.config, line)
    async with guarded:
        trusting = settings(guarded, tls={"ca_file": str(guarded.folder / "ours.crt")})
        async with running([DOOR], outlet, trusting):
            await outlet.until(lambda: outlet.links == [("mqtt", True, "")])
            # Many messages in one record: the socket shows the first one only.
            client = aiomqtt.Client(
                "127.0.0.1",
                guarded.port,
                tls_params=aiomqtt.TLSParameters(ca_certs=str(guarded.folder / "ours.crt")),
            )
            async with client:
                for value in range(100):
                    await client.publish("z2m/hall/front door", contact(value), qos=0)
            await outlet.until(lambda: len(outlet.reports) == 100)
        stranger, wrong = Recorder(), guarded.folder / "strange.crt"
        async with running([DOOR], stranger, settings(guarded, tls={"ca_file": str(wrong)})):
            await stranger.until(lambda: stranger.links == [("mqtt", False, "tls")])
    assert outlet.values == list(range(100))


async def _certificate(folder: Path, name: str) -> None:
    maker = await asyncio.create_subprocess_exec(
        *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        *["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext"],
        *["subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/{name}.key"],
        *["-out", f"{folder}/{name}.crt"],
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await maker.wait() == 0
