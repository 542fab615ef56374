"""What counts, what does not, and the middle of it."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain.fault import Alert, AlertState, FaultKind, Severity, Subject, SubjectKind
from hub.domain.work import OrderEntry, OrderState, WorkOrder
from hub.statistics.rules import Case, Raised, cases, figures, parted, reports

HOUR = 3_600_000
NOW = 1000 * HOUR
SINCE = 100 * HOUR
BUILDINGS = {"gym": "main", "cabin": "annex"}


def alert(number: int, room: str | None = "gym", *, hours: int | None = None) -> Alert:
    """``hours``: how long it stood."""
    return Alert(
        number, number, FaultKind.SILENT, Subject(SubjectKind.DEVICE, f"d{number}"),
        AlertState.RAISED if hours is None else AlertState.CLEARED, Severity.LOW, room, (), (),
        NOW, cleared_ms=None if hours is None else NOW + hours * HOUR,
    )  # fmt: skip


def raised(one: Alert, found_after_h: int = 1) -> Raised:
    return Raised(one, NOW - found_after_h * HOUR, NOW)


def order(*alerts: int, verified_ms: int | None = None, again: tuple[int, ...] = ()) -> WorkOrder:
    return WorkOrder(
        1, OrderState.VERIFIED, alerts, FaultKind.SILENT, None, None, "", None, None, NOW, "li",
        verified_ms=verified_ms,
        history=tuple(OrderEntry(at_ms, "", "reopened") for at_ms in again),
    )  # fmt: skip


def told(*of: Raised, orders: tuple[WorkOrder, ...] = ()) -> list[Case]:
    return cases(of, orders, lambda one: BUILDINGS.get(one.room or ""), SINCE)


def test_the_middle_of_what_was_found_and_mended() -> None:
    found = figures(
        told(
            raised(alert(1, hours=2), 1),
            raised(alert(2, hours=4), 2),
            raised(alert(3, hours=99), 9),
            raised(alert(4), 2),
        )
    )
    assert found == (4, 3, 0, 2 * HOUR, 4 * HOUR)


def test_a_drill_and_what_went_on_in_another_alert_count_nothing() -> None:
    drill = replace(alert(1, hours=1), is_drill=True)
    merged = replace(alert(2, hours=1), merged_into=7)
    assert told(raised(drill), raised(merged)) == []
    assert figures([]) == (0, 0, 0, None, None)


def test_a_repair_lasts_until_it_is_proven() -> None:
    proven = order(1, verified_ms=NOW + 30 * HOUR)
    assert told(raised(alert(1, hours=2)), orders=(proven,))[0].mended_ms == 30 * HOUR
    assert told(raised(alert(1, hours=2)), orders=(order(1),))[0].mended_ms == 2 * HOUR
    assert told(raised(alert(1)), orders=(proven,))[0].mended_ms is None  # it stands


def test_a_repair_that_was_done_again_counts_once_for_each_time() -> None:
    again = order(1, 2, again=(SINCE - 1, NOW, NOW + HOUR))
    first, second = told(raised(alert(1, hours=1)), raised(alert(2)), orders=(again,))
    assert (first.not_held, second.not_held) == (0, 2)


def test_the_times_of_a_fault_that_came_back_are_not_those_of_its_first_alert() -> None:
    assert told(Raised(alert(1), NOW + HOUR, NOW + 2 * HOUR))[0].found_ms is None
    assert told(Raised(alert(1), None, None))[0].found_ms is None


def test_parts_are_in_the_order_of_their_number() -> None:
    rooms = ("cabin", "gym", None, "gym")
    of = told(*(raised(alert(number, room)) for number, room in enumerate(rooms, 1)))
    found = parted((case.building, case) for case in of)
    assert [(name, own.found) for name, own in found] == [("main", 2), (None, 1), ("annex", 1)]


def test_reports_that_wait_have_no_time_of_an_answer() -> None:
    assert reports([(0, 10), (0, 30), (0, None)]) == (2, 1, 20)
    assert reports([]) == (0, 0, None)
