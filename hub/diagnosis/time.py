"""Is the clock right? A Raspberry Pi has none of its own and asks the network after each start."""

from __future__ import annotations

import ctypes
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hub.diagnosis.finding import Finding

BUILT = 1_780_000_000  # June 2026: no clock can be earlier than this program
TIME_ERROR = 5  # adjtimex(2): the kernel's clock is not synchronised
DAEMONS = ("chronyd", "ntpd", "systemd-timesyncd")
DAEMON_FOLDERS = ("/usr/sbin", "/usr/lib/systemd", "/lib/systemd", "/usr/bin")


def examine_clock() -> Iterator[Finding]:
    """The time itself, and whether somebody keeps it."""
    yield examine_time(time.time())
    yield examine_sync(is_synchronised(), time_daemon())


def examine_time(now: float) -> Finding:
    """Is the time possible at all?"""
    text = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    if now < BUILT:
        what = f"it says {text}, which has passed, so readings would be filed wrongly"
        return Finding("clock", "broken", what, "Connect the network, or: sudo date -s '...'.")
    return Finding("clock", "ok", text)


def examine_sync(synchronised: bool | None, daemon: str) -> Finding:
    """Does a time server correct it?"""
    if synchronised:
        return Finding("time server", "ok", f"in step{f' ({daemon})' if daemon else ''}")
    if not daemon:
        remedy = "sudo apt install systemd-timesyncd (or chrony)."
        return Finding("time server", "warning", "nobody sets this clock", remedy)
    what = "not in step yet" if synchronised is False else "the kernel does not say"
    remedy = f"Wait a minute; then look at the network and at {daemon} (timedatectl status)."
    return Finding("time server", "warning", what, remedy)


def is_synchronised() -> bool | None:
    """What the kernel says of its clock; None where it does not say."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        # struct timex is 208 bytes on 64-bit systems; all zero means: read only.
        state = libc.adjtimex(ctypes.create_string_buffer(512))
    except (AttributeError, OSError):
        return None
    return None if state < 0 else state != TIME_ERROR


def time_daemon() -> str:
    """The program here that would keep the clock, or nothing."""
    for name in DAEMONS:
        if shutil.which(name) or any(Path(place, name).exists() for place in DAEMON_FOLDERS):
            return name
    return ""
