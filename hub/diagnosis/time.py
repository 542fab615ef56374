"""Is the clock right? A Raspberry Pi has none of its own and asks the network after each start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from edge.timekeeping import SYNCHRONISED, Trust, kernel_is_set, time_service
from hub.configuration.keeping import ClockSection
from hub.diagnosis.finding import Finding

BUILT = 1_780_000_000  # June 2026: no clock can be earlier than this program


def examine_clock(section: ClockSection | None = None) -> Iterator[Finding]:
    """The time itself, whether somebody keeps it, and whether the hub will ever believe it."""
    section = section or ClockSection()
    service = time_service()
    is_set = Path("/", SYNCHRONISED).exists() or kernel_is_set()
    yield examine_time(time.time())
    yield examine_sync(is_set, service)
    yield examine_trust(section.trust, service, Path(section.marker))


def examine_time(now: float) -> Finding:
    """Is the time possible at all?"""
    text = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    if now < BUILT:
        what = f"it says {text}, which has passed, so readings would be filed wrongly"
        return Finding("clock", "broken", what, "Connect the network, or: sudo date -s '...'.")
    return Finding("clock", "ok", text)


def examine_sync(is_set: bool | None, service: str) -> Finding:
    """Does a time server correct it?"""
    if is_set:
        return Finding("time server", "ok", f"in step{f' ({service})' if service else ''}")
    if not service:
        remedy = "sudo apt install systemd-timesyncd (or chrony)."
        return Finding("time server", "warning", "nobody sets this clock", remedy)
    what = "not in step yet" if is_set is False else "the kernel does not say"
    remedy = f"Wait a minute; then look at the network and at {service} (timedatectl status)."
    return Finding("time server", "warning", what, remedy)


def examine_trust(trust: Trust, service: str, marker: Path) -> Finding:
    """Will the hub ever believe the time, and should it?"""
    subject, what = "trust in the clock", f"clock.trust is {trust}"
    if trust == "marker" and not marker.exists():
        what += f", and {marker} is not there, so readings stay unsynced"
        remedy = f"Let the script that sets the time make it (touch {marker})."
        return Finding(subject, "warning", what, remedy)
    if trust == "synced" and not service:
        what += ", but no time service runs here, so readings may stay unsynced for ever"
        remedy = "sudo apt install systemd-timesyncd (or chrony)."
        return Finding(subject, "warning", what, remedy)
    if trust == "auto" and not service:
        what += "; as nobody sets the clock, whatever it says is believed"
        remedy = "sudo apt install systemd-timesyncd, or clock: {trust: marker} and a clock chip."
        return Finding(subject, "warning", what, remedy)
    if trust == "always" and service:
        what += ": before it is set, readings get the time of the last shutdown"
        remedy = "Leave clock.trust out, unless this machine has a clock chip."
        return Finding(subject, "warning", what, remedy)
    return Finding(subject, "ok", what)
