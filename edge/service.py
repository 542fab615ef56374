"""Acquire from every port and from the broker until told to stop.

    run(stop) ... stop is set > nothing new is read > run returns
    the hub commits what it has; receipts go back through the lines, which are still open
    finish() > the last acknowledgements are sent, the lines are closed

The order is the point: an acknowledgement is sent only for what is committed, and the last commit
happens when nothing new can arrive any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo

from device_drivers.contract import AnyDriver, MqttDriver, SerialDriver
from device_drivers.registry import drivers
from edge.clock import Clock
from edge.link import MqttFeed, SerialFeed
from edge.reading import Outlet
from edge.settings import DeviceSettings, MqttLink, MqttSettings, SerialLink
from edge.stamp import Stamp
from edge.supervise import Link, Supervisor
from edge.transports.mqtt import HEARTBEAT_S, MqttReader
from edge.transports.mqtt_routes import Routes
from edge.transports.serial_port import SerialPort, line_of

log = logging.getLogger(__name__)

FINISH_WITHIN_S = 3.0
D = TypeVar("D", SerialDriver, MqttDriver)


class Edge:
    """All links of one node. Making one joins devices and drivers; nothing is opened yet.

    Args:
        devices: Whom to listen to.
        mqtt: The broker, if there is one.
        outlet: Where everything goes.
        clock: Stamps.
        zone: Where naive device times are meant.
        client_id: Who we are to the broker: the same at every start, or the session is lost.
        known_deliveries: Message id to digest of what is committed but perhaps not yet
            acknowledged, from the last run.
        catalogue: Drivers by name, if not all there are.
        topic_root: Our own topics begin with it; ``linli/<client_id>`` if not given.
        heartbeat_s: How often we speak to ourselves through the broker.

    Raises:
        ValueError: a device's driver is unknown, or does not fit its link.
    """

    def __init__(
        self,
        devices: Sequence[DeviceSettings],
        mqtt: MqttSettings | None,
        outlet: Outlet,
        clock: Clock,
        zone: ZoneInfo,
        client_id: str,
        known_deliveries: Mapping[int, bytes] = MappingProxyType({}),
        *,
        catalogue: Mapping[str, AnyDriver] | None = None,
        topic_root: str | None = None,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        found = drivers() if catalogue is None else catalogue
        self._outlet = outlet
        self._clock = clock
        self._zone = zone
        self._ports = self._serial_ports(devices, found)
        self._mqtt: MqttReader | None = None
        routes = Routes(self._mqtt_feeds(devices, found))
        if mqtt is not None and routes.devices:
            self._mqtt = MqttReader(
                mqtt,
                routes,
                outlet,
                client_id=client_id,
                heartbeat_topic=f"{topic_root or f'linli/{client_id}'}/heartbeat",
                known=known_deliveries,
                heartbeat_s=heartbeat_s,
            )

    @property
    def repeats(self) -> int:
        """Redeliveries dropped since the start, because they were committed already."""
        return 0 if self._mqtt is None else self._mqtt.repeats

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set. Then nothing new is read, and ``finish`` must be awaited."""
        links: list[Link] = [*self._ports]
        if self._mqtt is not None:
            links.append(self._mqtt)
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(Supervisor(link, self._outlet).run(), name=link.name)
                for link in links
            ]
            await stop.wait()
            for task in running:
                task.cancel()

    async def finish(self) -> None:
        """Send what is still to be acknowledged and close all lines; at most about 3 s."""
        try:
            async with asyncio.timeout(FINISH_WITHIN_S), asyncio.TaskGroup() as group:
                for port in self._ports:
                    group.create_task(port.finish())
                if self._mqtt is not None:
                    group.create_task(self._mqtt.finish())
        except TimeoutError:
            log.warning("a line did not close in %g s; it is left to the system", FINISH_WITHIN_S)

    def _serial_ports(
        self, devices: Sequence[DeviceSettings], found: Mapping[str, AnyDriver]
    ) -> list[SerialPort]:
        """One port per path; devices that share it must agree how it is set."""
        loop_time = _LoopTime()
        ports = []
        shared: dict[str, list[tuple[DeviceSettings, SerialLink, SerialDriver]]] = {}
        for device in devices:
            if isinstance(device.link, SerialLink):
                driver = _driver(device, found, SerialDriver)
                shared.setdefault(device.link.serial, []).append((device, device.link, driver))
        for path, sharing in shared.items():
            lines = {line_of(link, driver.line) for _, link, driver in sharing}
            if len(lines) > 1:
                names = ", ".join(device.id for device, _, _ in sharing)
                raise ValueError(f"{path}: {names} do not agree how the line is set")
            feeds = [
                SerialFeed(driver, self._stamp(device), self._outlet, loop_time)
                for device, _, driver in sharing
            ]
            ports.append(SerialPort(path, lines.pop(), feeds))
        return ports

    def _mqtt_feeds(
        self, devices: Sequence[DeviceSettings], found: Mapping[str, AnyDriver]
    ) -> list[tuple[MqttFeed, MqttLink]]:
        return [
            (
                MqttFeed(_driver(device, found, MqttDriver), self._stamp(device), self._outlet),
                device.link,
            )
            for device in devices
            if isinstance(device.link, MqttLink)
        ]

    def _stamp(self, device: DeviceSettings) -> Stamp:
        return Stamp(device.id, self._clock, self._zone, device.map)


class _LoopTime:
    """The loop's time, asked for only while it runs: repeats on a line are a matter of the line."""

    def __call__(self) -> float:
        return asyncio.get_running_loop().time()


def _driver(device: DeviceSettings, found: Mapping[str, AnyDriver], kind: type[D]) -> D:
    """The device's driver, if it is of the kind its link needs."""
    driver = found.get(device.driver)
    if isinstance(driver, kind):
        return driver
    problem = "there is no such driver" if driver is None else "it is for another kind of link"
    raise ValueError(f"{device.id}: driver {device.driver!r}: {problem}")
