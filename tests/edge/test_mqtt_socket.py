"""Bytes that are read and not taken, and bytes that are not sent yet: nothing of them is lost."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest

from edge.settings import MqttSettings
from edge.transports.mqtt_socket import AT_ONCE, BufferedSocket
from tests.broker import Broker
from tests.edge.wires import Recorder, mqtt_device, running

DOOR = mqtt_device("z2m/door")
COUNT = 400
CONNECT, SUBSCRIBE = 1, 8


@pytest.fixture
def pair() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with theirs:
        wire = BufferedSocket(ours)
        yield wire, theirs
        wire.close()


def test_one_read_serves_many_bites(pair: tuple[BufferedSocket, socket.socket]) -> None:
    wire, theirs = pair
    theirs.send(b"abcdef")
    assert [wire.recv(1), wire.is_holding] == [b"a", True]
    theirs.send(b"g")
    assert [wire.recv(2), wire.recv(10), wire.is_holding] == [b"bc", b"def", False]
    assert wire.recv(10) == b"g"
    with pytest.raises(BlockingIOError):
        wire.recv(1)
    theirs.send(b"h")
    theirs.shutdown(socket.SHUT_WR)
    assert [wire.recv(5), wire.recv(5), wire.recv(5)] == [b"h", b"", b""]


def test_what_is_held_is_gone_with_the_connection(
    pair: tuple[BufferedSocket, socket.socket],
) -> None:
    wire, theirs = pair
    theirs.send(b"abc")
    assert wire.recv(1) == b"a"
    wire.close()
    assert not wire.is_holding
    with pytest.raises(OSError, match="descriptor"):
        wire.recv(1)


def test_what_the_kernel_does_not_take_is_sent_later(
    pair: tuple[BufferedSocket, socket.socket],
) -> None:
    wire, theirs = pair
    sent = b"".join(b"%07d\n" % number for number in range(100_000))
    for start in range(0, len(sent), 1_000):
        assert wire.send(sent[start : start + 1_000]) == 1_000
    heard = bytearray()
    assert not wire.flush()
    assert wire.is_owing
    while wire.is_owing:
        heard += theirs.recv(65_536)
        wire.flush()
    while len(heard) < len(sent):
        heard += theirs.recv(65_536)
    assert heard == sent


async def certificate(folder: Path) -> None:
    maker = await asyncio.create_subprocess_exec(
        *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        *["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext"],
        *["subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/ours.key"],
        *["-out", f"{folder}/ours.crt"],
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await maker.wait() == 0


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
async def reached(request: pytest.FixtureRequest) -> AsyncIterator[MqttSettings]:
    """A broker that hands out everything at once, whatever is acknowledged."""
    broker = Broker(inflight=COUNT)
    tls = {}
    if request.param:
        await certificate(broker.folder)
        folder = broker.folder
        broker.config = (f"certfile {folder}/ours.crt", f"keyfile {folder}/ours.key")
        tls = {"tls": {"ca_file": f"{folder}/ours.crt"}}
    async with broker:
        yield MqttSettings.model_validate({"port": broker.port, "inflight": 20, **tls})


async def publish(to: MqttSettings, payloads: list[bytes]) -> None:
    ca_file = None if to.tls is None else str(to.tls.ca_file)
    tls = None if ca_file is None else aiomqtt.TLSParameters(ca_certs=ca_file)
    client = aiomqtt.Client(
        "127.0.0.1", to.port, tls_params=tls, max_concurrent_outgoing_calls=len(payloads)
    )
    client.pending_calls_threshold = len(payloads)  # it warns beyond, and we mean it
    async with client, asyncio.TaskGroup() as sending:
        for payload in payloads:
            sending.create_task(client.publish("z2m/door", payload, qos=1))


async def test_a_reader_that_is_full_goes_on_with_what_it_held(reached: MqttSettings) -> None:
    """It has read far more than it takes; the selector says nothing of that."""
    outlet = Recorder()
    async with running([DOOR], outlet, reached, heartbeat_s=60):  # whose answer would show it
        await outlet.until(lambda: bool(outlet.links))
        await publish(reached, [b'{"contact": %d}' % value for value in range(COUNT)])
        while len(outlet.reports) < COUNT:
            full = min(outlet.settled + 20, COUNT)
            await outlet.until(lambda full=full: len(outlet.reports) >= full)  # type: ignore[misc]
            assert len(outlet.reports) <= full + 1
            outlet.settle()
        assert outlet.links == [("mqtt", True, "")]
    assert outlet.values == list(range(COUNT))


async def test_one_that_is_larger_than_what_is_read_at_once(reached: MqttSettings) -> None:
    outlet = Recorder(settles_at=1)
    blanks = b" " * (5 * AT_ONCE)
    async with running([DOOR], outlet, reached):
        await outlet.until(lambda: bool(outlet.links))
        await publish(reached, [b'{"contact": %d%s}' % (value, blanks) for value in range(30)])
        await outlet.until(lambda: len(outlet.reports) == 30)
    assert outlet.values == list(range(30))


async def packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind, size, shift = (await reader.readexactly(1))[0] >> 4, 0, 0
    while True:
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 127) << shift
        shift += 7
        if digit < 128:
            return kind, await reader.readexactly(size)


async def all_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A broker that answers a subscription with messages in one piece, and says no more."""
    topic = b"z2m/door"
    bodies = [b'{"contact": %d}' % value for value in range(COUNT)]
    said = [bytes([2 + len(topic) + len(body), 0, len(topic)]) + topic + body for body in bodies]
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            kind, body = await packet(reader)
            if kind == CONNECT:
                writer.write(b"\x20\x02\x00\x00")
            elif kind == SUBSCRIBE:
                filters = body.count(b"z2m/") + body.count(b"linli/")
                granted = body[:2] + b"\x01" * filters
                suback = bytes([0x90, len(granted)]) + granted
                writer.write(suback + b"".join(b"\x30" + message for message in said))
    writer.close()


async def test_what_one_turn_of_the_loop_leaves_the_next_one_takes() -> None:
    server = await asyncio.start_server(all_at_once, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outlet = Recorder()
    async with running([DOOR], outlet, MqttSettings(port=port), heartbeat_s=60):
        await outlet.until(lambda: len(outlet.reports) == COUNT)
    assert outlet.values == list(range(COUNT))
    server.close()
    await server.wait_closed()
