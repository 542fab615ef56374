"""Work orders, reports and lives in a running service, with a real store and restarts."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import cast

import msgspec
import pytest

from hub.domain.device import DeviceState, Health
from hub.domain.errors import NotFoundError, RefusedDecisionError
from hub.domain.events import ClockChanged
from hub.domain.fault import FaultKind
from hub.domain.room import Presence, RoomState, Status
from hub.domain.views import DevicesView, RoomsView
from hub.domain.work import OrderState, ProofKind, WorkOrder
from hub.maintenance import rows
from hub.maintenance.life import Rhythm, What
from hub.maintenance.reports import MOST_OF_ROOM, Report
from hub.maintenance.rules import HOLDS_MS, Opening
from hub.store.store import DATABASE
from tests.maintenance.house import House, centre
from tests.maintenance.making import DAY, MINUTE, NOON, alert, fault, heard

K = FaultKind
NONE = Opening()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path).running() as running:
        yield running


def kept(folder: Path) -> list[WorkOrder]:
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as db:
        found = db.execute("SELECT body FROM work_orders ORDER BY id").fetchall()
    return [msgspec.json.decode(body, type=WorkOrder) for (body,) in found]


def speak(house: House, times: int) -> None:
    for _ in range(times):
        house.now += 20_000
        house.bus.publish(heard(house.now))


async def test_an_order_is_closed_by_its_sensor_also_over_restarts(tmp_path: Path) -> None:
    house = House(tmp_path)
    broken = fault(3)
    async with house.running():
        house.find(broken)
        house.alarm(alert(7))
        order = house.orders.from_alert(7, Opening(assignee="wang"), "li")
        assert house.orders.from_alert(7, NONE, "zhang").id == order.id
        assert house.orders.of_alert(7) == order
        house.now += MINUTE
        house.orders.done(order.id, "new cable", "wang")
        speak(house, 5)  # the fault stands: they prove nothing
        assert house.orders.open()[0].state is OrderState.DONE
        house.clear(broken)
        speak(house, 1)
    async with house.running():
        (order,) = house.orders.open()
        assert order.proof is not None
        assert order.proof.seen == 1  # what was seen before the restart counts
        speak(house, 2)
        (last,) = [o for o in await house.orders.past(99, 10) if o.id == order.id]
        assert last.state is OrderState.VERIFIED
        assert not house.orders.open()
    (order,) = kept(tmp_path)
    assert [entry.what for entry in order.history] == ["opened", "done", "verified"]
    assert [entry.who for entry in order.history] == ["li", "wang", ""]
    house.now += 13 * DAY
    again = fault(4, found_ms=house.now)
    async with house.running():
        house.find(again)
        house.alarm(alert(8))
        (order,) = house.orders.open()
        assert (order.state, order.reopened, order.held) == (OrderState.OPEN, 1, False)
        assert order.alerts == (7, 8)
        assert house.orders.not_held() == 1


async def test_what_was_found_again_while_the_hub_was_killed_opens_it(tmp_path: Path) -> None:
    """The fault was on the disk, what it means for the order was not yet."""
    house = House(tmp_path)
    async with house.running():
        house.alarm(alert(7))
        order = house.orders.from_alert(7, NONE, "li")
        house.orders.done(order.id, "", "li")
        speak(house, 3)
        assert not house.orders.open()
    house.now += DAY
    house.faults.open_faults[4] = fault(4, found_ms=house.now)
    async with house.running():
        assert house.orders.open()[0].reopened == 1


async def test_a_repair_that_lasted_has_held(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running():
        house.alarm(alert(7))
        order = house.orders.from_alert(7, NONE, "li")
        house.orders.done(order.id, "", "li")
        speak(house, 3)
        house.pass_(HOLDS_MS)
        found = await house.orders.find(order.id)
        assert found.held is True
        # what comes now is another order
        house.find(fault(9, found_ms=house.now))
        house.alarm(alert(9))
        assert house.orders.from_alert(9, NONE, "li").id == order.id + 1
    assert kept(tmp_path)[0].held is True


async def test_devices_without_a_proof_cost_nothing(house: House) -> None:
    for number in range(5):
        house.bus.publish(heard(NOON + number, device="somebody-else"))
    assert house.changed == []
    house.alarm(alert(7))
    order = house.orders.from_alert(7, NONE, "li")
    speak(house, 3)  # an open order waits for a person
    assert house.orders.open() == [order]


async def test_it_is_kept_before_it_is_told(house: House, tmp_path: Path) -> None:
    house.alarm(alert(7))
    house.orders.from_alert(7, NONE, "li")
    assert house.changed == []
    await house.until(lambda: house.changed)
    assert [order.id for order in kept(tmp_path)] == [1]


async def test_a_door_is_tried_out_by_whoever_repaired_it(house: House) -> None:
    house.alarm(alert(7, K.DOOR_CONTRADICTED))
    order = house.orders.from_alert(7, NONE, "li")
    order = house.orders.done(order.id, "", "li")
    assert order.proof is not None
    assert order.proof.kind is ProofKind.SELF_TEST
    assert list(house.orders.steps(order.id)) == ["open_door", "shut_door"]
    house.bus.publish(heard(house.now + 1, 1))
    house.bus.publish(heard(house.now + 2, 0))
    assert not house.orders.open()


async def test_a_wire_is_proven_by_time(house: House) -> None:
    house.alarm(alert(7, K.STUCK))
    order = house.orders.from_alert(7, NONE, "li")
    order = house.orders.done(order.id, "", "li")
    for value in range(6):
        house.now += 1_000
        house.bus.publish(heard(house.now, value))
    assert house.orders.open()[0].proof is not None
    assert house.orders.ready_ms(order.id) == NOON + 10 * MINUTE
    house.pass_(10 * MINUTE)  # nothing more is said, and nothing more is needed
    assert not house.orders.open()


async def test_nobodys_word_is_taken_where_a_sensor_can_tell(house: House) -> None:
    house.alarm(alert(7))
    order = house.orders.from_alert(7, NONE, "li")
    with pytest.raises(RefusedDecisionError):
        house.orders.confirm(order.id, "li")
    house.orders.done(order.id, "", "li")
    with pytest.raises(RefusedDecisionError):
        house.orders.confirm(order.id, "li")
    other = house.orders.from_person(Opening("paint the wall"), "gym", "li")
    with pytest.raises(RefusedDecisionError):
        house.orders.confirm(other.id, "li")  # nobody has said that it is done
    house.orders.done(other.id, "", "li")
    assert house.orders.confirm(other.id, "zhang").state is OrderState.VERIFIED


async def test_a_drill_is_no_work_and_an_unknown_alert_is_none(house: House) -> None:
    house.alarm(alert(7, is_drill=True))
    with pytest.raises(RefusedDecisionError):
        house.orders.from_alert(7, NONE, "li")
    with pytest.raises(NotFoundError):
        house.orders.from_alert(99, NONE, "li")
    with pytest.raises(NotFoundError):
        house.orders.done(5, "", "li")


async def test_every_decision_is_recorded_with_its_author(house: House) -> None:
    house.alarm(alert(7))
    order = house.orders.from_alert(7, NONE, "li")
    house.orders.assign(order.id, "wang", NOON + DAY, "zhang")
    house.orders.comment(order.id, "the part\nis ordered", "wang")
    house.orders.cancel(order.id, "given up", "zhang")
    actions = [(one.action, one.who) for one in house.decided]
    expected = ["order.open", "order.assign", "order.comment", "order.cancel"]
    assert [action for action, _ in actions] == expected
    assert [who for _, who in actions] == ["li", "zhang", "wang", "zhang"]
    found = await house.orders.find(order.id)
    assert found.history[2].note == "the part is ordered"
    with pytest.raises(RefusedDecisionError):
        house.orders.done(order.id, "", "li")


async def test_a_clock_that_was_wrong_moves_what_was_done(house: House) -> None:
    house.alarm(alert(7))
    order = house.orders.from_alert(7, NONE, "li")
    house.orders.done(order.id, "", "li")
    house.now += DAY
    house.bus.publish(ClockChanged(DAY, True, house.now, NOON))
    assert house.orders.open()[0].done_ms == NOON + DAY
    speak(house, 3)
    assert not house.orders.open()


# --- reports -------------------------------------------------------------------------------------


class Rooms:
    def state(self, room: str) -> RoomState:
        nobody = (Presence.UNKNOWN, None, None)
        return RoomState(room, Status.UNKNOWN, *nobody, None, NOON, NOON, NOON, ())


class Devices:
    def in_room(self, room: str) -> list[DeviceState]:
        what = ("gym-door", "zigbee2mqtt", room, None, None, "tried")
        return [DeviceState(*what, Health.SILENT, NOON - DAY, {})]


async def report(house: House, room: str = "gym", what: str = "sign", words: str = "") -> Report:
    rooms, devices = cast(RoomsView, Rooms()), cast(DevicesView, Devices())
    return await house.reports.make(room, what, words, rooms, devices)


async def test_a_report_is_kept_with_what_the_hub_knew_then(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running():
        await report(house, words="it says free\nand it is full")
        with pytest.raises(NotFoundError):
            await report(house, "attic")
        with pytest.raises(RefusedDecisionError):
            await report(house, what="nonsense")
        with pytest.raises(RefusedDecisionError):
            await report(house, words="x" * 201)
    async with house.running():
        (found,) = house.reports.open()
        assert found.text == "it says free and it is full"
        assert found.snapshot.status == "unknown"
        assert [seen.health for seen in found.snapshot.devices] == ["silent"]
        order = house.reports.order(found.id, NONE, "li")
        assert (order.title, order.room, order.report) == (found.text, "gym", found.id)
        assert not house.reports.open()
        with pytest.raises(RefusedDecisionError):
            house.reports.answer(found.id, "too late", "zhang")
        assert [one.order for one in await house.reports.past(99, 10)] == [order.id]
    async with house.running():
        assert house.reports.answered == 1
        assert [one.answered_by for one in await house.reports.past(99, 10)] == ["li"]


async def test_reports_are_bounded(house: House) -> None:
    for _ in range(MOST_OF_ROOM):
        await report(house)
    with pytest.raises(RefusedDecisionError) as refused:
        await report(house)
    assert refused.value.status == 429
    await report(house, "lane")  # another room has its own
    house.reports.answer(1, "thank you", "li")
    await report(house)


# --- the life of devices -------------------------------------------------------------------------


async def test_a_device_that_was_moved_keeps_its_past(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running():
        lines = await house.lives.of("gym-door")
        assert [(one.what, one.room) for one in lines] == [(What.PLACED, "gym")]
    house.now += DAY
    async with house.running():
        assert len(await house.lives.of("gym-door")) == 1  # a restart is no move
    house.place = centre(**{"gym-door": "lane", "gym-bp": "gym"})
    async with house.running():
        lines = await house.lives.of("gym-door")
        places = [(one.what, one.room, one.at_ms) for one in lines]
        assert places == [(What.MOVED, "lane", NOON + DAY), (What.PLACED, "gym", NOON)]


async def test_another_device_under_the_same_id_is_told(house: House) -> None:
    house.lives.record("gym-door", What.REPLACED, NOON, "the old one broke", "li")
    assert [event.device for event in house.replaced] == ["gym-door"]
    assert house.decided[-1].action == "device.replaced"
    for what, at_ms in ((What.MOVED, NOON), (What.BATTERY, NOON + DAY)):
        with pytest.raises(RefusedDecisionError):
            house.lives.record("gym-door", what, at_ms, "", "li")
    with pytest.raises(NotFoundError):
        house.lives.record("nowhere", What.BATTERY, NOON, "", "li")


async def test_a_calibration_counts_from_the_newer_day(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running():
        (due,) = house.lives.due()
        assert (due.on, due.is_over) == (date(2026, 12, 1), False)
        house.lives.record("gym-bp", What.CALIBRATED, house.lives.noon_ms("2026-11-20"), "", "li")
        assert house.lives.due() == []
    async with house.running():
        assert house.lives.due() == []
        house.now += 340 * DAY
        assert house.lives.due()[0].on == date(2027, 11, 20)
        house.now += 60 * DAY
        assert house.lives.due()[0].is_over
    house.rhythms = {"gym-door": Rhythm(house.rhythms["gym-bp"].every)}
    async with house.running():
        assert house.lives.due()[0].on is None  # nobody knows


async def test_batteries_of_this_month_the_emptiest_first(house: House) -> None:
    def low(number: int, device: str, days: float, kind: FaultKind = K.BATTERY_LOW) -> None:
        about = msgspec.structs.replace(fault(number, kind).subject, id=device)
        one = fault(number, kind, about=about)
        house.find(msgspec.structs.replace(one, evidence={"level": 9.0, "days_left": days}))

    low(1, "a", 20)
    low(2, "b", 60)
    low(3, "c", -1)
    low(4, "d", 3)
    low(5, "e", 0, K.BATTERY_DEAD)
    house.now += 2 * DAY
    found = [(one.device, one.days_left) for one in house.lives.batteries([])]
    assert found == [("e", 0), ("d", 1), ("a", 18), ("c", None)]


async def test_the_oldest_go_where_there_are_very_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_ORDERS", 3)
    house = House(tmp_path)
    async with house.running():
        for number in range(6):
            order = house.orders.from_person(Opening(f"number {number}"), "gym", "li")
            if number:  # the first stays open, however old
                house.orders.cancel(order.id, "", "li")
    async with house.running():
        assert [order.id for order in house.orders.open()] == [1]
    assert [order.id for order in kept(tmp_path)] == [1, 4, 5, 6]
