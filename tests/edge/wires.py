"""Two small wires of our own, and an outlet that writes down what it is given."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from device_drivers.contract import (
    AnyDriver,
    Discard,
    DiscardReason,
    Maturity,
    Message,
    MqttDriver,
    MqttPart,
    Poll,
    Sample,
    SerialDriver,
)
from edge.clock import Clock
from edge.reading import Report
from edge.service import Edge
from edge.settings import DeviceSettings, MqttLink, MqttSettings, SerialLink

SHANGHAI = ZoneInfo("Asia/Shanghai")
WITHIN_S = 10.0


class LineFramer:
    """Text lines; whatever is longer than 64 bytes is noise."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[bytes | Discard]:
        *lines, self._held = (self._held + data).split(b"\n")
        found: list[bytes | Discard] = list(lines)
        if len(self._held) > 64:
            found.append(Discard(DiscardReason.NOISE, len(self._held)))
            self._held = b""
        return found

    def idle(self) -> list[bytes | Discard]:
        held, self._held = self._held, b""
        return [Discard(DiscardReason.NOISE, len(held))] if held else []


def decode_line(frame: bytes) -> Message | Discard:
    """``contact 1``, ``result 7 2026-01-02T03:04:05`` (wants an answer), ``bug`` raises."""
    if frame == b"bug":
        raise RuntimeError("a driver's bug")
    words = frame.decode("ascii", errors="replace").split()
    if len(words) < 2 or not words[1].isdigit():
        return Discard(DiscardReason.MALFORMED, len(frame))
    sample = Sample(words[0] if words[0] == "contact" else "temperature", int(words[1]), "1")
    if words[0] == "result":
        own = datetime.fromisoformat(words[2]) if len(words) > 2 else None
        return Message((sample,), own, b"ACK" + words[1].encode())
    return Message((sample,))


def serial_driver(
    *, polls: tuple[Poll, ...] = (), window: timedelta = timedelta(0)
) -> SerialDriver:
    return SerialDriver(
        name="lines",
        title="Lines",
        source="tests",
        maturity=Maturity.BUILT,
        channels=("contact", "temperature"),
        integrity="",
        proof_within=timedelta(seconds=5),
        duplicate_window=window,
        framing=LineFramer,
        decode=decode_line,
        polls=polls,
    )


class Payload(msgspec.Struct):
    contact: int | None = None
    at: str | None = None
    state: str | None = None


def decode_payload(part: MqttPart) -> Message | Discard | None:
    if part.subtopic == "ignored":
        return None
    if part.payload == b"bug":
        raise RuntimeError("a driver's bug")
    try:
        payload = msgspec.json.decode(part.payload, type=Payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Discard(DiscardReason.MALFORMED, len(part.payload))
    if payload.state is not None:
        return Message((Sample("online", int(payload.state == "online"), "1"),))
    samples = () if payload.contact is None else (Sample("contact", payload.contact, "1"),)
    return Message(samples, datetime.fromisoformat(payload.at) if payload.at else None)


def mqtt_driver() -> MqttDriver:
    return MqttDriver(
        name="things",
        title="Things",
        source="tests",
        maturity=Maturity.BUILT,
        channels=("contact", "online"),
        integrity="",
        proof_within=timedelta(minutes=10),
        topics=("{device}", "{device}/availability", "{device}/ignored"),
        decode=decode_payload,
        parents=("{base}/bridge/state",),
    )


@dataclass
class Recorder:
    """An outlet that keeps everything and can be waited on."""

    reports: list[Report] = field(default_factory=list)
    discards: list[tuple[str, Discard]] = field(default_factory=list)
    parents: list[tuple[str, frozenset[str], bool]] = field(default_factory=list)
    links: list[tuple[str, bool, str]] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)
    settles_at: int = 0
    """Settle by itself when so many wait; 0: never."""
    commit: int = 0
    settled: int = 0
    deliveries: dict[int, bytes] = field(default_factory=dict)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def report(self, report: Report) -> None:
        self.reports.append(report)
        self._moved.set()
        if self.settles_at and len(self.reports) - self.settled >= self.settles_at:
            asyncio.get_running_loop().call_soon(self.settle)

    def discard(self, device: str, discard: Discard) -> None:
        self.discards.append((device, discard))
        self._moved.set()

    def parent(self, name: str, devices: frozenset[str], online: bool) -> None:
        self.parents.append((name, devices, online))
        self._moved.set()

    def link(self, name: str, devices: frozenset[str], up: bool, why: str) -> None:
        self.links.append((name, up, why))
        self._moved.set()

    def confirmed(self, commit: int) -> None:
        self.commits.append(commit)
        self._moved.set()

    def settle(self, many: int | None = None) -> None:
        """Commit what came since the last time (or so many of it), and say so."""
        self.commit += 1
        end = len(self.reports) if many is None else self.settled + many
        for report in self.reports[self.settled : end]:
            if report.receipt is not None:
                if report.receipt.delivery is not None:
                    found = report.receipt.delivery
                    self.deliveries[found.mid] = found.digest
                report.receipt.settle(self.commit)
        self.settled = end

    @property
    def values(self) -> list[object]:
        return [reading.value for report in self.reports for reading in report.readings]

    async def until(self, is_so: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        """Wait until it is so; looks again at each event."""
        try:
            async with asyncio.timeout(within_s):
                while not is_so():
                    self._moved.clear()
                    # Some facts (bytes written, a flag) come without an event of ours.
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._moved.wait(), 0.05)
        except TimeoutError as error:
            state = (self.links, len(self.reports), self.discards[-5:], self.commits)
            raise TimeoutError(f"never became so: {state}") from error


def serial_device(path: object, name: str = "monitor", **link: object) -> DeviceSettings:
    return DeviceSettings(
        id=name,
        driver="lines",
        room="cabin",
        link=SerialLink.model_validate({"serial": str(path), **link}),
    )


def mqtt_device(topic: str, name: str = "door") -> DeviceSettings:
    return DeviceSettings(id=name, driver="things", room="hall", link=MqttLink(mqtt=topic))


@contextlib.asynccontextmanager
async def running(
    devices: Sequence[DeviceSettings],
    outlet: Recorder,
    mqtt: MqttSettings | None = None,
    *,
    catalogue: Mapping[str, AnyDriver] | None = None,
    known: Mapping[int, bytes] | None = None,
    heartbeat_s: float = 0.2,
    commits_at_end: bool = False,
) -> AsyncIterator[Edge]:
    """An edge that runs, and ends in the order the hub uses."""
    edge = Edge(
        devices,
        mqtt,
        outlet,
        Clock(),
        SHANGHAI,
        "linli-test",
        known or {},
        catalogue=catalogue or {"lines": serial_driver(), "things": mqtt_driver()},
        heartbeat_s=heartbeat_s,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(edge.run(stop))
    try:
        yield edge
    finally:
        stop.set()
        await asyncio.wait_for(task, WITHIN_S)
        if commits_at_end:
            outlet.settle()
        await edge.finish()
