"""What may become of a work order, whatever happens in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.errors import RefusedDecisionError
from hub.domain.fault import FaultKind
from hub.domain.work import OrderState, Proof, ProofKind, WorkOrder
from hub.maintenance import rules
from hub.maintenance.rules import HOLDS_MS, Opening
from tests.maintenance.making import DAY, MINUTE, NOON, alert, fault, subject

K = FaultKind
PROOF = Proof(ProofKind.REPORTS, 3)


def opened(kind: FaultKind = K.SILENT) -> WorkOrder:
    return rules.from_alert(1, alert(7, kind), Opening(), "li", NOON)


def done(at_ms: int = NOON + MINUTE, kind: FaultKind = K.SILENT) -> WorkOrder:
    return rules.done(opened(kind), PROOF, "", "li", at_ms)


def verified(at_ms: int = NOON + 2 * MINUTE, kind: FaultKind = K.SILENT) -> WorkOrder:
    return rules.verified(done(kind=kind), "", at_ms)


@given(st.sampled_from(["open", "verified", "cancelled"]))
def test_nothing_is_proven_before_somebody_says_that_it_is_done(state: str) -> None:
    cancelled = rules.cancelled(opened(), "given up", "li", NOON)
    order = {"open": opened(), "verified": verified(), "cancelled": cancelled}[state]
    with pytest.raises(RefusedDecisionError):
        rules.verified(order, "", NOON + DAY)


@given(
    st.sampled_from(sorted(K)),
    st.integers(min_value=1, max_value=HOLDS_MS - 1),
    st.booleans(),
)
def test_the_same_within_14_days_always_opens_it_again(
    kind: FaultKind, after_ms: int, is_verified: bool
) -> None:
    order = verified(kind=kind) if is_verified else done(kind=kind)
    closed_ms = (order.verified_ms or order.done_ms) or 0
    again = fault(9, kind, closed_ms + after_ms)
    found = rules.found_again(order, again, again.found_ms)
    assert (found.state, found.reopened, found.held) == (OrderState.OPEN, 1, False)
    assert rules.not_held([found]) == 1
    assert found.history[-1].what == "reopened"
    # the second repair is proven anew
    second = rules.done(found, PROOF, "", "li", again.found_ms + MINUTE)
    assert second.proof == PROOF
    assert rules.verified(second, "", again.found_ms + DAY).held is None


@given(st.integers(min_value=HOLDS_MS, max_value=10 * HOLDS_MS))
def test_after_14_days_it_is_another_matter(after_ms: int) -> None:
    order = verified()
    later_ms = (order.verified_ms or 0) + after_ms
    assert rules.found_again(order, fault(9, found_ms=later_ms), later_ms) is order
    assert rules.lasted(order, later_ms).held is True


def test_what_is_no_recurrence_does_not_open_it() -> None:
    order = verified()
    at = NOON + DAY
    for other in (
        fault(9, K.TAMPER, at),
        fault(9, found_ms=at, about=subject("lane-door")),
        fault(9, found_ms=at, parent=4),  # only hidden behind its gateway
        fault(9, found_ms=at, cleared_ms=at),
        fault(9, found_ms=NOON),  # it was there all the time
    ):
        assert rules.found_again(order, other, at) is order


def test_a_device_that_says_nothing_has_one_trouble_by_several_names() -> None:
    order = verified(kind=K.BATTERY_DEAD)
    assert rules.found_again(order, fault(9, K.SILENT, NOON + DAY), NOON + DAY).reopened == 1


def test_it_has_not_held_before_14_days() -> None:
    order = verified()
    assert rules.lasted(order, (order.verified_ms or 0) + HOLDS_MS - 1) is order


def test_words_are_needed_where_no_alert_has_any() -> None:
    with pytest.raises(RefusedDecisionError):
        rules.from_person(1, Opening(), "gym", None, "li", NOON)
    with pytest.raises(RefusedDecisionError):
        rules.commented(opened(), "", "li", NOON)


def test_an_order_that_never_rests_stays_small() -> None:
    order = opened()
    for number in range(3 * rules.MOST_ENTRIES):
        order = rules.assigned(order, f"somebody {number}", None, "li", NOON)
    assert len(order.history) == rules.MOST_ENTRIES
    assert order.history[0].what == "opened"


def test_a_clock_that_was_wrong_moves_its_times() -> None:
    moved = rules.moved(verified(), NOON, DAY)
    assert moved.created_ms == NOON + DAY
    assert moved.verified_ms == NOON + 2 * MINUTE + DAY
    assert {entry.at_ms >= NOON + DAY for entry in moved.history} == {True}
    assert rules.moved(verified(), NOON + DAY, DAY) == verified()


@pytest.mark.parametrize("year_ms", [-(10**14), 0, 10**15])
def test_a_mistyped_year_is_refused(year_ms: int) -> None:
    with pytest.raises(RefusedDecisionError):
        rules.assigned(opened(), "li", year_ms, "li", NOON)
