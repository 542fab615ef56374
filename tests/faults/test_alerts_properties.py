"""Whatever comes and goes in whatever order: never an alert for what has a cause, each raise has
one clear, holds are kept, and nothing depends on how often somebody looks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.fault import Alert, AlertState, FaultKind, Subject
from hub.faults.alerts import GATHER_MS
from hub.faults.tree import NOT_HEARD, RANKS
from tests.faults.house import BRIDGE, HOUR, PORTS, House, device, link

K = FaultKind
THINGS: list[tuple[Subject, FaultKind]] = [
    (link(BRIDGE), K.GATEWAY_DOWN),
    (link("mqtt"), K.BROKER_DOWN),
    (link(PORTS[0]), K.LINK_DOWN),
    (link("usb"), K.USB_DOWN),
    *((device(name), K.SILENT) for name in "absu"),
    (device("a"), K.BATTERY_DEAD),
    (device("a", "battery.level"), K.BATTERY_LOW),
    (device("b"), K.WEAK_LINK),
    (device("s"), K.DEVICE_ERROR),
]


@dataclass(frozen=True)
class Step:
    thing: int
    is_on: bool
    wait_s: int
    looks: int


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, len(THINGS) - 1),
        st.booleans(),
        st.integers(0, 1200),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=60,
)


def lived(steps: list[Step], *, always_once: bool = False) -> House:
    house = House()
    for step in steps:
        subject, kind = THINGS[step.thing]
        house.find(subject, kind, on=step.is_on, evidence={"ports": ", ".join(PORTS)})
        house.look()
        nothing_with_a_cause_has_an_alert(house)
        looks = 1 if always_once else step.looks
        for _ in range(looks):
            house.wait(step.wait_s * 6_000 // (6 * looks) if looks > 1 else step.wait_s * 1_000)
            nothing_with_a_cause_has_an_alert(house)
    return house


def nothing_with_a_cause_has_an_alert(house: House) -> None:
    for alert in house.open:
        fault = house.tree.fault(alert.fault)
        assert fault is None or fault.parent is None


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_each_raise_has_one_clear_and_open_ones_have_none(steps: list[Step]) -> None:
    house = lived(steps)
    raised = Counter(change.alert.id for change in house.raised)
    cleared = Counter(change.alert.id for change in house.cleared)
    assert set(raised.values()) <= {1}
    assert set(cleared.values()) <= {1}
    assert raised.keys() - cleared.keys() == {alert.id for alert in house.open}
    for number, (subject, kind) in enumerate(THINGS):
        house.find(subject, kind, on=False)
        house.now += number
    house.wait(3 * HOUR)
    assert house.open == []
    assert list(house.tree.faults()) == []


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_each_change_goes_on_from_the_one_before(steps: list[Step]) -> None:
    known: dict[int, Alert] = {}
    for alert, before in lived(steps).changes:
        assert known.get(alert.id) == before
        assert before is None or before.state is not AlertState.CLEARED
        known[alert.id] = alert


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_what_a_wire_could_explain_waits_for_it(steps: list[Step]) -> None:
    """Unless it keeps coming, or people know of one of its children already."""
    house = lived(steps)
    taken_over = {change.alert.merged_into for change in house.cleared}
    for alert, _ in house.raised:
        if alert.kind in NOT_HEARD - RANKS.keys() and not alert.unstable:
            assert alert.id in taken_over or house.waited_ms[alert.id] >= GATHER_MS


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_how_often_somebody_looks_changes_nothing(steps: list[Step]) -> None:
    even = [Step(s.thing, s.is_on, s.wait_s - s.wait_s % 6, s.looks) for s in steps]
    often, once = lived(even), lived(even, always_once=True)
    assert [change.alert for change in often.changes] == [change.alert for change in once.changes]
