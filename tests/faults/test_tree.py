"""Which fault explains which."""

from __future__ import annotations

import pytest

from hub.domain.fault import FaultKind
from tests.faults.house import BRIDGE, HOUR, MINUTE, PORTS, House, device, link

K = FaultKind
SIXTY = [f"sensor-{number}" for number in range(60)]


def test_a_dead_gateway_explains_all_that_is_behind_it() -> None:
    house = House(SIXTY)
    (gateway,) = house.find(link(BRIDGE), K.GATEWAY_DOWN)
    for name in SIXTY:
        (fault,) = house.find(device(name), K.SILENT)
        assert fault.parent == gateway.id
    assert house.tree.covered(gateway) == set(SIXTY)
    over, *released = house.find(link(BRIDGE), K.GATEWAY_DOWN, on=False)
    assert over.id == gateway.id
    assert len(released) == 60
    assert all(fault.parent is None for fault in released)


def test_a_sensor_that_was_found_a_moment_before_its_gateway_is_taken_over() -> None:
    house = House()
    house.find(device("a"), K.SILENT)
    house.now += 2 * MINUTE
    gateway, taken = house.find(link(BRIDGE), K.GATEWAY_DOWN)
    assert taken.parent == gateway.id


def test_a_sensor_that_was_broken_long_before_is_another_cause() -> None:
    house = House()
    house.find(device("a"), K.SILENT)
    house.now += HOUR
    assert len(house.find(link(BRIDGE), K.GATEWAY_DOWN)) == 1


@pytest.mark.parametrize("kind", [K.BATTERY_LOW, K.DEVICE_ERROR, K.TAMPER, K.OUT_OF_RANGE])
def test_what_a_device_says_of_itself_is_explained_by_no_wire(kind: FaultKind) -> None:
    house = House()
    house.find(link(BRIDGE), K.GATEWAY_DOWN)
    (fault,) = house.find(device("a"), kind)
    assert fault.parent is None


def test_a_gateway_behind_a_dead_broker_has_a_cause_itself() -> None:
    house = House()
    (gateway,) = house.find(link(BRIDGE), K.GATEWAY_DOWN)
    (child,) = house.find(device("a"), K.SILENT)
    broker, taken = house.find(link("mqtt"), K.BROKER_DOWN)
    assert (taken.id, taken.parent) == (gateway.id, broker.id)
    found = house.tree.fault(child.id)
    assert found is not None
    assert found.parent == gateway.id, "the nearest cause"
    (_, moved) = house.find(link(BRIDGE), K.GATEWAY_DOWN, on=False)
    assert (moved.id, moved.parent) == (child.id, broker.id)


def test_several_ports_are_one_bus() -> None:
    house = House()
    for port in PORTS:
        house.find(link(port), K.LINK_DOWN)
    bus, *ports = house.find(link("usb"), K.USB_DOWN, evidence={"ports": ", ".join(PORTS)})
    assert [fault.parent for fault in ports] == [bus.id, bus.id]
    assert house.tree.covered(bus) == {"s", "u"}


def test_an_empty_battery_explains_the_low_one_and_the_silence() -> None:
    house = House()
    house.find(device("a", "battery.level"), K.BATTERY_LOW)
    house.now += 48 * HOUR
    house.find(device("a"), K.SILENT)
    dead, *taken = house.find(device("a"), K.BATTERY_DEAD)
    assert {fault.kind for fault in taken} == {K.BATTERY_LOW, K.SILENT}
    assert {fault.parent for fault in taken} == {dead.id}


def test_a_device_shows_what_it_hangs_on() -> None:
    house = House()
    (gateway,) = house.find(link(BRIDGE), K.GATEWAY_DOWN)
    assert house.tree.of_device("a") == [gateway]
    assert house.tree.of_device("s") == []


def test_who_comes_back_soon_is_the_same_fault() -> None:
    house = House()
    (first,) = house.find(device("s"), K.SILENT)
    house.find(device("s"), K.SILENT, on=False)
    house.now += MINUTE
    (again,) = house.find(device("s"), K.SILENT)
    assert again.id == first.id
    house.find(device("s"), K.SILENT, on=False)
    house.now += 2 * HOUR
    (other,) = house.find(device("s"), K.SILENT)
    assert other.id != first.id


def test_a_drill_explains_nothing_and_is_of_no_device() -> None:
    house = House()
    drill = house.tree.drill(K.BROKER_DOWN, 7, house.now)
    (fault,) = house.find(device("a"), K.SILENT)
    assert fault.parent is None
    assert drill.is_drill
    assert house.tree.covered(drill) == frozenset()


def test_a_device_that_invents_parts_does_not_fill_the_tree() -> None:
    house = House()
    for number in range(1000):
        house.find(device("a", f"contact.x{number}"), K.FLAPPING)
    assert len(list(house.tree.faults())) == 60
    assert house.tree.refused == 940
