"""Times of faults and alerts once the clock is trusted: the same moments have other names. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from hub.domain.fault import Alert, Fault


def moved(at_ms: int, base_ms: int, shift_ms: int) -> int:
    """What our clock said from ``base_ms`` on was off by so much.

    >>> moved(5, 10, 100), moved(15, 10, 100)
    (5, 115)
    """
    return at_ms + shift_ms if at_ms >= base_ms else at_ms


def moved_fault(fault: Fault, base_ms: int, shift_ms: int) -> Fault:
    return replace(
        fault,
        since_ms=moved(fault.since_ms, base_ms, shift_ms),
        found_ms=moved(fault.found_ms, base_ms, shift_ms),
        last_seen_ms=moved(fault.last_seen_ms, base_ms, shift_ms),
        cleared_ms=_moved(fault.cleared_ms, base_ms, shift_ms),
    )


def moved_alert(alert: Alert, base_ms: int, shift_ms: int) -> Alert:
    """Also until when it is shelved: a wrong year must not hide it for one."""
    return replace(
        alert,
        raised_ms=moved(alert.raised_ms, base_ms, shift_ms),
        acknowledged_ms=_moved(alert.acknowledged_ms, base_ms, shift_ms),
        shelved_until_ms=_moved(alert.shelved_until_ms, base_ms, shift_ms),
    )


def _moved(at_ms: int | None, base_ms: int, shift_ms: int) -> int | None:
    return None if at_ms is None else moved(at_ms, base_ms, shift_ms)
