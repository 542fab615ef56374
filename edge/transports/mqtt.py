"""The reader: one durable session with the broker, QoS 1, acknowledged when it is safe.

A session of ours goes through these steps, over and over:

    connect > CONNACK > subscribe > SUBACK > first heartbeat ... > heartbeat every 10 s ... > lost
              |  session present: what comes now waited for us (``queued``)  |  live

A message is acknowledged by its receipt, after the hub has committed it; those that need no
keeping (refused, repeated, not ours) at once. When as many as ``inflight`` wait for the hub we
stop reading until it has caught up: Mosquitto does not hold its own window under late
acknowledgement. What identifies deliveries over connections and restarts is in mqtt_window.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

import paho.mqtt.client as paho

from device_drivers.contract import Discard, DiscardReason, MqttPart
from edge.reading import Outlet, Receipt, TimeSource
from edge.settings import MqttSettings
from edge.supervise import LinkError
from edge.transports.mqtt_client import Connection
from edge.transports.mqtt_heartbeat import Heartbeat
from edge.transports.mqtt_routes import DEVICE_LIMIT, PARENT_LIMIT, Parent, Route, Routes
from edge.transports.mqtt_window import MqttReceipt, Window, digest

log = logging.getLogger(__name__)

LINK_NAME = "mqtt"
HEARTBEAT_S = 10.0
ANSWER_WITHIN_S = 10.0
"""For CONNACK, SUBACK and the first heartbeat; time in which we do not read does not count."""
LONGEST_WAIT_S = 15.0
"""Between attempts: with the heartbeat's 25 s a broker that is back is used within a minute."""
SLICE_S = 0.5
LONGEST_PAUSE_S = 600.0
"""A handshake that is paused for so long is given up; the hub has not committed for ten minutes."""
FAREWELL_S = 2.0

T = TypeVar("T")


class MqttReader:
    """Everything we read from the broker."""

    name = LINK_NAME
    longest_wait_s = LONGEST_WAIT_S

    def __init__(
        self,
        settings: MqttSettings,
        routes: Routes,
        outlet: Outlet,
        *,
        client_id: str,
        heartbeat_topic: str,
        known: Mapping[int, bytes],
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self.devices = routes.devices
        self._settings = settings
        self._routes = routes
        self._outlet = outlet
        self._client_id = client_id
        self._heartbeat_topic = heartbeat_topic
        self._heartbeat_s = heartbeat_s
        self._heartbeat = Heartbeat(heartbeat_s)
        self._connection: Connection | None = None
        self._way = TimeSource.HUB
        self._refused: frozenset[str] = frozenset()
        self._confirmed = 0
        self._window = Window(settings.inflight, known, self._ack, self._on_room)

    @property
    def repeats(self) -> int:
        """Redeliveries of what we had already, dropped since the start."""
        return self._window.repeats

    async def session(self, up: Callable[[], None]) -> NoReturn:
        """Connect and read until the connection is lost.

        Raises:
            LinkError: it could not be had, or is gone.
        """
        connection = Connection(self._settings, self._client_id, self)
        try:
            await connection.open()
            self._connection = connection
            await self._begin(connection)
            up()
            await self._beat_for_ever(connection)
        except asyncio.CancelledError:
            connection.stop_reading()  # what is committed next is still acknowledged
            raise
        except BaseException:
            self._connection = None
            self._window.disconnected()
            connection.close()
            raise

    async def finish(self) -> None:
        """Let the last acknowledgements reach the broker, then hang up; bounded."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(FAREWELL_S):
                await connection.farewell()
        self._window.disconnected()
        connection.close()

    # -- a connection's life ---------------------------------------------------------------

    async def _begin(self, connection: Connection) -> None:
        """CONNACK, SUBACK and the first beat."""
        self._heartbeat = Heartbeat(self._heartbeat_s)
        await _answer(connection, connection.session_present)
        wanted = self._routes.filters
        filters = [self._heartbeat_topic, *wanted]
        asking = asyncio.ensure_future(connection.subscribe(filters))
        try:
            refused = await _answer(connection, asking)
        finally:
            asking.cancel()
        self._tell_refused({name: wanted.get(name, self.devices) for name in refused})
        self._beat(connection)

    def on_session(self, session_present: bool) -> None:
        """CONNACK, in the very call that reads it: what it holds for us may follow at once."""
        self._window.connected(session_present)
        self._way = TimeSource.QUEUED if session_present else TimeSource.HUB

    async def _beat_for_ever(self, connection: Connection) -> NoReturn:
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self._heartbeat_s
        queue_ends_s = loop.time() + ANSWER_WITHIN_S
        while True:
            await asyncio.wait({connection.ended}, timeout=min(SLICE_S, self._heartbeat_s / 4))
            if connection.ended.done():
                raise LinkError(connection.ended.result())
            now_s = loop.time()
            if connection.is_paused:
                queue_ends_s += SLICE_S
            elif self._heartbeat.is_late(now_s, connection.heard_s):
                raise LinkError("no_answer", "the broker holds the connection and says nothing")
            if now_s > queue_ends_s:
                self._give_up_queue()
            if now_s >= due_s:
                self._beat(connection)
                due_s = now_s + self._heartbeat_s

    def _give_up_queue(self) -> None:
        """Our first beat did not come back, so we can not tell where the queue ends."""
        if self._way is TimeSource.QUEUED:
            self._way = TimeSource.HUB
            log.warning(
                "%s: our own message did not come back in %g s; what comes counts as live",
                self.name,
                ANSWER_WITHIN_S,
            )

    def _beat(self, connection: Connection) -> None:
        now_s = asyncio.get_running_loop().time()
        payload, qos = self._heartbeat.beat(now_s, self._window.claim())
        connection.publish(self._heartbeat_topic, payload, qos)

    def _tell_refused(self, refused: dict[str, frozenset[str]]) -> None:
        """The broker's access list keeps topics from us: name them once, and when it is mended."""
        for name in sorted(self._refused - refused.keys()):
            self._outlet.link(f"{LINK_NAME}:{name}", self._routes.filters[name], True, "")
        for name in sorted(refused.keys() - self._refused):
            log.warning("%s: the broker does not let us read %s", self.name, name)
            self._outlet.link(f"{LINK_NAME}:{name}", refused[name], False, "not_authorised")
        self._refused = frozenset(refused)

    # -- messages --------------------------------------------------------------------------

    def on_message(self, message: paho.MQTTMessage) -> None:
        """One message; the hottest path of the hub."""
        try:
            topic, payload = message.topic, bytes(message.payload)
        except UnicodeDecodeError:
            # MQTT forbids it and brokers refuse it; raised from here it would come for ever.
            self._ack(message.mid)
            return
        receipt: MqttReceipt | None = None
        if message.qos:
            receipt = self._window.arrived(message.mid, digest(topic, payload), message.dup)
            if receipt is None:
                self._stop_when_full()
                return
        route = self._routes.find(topic)
        if route is None:
            self._other(topic, payload)
        elif self._device(route, payload, message.retain, receipt):
            self._stop_when_full()
            return
        if receipt is not None:
            self._window.waive(receipt)

    def _stop_when_full(self) -> None:
        if self._window.is_full and self._connection is not None:
            self._connection.pause()

    def _device(
        self, route: Route, payload: bytes, is_retained: bool, receipt: Receipt | None
    ) -> bool:
        """A device's message; must it be kept?"""
        if len(payload) > DEVICE_LIMIT:
            route.feed.refuse(Discard(DiscardReason.OVERSIZE, len(payload)))
            return False
        way = TimeSource.RETAINED if is_retained else self._way
        return route.feed.take(MqttPart(route.subtopic, payload), way, receipt)

    def _other(self, topic: str, payload: bytes) -> None:
        """Our own beat, a parent, or a topic of a device that is configured no more."""
        if topic == self._heartbeat_topic:
            self._returned(payload)
            return
        parent: Parent | None = self._routes.parents.get(topic)
        if parent is None:
            return
        if len(payload) > PARENT_LIMIT:
            log.warning("%s: %d bytes, more than we read", topic, len(payload))
            return
        online = parent.online(payload)
        if online is not None:
            self._outlet.parent(topic, parent.devices, online)

    def _returned(self, payload: bytes) -> None:
        claim = self._heartbeat.returned(payload)
        if claim is None:
            return
        self._way = TimeSource.HUB
        self._window.replayed()
        if claim > self._confirmed:
            self._confirmed = claim
            self._window.confirmed(claim)
            self._outlet.confirmed(claim)

    def _ack(self, mid: int) -> bool:
        return self._connection is not None and self._connection.ack(mid)

    def _on_room(self) -> None:
        if self._connection is not None:
            self._connection.resume()


async def _answer(connection: Connection, answer: asyncio.Future[T]) -> T:
    """What we wait for, or the end of the connection; a pause stops the clock.

    Raises:
        LinkError: the connection ended, or nothing came.
    """
    left_s, paused_s = ANSWER_WITHIN_S, 0.0
    while True:
        either: set[asyncio.Future[T] | asyncio.Future[str]] = {answer, connection.ended}
        await asyncio.wait(either, timeout=SLICE_S, return_when=asyncio.FIRST_COMPLETED)
        if connection.ended.done():
            raise LinkError(connection.ended.result())
        if answer.done():
            return answer.result()
        if connection.is_paused:
            paused_s += SLICE_S
        else:
            left_s -= SLICE_S
        if left_s <= 0 or paused_s >= LONGEST_PAUSE_S:
            raise LinkError("no_answer", "the broker does not answer")
