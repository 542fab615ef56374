"""When a fault asks for attention, and what people do about it."""

from __future__ import annotations

import pytest

from hub.domain.errors import RefusedDecisionError
from hub.domain.fault import AlertState, FaultKind
from tests.faults.house import BRIDGE, HOUR, MINUTE, House, device, link

K = FaultKind
SIXTY = [f"sensor-{number}" for number in range(60)]


def test_a_gateway_with_sixty_sensors_is_one_alert_and_one_clear() -> None:
    house = House(SIXTY)
    for name in SIXTY[:40]:  # those that speak often are missed before the broker knows
        house.find(device(name), K.SILENT)
        house.wait(1_000)
    house.find(link(BRIDGE), K.GATEWAY_DOWN)
    for name in SIXTY[40:]:
        house.find(device(name), K.SILENT)
    house.wait(HOUR)
    (raised,) = house.raised
    assert raised.alert.devices == tuple(sorted(SIXTY))
    house.find(link(BRIDGE), K.GATEWAY_DOWN, on=False)
    for name in SIXTY:
        house.find(device(name), K.SILENT, on=False)
    house.wait(HOUR)
    (cleared,) = house.cleared
    assert cleared.alert.id == raised.alert.id
    assert house.open == []


def test_an_alert_of_a_sensor_becomes_part_of_its_gateways() -> None:
    house = House()
    house.find(device("a"), K.SILENT)
    house.wait(4 * MINUTE)
    assert len(house.raised) == 1, "it stood alone for long enough"
    house.find(link(BRIDGE), K.GATEWAY_DOWN)
    house.wait()
    sensor, gateway = (change.alert for change in house.raised)
    (merged,) = house.cleared
    assert (merged.alert.id, merged.alert.merged_into) == (sensor.id, gateway.id)


def test_who_stays_silent_when_the_gateway_is_back_gets_an_alert_after_its_own_time() -> None:
    house = House()
    house.find(link(BRIDGE), K.GATEWAY_DOWN)
    house.find(device("a"), K.SILENT, evidence={"usual_s": 600, "silent_s": 1200})
    house.wait(HOUR)
    house.find(link(BRIDGE), K.GATEWAY_DOWN, on=False)
    house.wait(19 * MINUTE)
    assert len(house.raised) == 1
    house.wait(2 * MINUTE)
    assert [change.alert.kind for change in house.raised] == [K.GATEWAY_DOWN, K.SILENT]


def test_coming_and_going_is_one_alert_that_stays_until_it_is_quiet() -> None:
    house = House()
    for _ in range(10):
        house.find(device("a", "tamper"), K.TAMPER)
        house.wait(MINUTE)
        house.find(device("a", "tamper"), K.TAMPER, on=False)
        house.wait(MINUTE)
    (alert,) = house.open
    assert alert.unstable >= 4
    assert len(house.raised) == 2, "only its first end was believed at once"
    house.wait(HOUR - 2 * MINUTE)
    assert house.open == [alert]
    house.wait(2 * MINUTE)
    assert house.open == []


def test_what_came_back_once_is_over_after_a_quarter_of_an_hour() -> None:
    house = House()
    for _ in range(2):
        house.find(device("a", "tamper"), K.TAMPER)
        house.wait(MINUTE)
        house.find(device("a", "tamper"), K.TAMPER, on=False)
        house.wait(MINUTE)
    assert len(house.cleared) == 1
    house.wait(13 * MINUTE)
    (alert,) = house.open
    assert alert.unstable == 0
    house.wait(MINUTE)
    assert (house.open, len(house.cleared)) == ([], 2)


def test_what_nobody_was_told_of_long_enough_is_told_if_it_keeps_coming() -> None:
    house = House()
    for _ in range(4):
        house.find(device("a"), K.SILENT)
        house.wait(MINUTE)
        house.find(device("a"), K.SILENT, on=False)
        house.wait(MINUTE)
    assert [change.alert.unstable for change in house.raised] == [4]


def test_a_clock_set_while_company_is_awaited_puts_off_nothing() -> None:
    """Known at last, or set back by hand: the alert comes three minutes after its finding."""
    for shift, is_first in ((1000 * HOUR, True), (-5 * HOUR, False)):
        house = House()
        house.now = 10 * HOUR
        house.find(device("a"), K.SILENT, evidence={"usual_s": 4 * 3600, "silent_s": 9 * 3600})
        house.now += shift
        if is_first:
            house.alerts.move(0, shift)
        else:
            house.alerts.begin_anew(house.now)
        house.wait(3 * MINUTE)
        assert len(house.raised) == 1, shift


def test_the_states_and_their_way_back() -> None:
    house = House()
    house.find(device("a"), K.DEVICE_ERROR, evidence={"code": "E3"})
    house.wait()
    (alert,) = house.open
    assert alert.state is AlertState.RAISED
    taken = house.alerts.acknowledge(alert.id, "wang", house.now)
    assert (taken.state, taken.acknowledged_by) == (AlertState.ACKNOWLEDGED, "wang")
    assert house.alerts.acknowledge(alert.id, "li", house.now) == taken, "twice is as good"
    assert house.alerts.assign(alert.id, "li").assignee == "li"
    house.alerts.shelve(alert.id, house.now + HOUR, house.now)
    house.wait(HOUR - 1)
    assert [alert.state for alert in house.open] == [AlertState.SHELVED]
    house.wait(1)
    assert [alert.state for alert in house.open] == [AlertState.ACKNOWLEDGED]
    house.find(device("a"), K.DEVICE_ERROR, on=False)
    house.wait()
    assert [change.alert.state for change in house.cleared] == [AlertState.CLEARED]


def test_a_shelf_comes_back_as_it_was_and_ends_with_the_fault() -> None:
    house = House()
    house.find(device("a"), K.TAMPER)
    house.wait()
    (alert,) = house.open
    house.alerts.shelve(alert.id, house.now + HOUR, house.now)
    assert house.alerts.unshelve(alert.id).state is AlertState.RAISED
    house.alerts.shelve(alert.id, house.now + HOUR, house.now)
    house.find(device("a"), K.TAMPER, on=False)
    house.wait()
    (over,) = house.cleared
    assert over.alert.shelved_until_ms is None


@pytest.mark.parametrize("until", [0, -MINUTE, 31 * 24 * HOUR])
def test_a_shelf_has_an_end_within_a_month(until: int) -> None:
    house = House()
    house.find(device("a"), K.TAMPER)
    house.wait()
    with pytest.raises(RefusedDecisionError):
        house.alerts.shelve(house.open[0].id, house.now + until, house.now)


def test_nobody_decides_about_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        House().alerts.acknowledge(1, "wang", 0)


def test_a_drill_is_raised_at_once_and_marked() -> None:
    house = House()
    house.note([house.tree.drill(K.BROKER_DOWN, 7, house.now)])
    house.wait()
    (alert,) = house.open
    assert alert.is_drill
    assert alert.evidence["number"] == 7
    house.note(house.tree.end(alert.fault, house.now))
    house.wait()
    assert house.open == []


def test_what_stood_when_the_hub_stopped_stands_again() -> None:
    house = House()
    house.find(device("a"), K.TAMPER)
    house.wait()
    taken = house.alerts.acknowledge(house.open[0].id, "wang", house.now)
    again = House()
    again.tree = type(again.tree)(["a"], {}, 2, list(house.tree.faults()))
    again.alerts = type(again.alerts)(again._weigh, 2)
    again.alerts.recall(again.tree.faults(), [taken], 5)
    again.now = 5
    again.wait(HOUR)
    assert again.open == [taken]
    again.find(device("a"), K.TAMPER, on=False)
    again.wait()
    assert [change.alert.id for change in again.changes] == [taken.id]
