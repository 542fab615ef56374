"""The parser side of one device: bytes or payloads in, reports and discards out.

Here a driver meets its device. A serial feed holds the framer between reads and forgets it at
each new connection; an MQTT feed has nothing to hold. Neither knows a port or a broker: what goes
back (``after_store``) goes through the line it is handed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from device_drivers.channels import CHANNELS
from device_drivers.contract import (
    Discard,
    DiscardReason,
    Framer,
    Message,
    MqttDriver,
    MqttPart,
    Sample,
    SerialDriver,
)
from edge.reading import Delivery, Outlet, Receipt, TimeSource
from edge.stamp import Stamp
from edge.supervise import Shield

DISCARDS_EVERY_S = 1.0
"""A babbling line is told at most once in this time per reason, with the bytes added up."""
REMEMBERED = 64
"""Messages of one device that are compared for repeats; a window holds far fewer."""


class Line(Protocol):
    """The open connection a message came from."""

    def write(self, data: bytes) -> None: ...


class SerialReceipt:
    """Writes a driver's ``after_store`` bytes once the readings are safe.

    If the port was closed since, nothing is written: the device will send the result again on
    the new connection, and that message brings its own receipt.
    """

    __slots__ = ("_data", "_line", "delivery", "is_settled")

    def __init__(self, line: Line, data: bytes) -> None:
        self.delivery: Delivery | None = None
        self.is_settled = False
        self._line = line
        self._data = data

    def settle(self, commit: int) -> None:
        self.is_settled = True
        self._line.write(self._data)


class Repeats:
    """Equal messages of one device within the driver's window are one (decision 7).

    The window counts from the last repeat: a card that lies on the reader is one event for as
    long as it lies there.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._seen: OrderedDict[
            tuple[datetime | None, tuple[Sample, ...]], tuple[float, SerialReceipt | None]
        ] = OrderedDict()

    def is_repeat(self, message: Message, receipt: SerialReceipt | None, now_s: float) -> bool:
        """Was it said before? If its first one is safe already, the line is told again."""
        if self._window_s <= 0 or not _has_identity(message):
            return False
        key = (message.device_time, message.samples)
        seen = self._seen.pop(key, None)
        if seen is None or now_s - seen[0] > self._window_s:
            self._seen[key] = (now_s, receipt)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            return False
        first = seen[1]
        self._seen[key] = (now_s, first)
        if receipt is not None and first is not None and first.is_settled:
            receipt.settle(0)  # safe already, and the device did not hear our answer
        return True


def _has_identity(message: Message) -> bool:
    """Without a time of its own only an event can be recognised; equal telemetry is genuine."""
    return message.device_time is not None or all(
        (channel := CHANNELS.get(sample.channel)) is not None and channel.event
        for sample in message.samples
    )


class DiscardMeter:
    """Passes discards on: the first at once, then added up per reason, once a second."""

    def __init__(self, device: str, outlet: Outlet) -> None:
        self._device = device
        self._outlet = outlet
        self._waiting: dict[DiscardReason, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, discard: Discard) -> None:
        """Count one."""
        if self._timer is None:
            self._outlet.discard(self._device, discard)
            self._timer = asyncio.get_running_loop().call_later(DISCARDS_EVERY_S, self._pass_on)
            return
        self._waiting[discard.reason] = self._waiting.get(discard.reason, 0) + discard.size

    def _pass_on(self) -> None:
        self._timer = None
        waiting, self._waiting = self._waiting, {}
        for reason, size in waiting.items():
            self._outlet.discard(self._device, Discard(reason, size))
        if waiting:
            self._timer = asyncio.get_running_loop().call_later(DISCARDS_EVERY_S, self._pass_on)

    def close(self) -> None:
        """Tell what is left; no timer stays behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._pass_on()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class SerialFeed:
    """One device on a serial line."""

    def __init__(
        self,
        driver: SerialDriver,
        stamp: Stamp,
        outlet: Outlet,
        time_s: Callable[[], float],
    ) -> None:
        self.driver = driver
        self.device = stamp.device
        self._stamp = stamp
        self._outlet = outlet
        self._time_s = time_s
        self._shield = Shield(driver.name)
        self._framer: Framer = driver.framing()
        self._repeats = Repeats(driver.duplicate_window.total_seconds())
        self.discards = DiscardMeter(stamp.device, outlet)

    def begin(self) -> None:
        """A new connection starts with nothing held over."""
        self._framer = self.driver.framing()

    def feed(self, data: bytes, line: Line) -> bool:
        """Take bytes as they came; was there a whole frame?"""
        return self._take(self._shield.call(self._framer.feed, data), len(data), line)

    def idle(self, line: Line) -> bool:
        """The line went quiet."""
        return self._take(self._shield.call(self._framer.idle), 0, line)

    def _take(self, found: list[bytes | Discard] | Exception, size: int, line: Line) -> bool:
        if isinstance(found, Exception):
            self.begin()  # whatever it held is suspect now
            self.discards.add(Discard(DiscardReason.MALFORMED, size))
            return False
        has_frame = False
        for item in found:
            if isinstance(item, Discard):
                self.discards.add(item)
            else:
                has_frame = True
                self._frame(item, line)
        return has_frame

    def _frame(self, frame: bytes, line: Line) -> None:
        understood = self._shield.call(self.driver.decode, frame)
        if isinstance(understood, Exception):
            understood = Discard(DiscardReason.MALFORMED, len(frame))
        if isinstance(understood, Discard):
            self.discards.add(understood)
            return
        answer = understood.after_store
        receipt = None if answer is None else SerialReceipt(line, answer)
        if not self._repeats.is_repeat(understood, receipt, self._time_s()):
            self._outlet.report(self._stamp.report(understood, TimeSource.HUB, receipt))


class MqttFeed:
    """One device on MQTT."""

    __slots__ = ("_decode", "_outlet", "_shield", "_stamp", "device", "driver")

    def __init__(self, driver: MqttDriver, stamp: Stamp, outlet: Outlet) -> None:
        self.driver = driver
        self.device = stamp.device
        self._decode = driver.decode
        self._stamp = stamp
        self._outlet = outlet
        self._shield = Shield(driver.name)

    def take(self, part: MqttPart, way: TimeSource, receipt: Receipt | None) -> bool:
        """Understand one message; False if nothing of it has to be kept.

        One without samples shows that the device lives, and is reported without its receipt.
        """
        understood = self._shield.call(self._decode, part)
        if isinstance(understood, Message):
            is_kept = bool(understood.samples)
            report = self._stamp.report(understood, way, receipt if is_kept else None)
            self._outlet.report(report)
            return is_kept
        if isinstance(understood, Exception):
            understood = Discard(DiscardReason.MALFORMED, len(part.payload))
        if understood is not None:
            self.refuse(understood)
        return False

    def refuse(self, discard: Discard) -> None:
        """Count one that was not even looked at."""
        self._outlet.discard(self.device, discard)
