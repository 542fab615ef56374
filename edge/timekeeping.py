"""What the machine says about its own time. Nothing here sets a clock.

A Raspberry Pi has no clock chip: it boots at the time of its last shutdown, or in 1970, until a
time service has asked the network. Three signs say that this has happened:

    the kernel     its largest error is below 16 s (adjtimex, reading only). As systemd does, we do
                   not look at STA_UNSYNC: chrony leaves it set where it does not keep a clock chip
    timesyncd      /run/systemd/timesync/synchronized is there
    a marker file  for a clock chip or a GPS that a script of the centre reads

Once set, the time stays trusted while we run: a network that is lost for a day drifts a second.
"""

from __future__ import annotations

import ctypes
import functools
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Literal

Trust = Literal["auto", "synced", "marker", "always"]

LARGEST_ERROR_US = 16_000_000
"""The kernel's word for "I do not know": so it boots, and so it is again after 9 h unset."""
ROOT = Path("/")
BOOT_ID = "proc/sys/kernel/random/boot_id"
SYNCHRONISED = "run/systemd/timesync/synchronized"
SYSTEMD = "run/systemd/system"
WANTED = "etc/systemd/system"
SERVICES = {
    "systemd-timesyncd": ("run/systemd/timesync",),
    "chrony": ("run/chrony/chronyd.pid", "run/chronyd.pid", "run/chrony/chronyd.sock"),
    "chronyd": ("run/chrony/chronyd.pid", "run/chronyd.pid"),
    "ntpsec": ("run/ntpd.pid",),
    "ntp": ("run/ntpd.pid",),
    "openntpd": ("run/openntpd.pid", "run/ntpd.sock"),
}
"""Time services as systemd names them, and what lies in /run while one runs."""


class _Timex(ctypes.Structure):
    """The head of the kernel's ``struct timex``; ``c_long`` is right for 32 bits as well."""

    _fields_ = (
        ("modes", ctypes.c_uint),  # 0: read only
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),  # more than any kernel writes
    )


class Timekeeper:
    """Answers whether the machine's time is to be believed, by the policy of a centre."""

    def __init__(
        self,
        trust: Trust = "auto",
        marker: str | None = None,
        root: Path = ROOT,
        kernel: Callable[[], bool | None] | None = None,
    ) -> None:
        """``root`` and ``kernel`` stand in for the machine's own in tests."""
        self._trust = trust
        self._marker = None if marker is None else root / marker.lstrip("/")
        self._root = root
        self._kernel = kernel or kernel_is_set

    def is_set(self) -> bool:
        """May the machine's time be believed now? Costs some 20 us."""
        if self._trust == "always":
            return True
        if self._marker is not None and self._marker.exists():
            return True
        if self._trust == "marker":
            return False
        if (self._root / SYNCHRONISED).exists() or self._kernel():
            return True
        return self._trust == "auto" and not time_service(self._root)

    def boot_id(self) -> str:
        """The same for all programs from one start of the machine to the next."""
        try:
            return (self._root / BOOT_ID).read_text().strip()
        except OSError:  # not Linux: then each start of the hub is a boot of its own
            return _own_id()

    def uptime_s(self) -> float:
        """Seconds since the machine was started, sleep included; never set, never back."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


@functools.cache
def _own_id() -> str:
    return str(uuid.uuid4())


def kernel_is_set() -> bool | None:
    """What the kernel says of its clock; None where it does not say or we may not ask."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (AttributeError, OSError):  # not Linux
        return None
    state = _Timex()
    if adjtimex(ctypes.byref(state)) < 0:
        return None
    return bool(state.maxerror < LARGEST_ERROR_US)


def time_service(root: Path = ROOT) -> str:
    """The program that runs here, or that systemd starts at each boot, to set the clock; or ""."""
    for name, signs in SERVICES.items():
        if any((root / sign).exists() for sign in signs):
            return name
    if not (root / SYSTEMD).exists():  # its links are there, and nobody starts them
        return ""
    wanted = {link.stem for link in (root / WANTED).glob("*.wants/*.service")}
    return next((name for name in SERVICES if name in wanted), "")
