"""Is a serial port there, may this account open it, and does anybody else hold it?"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

from hub.diagnosis.finding import Finding

CONNECT_S = 3.0


def examine_port(device: str, name: str) -> Finding:
    """Open the port of a device for a moment, without setting or sending anything."""
    subject = f"port of {device}"
    if name.startswith("socket://"):
        return _by_network(subject, name)
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        what = f"{name} is not there ({error.strerror})"
        return Finding(subject, "broken", what, f"Plug it in; {_present()}")
    if not stat.S_ISCHR(mode):
        remedy = "Give a device under /dev, best /dev/serial/by-id/..."
        return Finding(subject, "broken", f"{name} is no serial port", remedy)
    if not os.access(path, os.R_OK | os.W_OK):
        what = f"this account may not use {name}"
        remedy = "sudo usermod -aG dialout $USER, then log in again."
        return Finding(subject, "broken", what, remedy)
    return _opened(subject, path)


def _opened(subject: str, path: Path) -> Finding:
    try:
        port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        remedy = "Unplug and replug it; sudo dmesg | tail says more."
        return Finding(subject, "broken", f"{path} does not open ({error.strerror})", remedy)
    try:
        fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        what = f"{path} is held by another program"
        remedy = f"That is right while the hub runs; else: sudo fuser -v {path}"
        return Finding(subject, "warning", what, remedy)
    finally:
        os.close(port)
    return Finding(subject, "ok", str(path))


def _present() -> str:
    folder = Path("/dev/serial/by-id")
    names = sorted(item.name for item in folder.iterdir()) if folder.is_dir() else []
    return f"there are: {', '.join(names)}." if names else "ls /dev/serial/by-id shows what is."


def _by_network(subject: str, name: str) -> Finding:
    address = urlsplit(name)
    try:
        with socket.create_connection((address.hostname, address.port), CONNECT_S):
            return Finding(subject, "ok", f"{name} answers")
    except OSError as error:
        what = f"{name} does not answer ({error.strerror or error})"
        return Finding(subject, "broken", what, "Check its address, its power and the network.")
