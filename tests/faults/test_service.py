"""Faults in a running service, with a real store: kept before told, found again after a restart,
told late where the disk fails, bounded in a storm."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from edge.clock import Clock
from hub import ledger
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.errors import NotFoundError, RefusedDecisionError
from hub.domain.events import (
    AcknowledgeWanted,
    AlertChanged,
    ClockChanged,
    DrillWanted,
    LinkChanged,
)
from hub.domain.fault import AlertState, FaultKind, Finding, Subject, SubjectKind
from hub.domain.opening import AlwaysOpen
from hub.faults.consequence import Sense
from hub.faults.detector import Detector
from hub.faults.rows import Recalled
from hub.faults.service import FaultsService, recalled
from hub.store.store import Store
from tests.faults.house import BRIDGE, MINUTE, device, link
from tests.faults.test_consequence import CENTRE

K = FaultKind
NOON = 1_795_320_000_000


class Told:
    """A detector that finds what the test says. ``tell`` is set when it is made."""

    next_ms: int | None = None

    def __init__(self) -> None:
        self.tell: Callable[[Finding], None] = lambda _: None

    def hear(self, event: object) -> None: ...

    discard = link = room = clock_set = hear

    def forget(self, device: str) -> None: ...

    def lag(self, seconds: float, now_ms: int) -> None: ...

    def advance(self, now_ms: int) -> None: ...

    def frame(self) -> bytes:
        return b"learnt"


class House:
    """``now``: what the clock says, in ms."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.folder = folder
        self.clock = Clock(true_time=lambda: self.now / 1000)
        self.told: list[AlertChanged] = []
        self.decided: list[Decided] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[House]:
        self.store = await Store.open(self.folder, self.clock)
        self.bus, self.detector = Bus(), Told()
        self.bus.subscribe(AlertChanged, self.told.append)
        self.bus.subscribe(Decided, self.decided.append)
        before = await recalled(self.store, self.now)
        self.faults = FaultsService(
            CENTRE,
            self.clock,
            self.bus,
            self.store,
            AlwaysOpen(),
            lambda _: frozenset({Sense.STILL}),
            self._detect,
            before,
        )
        self.learnt = before.learnt
        task = asyncio.create_task(self.faults.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self.store.close()

    def _detect(self, tell: Callable[[Finding], None], _: Recalled, now_ms: int) -> Detector:
        self.detector.tell = tell
        return self.detector

    def find(self, subject: Subject, kind: FaultKind, *, on: bool = True) -> None:
        self.detector.tell(Finding(subject, kind, on, self.now, self.now, {"code": "E3"}))

    async def until(self, claim: Callable[[], Any]) -> Any:
        for _ in range(2_000):
            if found := claim():
                return found
            await asyncio.sleep(0.01)
        raise AssertionError("never")

    def states(self) -> list[AlertState]:
        return [event.alert.state for event in self.told]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path).running() as running:
        yield running


def kept(folder: Path) -> dict[int, int | None]:
    """Alerts on the disk, and when each was over."""
    with contextlib.closing(sqlite3.connect(folder / "linli.db")) as db:
        return dict(db.execute("SELECT id, cleared_ms FROM alerts"))


async def test_an_alert_is_on_the_disk_before_anybody_is_told(house: House) -> None:
    seen: list[dict[int, int | None]] = []
    house.bus.subscribe(AlertChanged, lambda _: seen.append(kept(house.folder)))
    house.find(device("cabin-radar"), K.DEVICE_ERROR)
    await house.until(lambda: seen)
    assert seen[0] == {1: None}
    assert house.faults.alert(1).device == "cabin-radar"


async def test_what_stood_is_found_again_with_its_id_its_state_and_what_was_learnt(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.running():
        house.find(device("cabin-radar"), K.DEVICE_ERROR)
        await house.until(lambda: house.told)
        house.faults.acknowledge(1, "wang")
        house.faults.assign(1, "li", "wang")
        before = house.faults.alert(1)
    house.now += MINUTE
    async with house.running():
        assert house.faults.alerts() == [before]
        assert house.learnt == b"learnt"
        house.find(device("lane-pir"), K.TAMPER)
        await house.until(lambda: len(house.faults.alerts()) == 2)
        assert {alert.id for alert in house.faults.alerts()} == {1, 2}
        house.find(device("cabin-radar"), K.DEVICE_ERROR, on=False)
        await house.until(lambda: not house.faults.alert(1).is_open)
    assert [line.action for line in house.decided] == ["alert.acknowledge", "alert.assign"]
    assert kept(tmp_path) == {1: house.now, 2: None}


async def test_a_disk_that_fails_stops_nothing_and_is_told_late(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ledger, "LATE_S", 0.5)
    monkeypatch.setattr(ledger, "RETRY_S", 0.1)
    is_full = True
    work = house.store.work

    async def full(purpose: str, operate: Callable[[sqlite3.Connection], Any]) -> Any:
        if is_full:
            raise sqlite3.OperationalError("database or disk is full")
        return await work(purpose, operate)

    monkeypatch.setattr(house.store, "work", full)
    house.find(device("cabin-radar"), K.DEVICE_ERROR)
    await house.until(lambda: house.told)
    assert kept(house.folder) == {}
    assert "without being kept" in caplog.text
    is_full = False
    await house.until(lambda: kept(house.folder) == {1: None})
    assert house.states() == [AlertState.RAISED], "once"


async def test_a_drill_goes_the_whole_way_and_ends_when_somebody_answers(house: House) -> None:
    house.bus.publish(DrillWanted(7, K.BROKER_DOWN, house.now))
    (raised,) = await house.until(lambda: house.told)
    assert raised.alert.is_drill
    assert raised.alert.evidence["number"] == 7
    assert raised.alert.rooms_blinded == raised.alert.devices == ()
    assert house.faults.in_room("cabin") == []
    house.bus.publish(AcknowledgeWanted(raised.alert.id, "wang", house.now))
    await house.until(lambda: len(house.told) == 3)
    assert house.states() == [AlertState.RAISED, AlertState.ACKNOWLEDGED, AlertState.CLEARED]
    assert list(house.faults.faults()) == []


async def test_a_drill_that_nobody_answers_ends_after_half_an_hour_over_a_restart(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.running():
        house.bus.publish(DrillWanted(7, K.BROKER_DOWN, house.now))
        await house.until(lambda: house.told)
    house.now += 29 * MINUTE
    async with house.running():
        house.faults.look(house.now)
        assert len(house.faults.alerts()) == 1
        house.now += MINUTE
        await house.until(lambda: AlertState.CLEARED in house.states())


async def test_who_comes_too_late_to_acknowledge_does_no_harm(house: House) -> None:
    house.find(device("cabin-radar"), K.DEVICE_ERROR)
    await house.until(lambda: house.told)
    house.find(device("cabin-radar"), K.DEVICE_ERROR, on=False)
    await house.until(lambda: len(house.told) == 2)
    house.bus.publish(AcknowledgeWanted(1, "wang", house.now))
    with pytest.raises(RefusedDecisionError):
        house.faults.acknowledge(1, "wang")
    with pytest.raises(NotFoundError):
        house.faults.acknowledge(99, "wang")
    assert house.decided == []


async def test_a_storm_of_findings_is_one_alert_and_few_rows(house: House) -> None:
    devices = frozenset(one.id for one in CENTRE.devices)
    house.bus.publish(LinkChanged(BRIDGE, devices, False, "parent_down", True, house.now))
    house.find(link(BRIDGE), K.GATEWAY_DOWN)
    for number in range(10_000):
        name = CENTRE.devices[number % len(CENTRE.devices)].id
        house.find(device(name, f"contact.x{number // 6}"), K.FLAPPING)
    house.find(Subject(SubjectKind.DEVICE, "cabin-radar"), K.SILENT)
    house.now += 5 * MINUTE
    await house.until(lambda: house.told)
    assert [event.alert.kind for event in house.told] == [K.GATEWAY_DOWN]
    assert len(list(house.faults.faults())) <= 6 * 60 + 1
    with contextlib.closing(sqlite3.connect(house.folder / "linli.db")) as db:
        (count,) = db.execute("SELECT count(*) FROM faults").fetchone()
    assert count <= 6 * 60 + 1


async def test_times_from_before_the_clock_was_known_are_moved(house: House) -> None:
    house.find(device("cabin-radar"), K.DEVICE_ERROR)
    await house.until(lambda: house.told)
    house.now += 1000 * MINUTE
    moved = ClockChanged(1000 * MINUTE, is_trusted=True, at_ms=house.now, moved_from_ms=NOON)
    house.bus.publish(moved)
    await house.until(lambda: len(house.told) == 2)
    assert house.faults.alert(1).raised_ms == house.told[0].alert.raised_ms + 1000 * MINUTE
    (fault,) = house.faults.faults()
    assert fault.since_ms == NOON + 1000 * MINUTE


async def test_what_is_over_is_known_after_a_restart_to_who_holds_its_link(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running():
        house.bus.publish(DrillWanted(1, K.TAMPER, house.now))
        await house.until(lambda: house.told)
        house.faults.acknowledge(1, "li")
        await house.until(lambda: house.states()[-1] is AlertState.CLEARED)
    async with house.running():
        alert = house.faults.alert(1)
        assert (alert.is_drill, alert.acknowledged_by) == (True, "li")


async def test_what_is_shelved_before_the_clock_was_known_is_not_hidden_for_years(
    house: House,
) -> None:
    house.find(device("cabin-radar"), K.DEVICE_ERROR)
    await house.until(lambda: house.told)
    house.faults.shelve(1, house.now + 60 * MINUTE, "li")
    back = -1000 * 24 * 60 * MINUTE
    house.now += back
    house.bus.publish(ClockChanged(back, is_trusted=True, at_ms=house.now, moved_from_ms=NOON))
    assert house.faults.alert(1).shelved_until_ms == house.now + 60 * MINUTE


async def test_past_alerts_come_in_pages_also_before_they_are_on_the_disk(house: House) -> None:
    for number in range(5):
        house.find(device("cabin-radar", str(number)), K.TAMPER)
        await house.until(lambda: len(house.faults.alerts()) == 1)
        house.find(device("cabin-radar", str(number)), K.TAMPER, on=False)
        await house.until(lambda: not house.faults.alerts())
    ids: list[int] = []
    before = 2**53
    while page := await house.faults.past(before, 2):
        ids += [alert.id for alert in page]
        before = page[-1].id
    assert ids == [5, 4, 3, 2, 1]


async def test_what_was_taken_out_of_the_configuration_is_broken_no_more(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running():
        house.find(device("cabin-radar"), K.DEVICE_ERROR)
        house.find(device("sold-last-year"), K.DEVICE_ERROR)
        house.find(link(BRIDGE), K.GATEWAY_DOWN)
        house.now += 5 * MINUTE
        await house.until(lambda: len(house.told) == 3)
    async with house.running():
        await house.until(lambda: len(house.faults.alerts()) == 2)
        house.now += 10 * MINUTE  # no link of that name has said anything
        await house.until(lambda: [one.device for one in house.faults.alerts()] == ["cabin-radar"])


async def test_what_hangs_on_a_wire_is_known_before_the_wire_says_so(tmp_path: Path) -> None:
    house = House(tmp_path)
    devices = frozenset(one.id for one in CENTRE.devices)
    async with house.running():
        house.bus.publish(LinkChanged(BRIDGE, devices, False, "parent_down", True, house.now))
        house.find(link(BRIDGE), K.GATEWAY_DOWN)
        house.now += 5 * MINUTE
        await house.until(lambda: house.told)
    async with house.running():
        house.faults.look(house.now)
        (alert,) = house.faults.alerts()
        assert alert == house.told[-1].alert
        assert alert.rooms_blinded == ("cabin", "lane", "reading")
        assert set(alert.devices) == devices
