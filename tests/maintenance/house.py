"""Work orders, reports and lives over a real store, with faults that the test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.centre import Building, Centre, Device, Placement, Room
from hub.domain.errors import NotFoundError
from hub.domain.events import AlertChanged, DeviceReplaced, FaultChanged, OrderChanged
from hub.domain.fault import Alert, AlertState, Fault
from hub.ledger import Ledger
from hub.maintenance import rows
from hub.maintenance.life import Rhythm
from hub.maintenance.lives import LivesService
from hub.maintenance.reporting import ReportsService
from hub.maintenance.service import OrdersService
from hub.maintenance.upkeep import recalled
from hub.store.store import Store
from tests.maintenance.making import NOON, WANTS

ROOMS = tuple(Room(one, {"en": one.title()}, "main", 1, "gym", 20) for one in ("gym", "lane"))


def centre(**places: str) -> Centre:
    devices = tuple(
        Device(name, "zigbee2mqtt", {"": Placement(room=room)}, "tried", 60_000, 60_000)
        for name, room in places.items()
    )
    main = Building("main", {"en": "Main"})
    return Centre("trial", {"en": "Trial"}, "Asia/Shanghai", (main,), ROOMS, (), devices)


class Told:
    """Implements ``FaultsView`` with what the test found."""

    def __init__(self) -> None:
        self.open_faults: dict[int, Fault] = {}
        self.all_alerts: dict[int, Alert] = {}

    def fault(self, number: int) -> Fault:
        return self.open_faults[number]

    def faults(self) -> Sequence[Fault]:
        return list(self.open_faults.values())

    def alert(self, number: int) -> Alert:
        if number not in self.all_alerts:
            raise NotFoundError(str(number))
        return self.all_alerts[number]

    def alerts(self) -> Sequence[Alert]:
        return list(self.all_alerts.values())

    def counts(self) -> Mapping[AlertState, int]:
        return {}

    def of_device(self, device: str) -> Sequence[Fault]:
        return [fault for fault in self.faults() if fault.device == device]

    def in_room(self, room: str) -> Sequence[Alert]:
        return ()


class House:
    """``now``: what the clock says, in ms. What ``faults`` holds survives a restart."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.folder = folder
        self.clock = Clock(true_time=lambda: self.now / 1000)
        self.faults = Told()
        self.place = centre(**{"gym-door": "gym", "gym-bp": "gym"})
        self.rhythms = {"gym-bp": Rhythm(timedelta(days=365), date(2025, 12, 1))}
        self.changed: list[OrderChanged] = []
        self.decided: list[Decided] = []
        self.replaced: list[DeviceReplaced] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[House]:
        store = await Store.open(self.folder, self.clock)
        self.bus = bus = Bus()
        bus.subscribe(OrderChanged, self.changed.append)
        bus.subscribe(Decided, self.decided.append)
        bus.subscribe(DeviceReplaced, self.replaced.append)
        before = await recalled(store, self.now)
        ledger = Ledger(store, bus, "maintenance", rows.keep)
        of = (self.clock, bus, store, ledger)
        self.orders = OrdersService(
            *of, self.faults, WANTS, lambda _: frozenset({"contact"}), before
        )
        self.reports = ReportsService(self.place, *of, self.orders, before)
        self.lives = LivesService(self.place, *of, self.faults, self.rhythms, before)
        task = asyncio.create_task(self.orders.run())
        for _ in range(3):
            await asyncio.sleep(0)  # it has begun, and its own tasks too
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            await store.close()

    def find(self, fault: Fault) -> None:
        self.faults.open_faults[fault.id] = fault
        self.bus.publish(FaultChanged(fault))

    def clear(self, fault: Fault) -> None:
        del self.faults.open_faults[fault.id]
        self.bus.publish(FaultChanged(fault))

    def alarm(self, alert: Alert) -> None:
        self.faults.all_alerts[alert.id] = alert
        self.bus.publish(AlertChanged(alert, None))

    def pass_(self, ms: int) -> None:
        self.now += ms
        self.orders.run_due(self.now)

    async def until(self, claim: Callable[[], Any]) -> Any:
        for _ in range(2_000):
            if found := claim():
                return found
            await asyncio.sleep(0.01)
        raise AssertionError("never")
