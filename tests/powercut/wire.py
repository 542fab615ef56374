"""What a recorded hub was sent by the broker, and what it said was safe.

Taken from the bytes of its socket, not from anything it keeps: a message counts as received when
its last byte was read, and as acknowledged when the call that sent its PUBACK began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.powercut.recording import Call

CONNECT, PUBLISH, PUBACK = 1, 3, 4


@dataclass(slots=True)
class Message:
    """One PUBLISH. Moments are numbers of lines; ``acknowledged`` None: never, or QoS 0."""

    topic: str
    payload: bytes
    qos: int
    received: int
    received_s: float
    acknowledged: int | None = None


@dataclass(slots=True)
class _Connection:
    incoming: bytearray = field(default_factory=bytearray)
    outgoing: bytearray = field(default_factory=bytearray)
    is_mqtt: bool = False
    open: dict[int, Message] = field(default_factory=dict)  # by packet identifier


def messages(calls: Iterable[Call]) -> list[Message]:
    """All messages in the order in which they came; one that came twice is there twice."""
    connections: dict[int, _Connection] = {}
    found: list[Message] = []
    for call in calls:
        if call.name == "close":
            connections.pop(int(call.arguments[0]), None)
        elif call.name in ("sendto", "recvfrom") and call.strings:
            connection = connections.setdefault(int(call.arguments[0]), _Connection())
            data = call.strings[0][: call.result]
            if call.name == "sendto":
                _sent(connection, data, call)
            elif connection.is_mqtt:
                found += _received(connection, data, call)
    return found


def _sent(connection: _Connection, data: bytes, call: Call) -> None:
    if not connection.is_mqtt:
        connection.is_mqtt = data[0] >> 4 == CONNECT and b"MQTT" in data[:12]
        if not connection.is_mqtt:
            return
    connection.outgoing += data
    for kind, _, body in _packets(connection.outgoing):
        if kind == PUBACK:
            message = connection.open.pop(int.from_bytes(body[:2], "big"), None)
            if message is not None:
                message.acknowledged = call.began


def _received(connection: _Connection, data: bytes, call: Call) -> Iterator[Message]:
    connection.incoming += data
    for kind, flags, body in _packets(connection.incoming):
        if kind != PUBLISH:
            continue
        length = int.from_bytes(body[:2], "big")
        topic, rest, qos = body[2 : 2 + length].decode(), body[2 + length :], flags >> 1 & 3
        message = Message(topic, rest[2:] if qos else rest, qos, call.ended, call.at_s)
        if qos:
            connection.open[int.from_bytes(rest[:2], "big")] = message
        yield message


def _packets(stream: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Take whole packets from the front: kind, flags, body."""
    while True:
        length, at = 0, 1
        while True:
            if at >= len(stream):
                return
            length |= (stream[at] & 127) << 7 * (at - 1)
            at += 1
            if not stream[at - 1] & 128:
                break
        if len(stream) < at + length:
            return
        first, body = stream[0], bytes(stream[at : at + length])
        del stream[: at + length]
        yield first >> 4, first & 15, body
