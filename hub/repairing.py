"""From settings and store to what is done about faults: orders, reports, the life of devices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from device_drivers.registry import drivers
from edge.clock import Clock
from hub.bus import Bus
from hub.configuration.models import CentreSettings
from hub.domain.centre import Centre
from hub.domain.fault import FaultKind
from hub.domain.views import FaultsView
from hub.faults.kinds import KINDS
from hub.ledger import Ledger
from hub.live import LiveState
from hub.maintenance import rows
from hub.maintenance.life import Rhythm
from hub.maintenance.lives import LivesService
from hub.maintenance.proof import Want
from hub.maintenance.reporting import ReportsService
from hub.maintenance.rows import Recalled
from hub.maintenance.service import OrdersService
from hub.store.store import Store

PRESSURE = "bp.systolic"
YEARLY = timedelta(days=365)
"""JJG 692: a sphygmomanometer is verified at least once a year."""
WANTS: Mapping[FaultKind, Want] = {
    kind: Want(row.proof, row.reports) for kind, row in KINDS.items()
}


class Repairs(NamedTuple):
    """``orders.run`` writes what all three have to keep."""

    orders: OrdersService
    reports: ReportsService
    lives: LivesService


def repairs(
    config: CentreSettings,
    place: Centre,
    clock: Clock,
    bus: Bus,
    store: Store,
    faults: FaultsView,
    before: Recalled,
) -> Repairs:
    ledger = Ledger(store, bus, "maintenance", rows.keep)
    says = partial(channels_of, store.live)
    orders = OrdersService(clock, bus, store, ledger, faults, WANTS, says, before)
    reports = ReportsService(place, clock, bus, store, ledger, orders, before)
    lives = LivesService(place, clock, bus, store, ledger, faults, calibrated(config), before)
    return Repairs(orders, reports, lives)


def channels_of(live: LiveState, device: str) -> frozenset[str]:
    """What a device has said so far, with parts."""
    keys = [series.key for series in live.by_device.get(device, ())]
    return frozenset(f"{key.channel}.{key.part}" if key.part else key.channel for key in keys)


def calibrated(config: CentreSettings) -> dict[str, Rhythm]:
    """Devices that are calibrated: those that say so, and all that measure blood pressure."""
    found = {}
    for item in config.devices:
        if item.calibration is not None:
            found[item.id] = Rhythm(item.calibration.every, item.calibration.last)
        elif PRESSURE in drivers()[item.driver].channels:
            found[item.id] = Rhythm(YEARLY)
    return found
