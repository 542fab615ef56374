"""A key for commands on this machine that ask the running hub, such as ``linli mirror status``.

New at each start, in the data folder, for its owner to read. Who can read it can read the database
beside it, so it opens no door that was shut; it asks after copies and storage, and changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from pathlib import Path

from hub.access.directory import Credential
from hub.access.rules import KEY_BYTES, csrf_of, digest, token_of
from hub.domain.access import NOBODY, Caller, Permission, Principal

log = logging.getLogger(__name__)

FILE = "console.key"
FOR_EVER_MS = 2**53  # as long as the hub runs, whatever its clock says
CONSOLE = Principal(Caller.TOKEN, "console", NOBODY.permissions | {Permission.OPERATION})


def made(folder: Path, now_ms: int) -> Credential:
    """A key, written where commands find it; without a disk they have to do without."""
    key = token_of(secrets.token_bytes(KEY_BYTES))
    path, fresh = folder / FILE, folder / f"{FILE}.new"
    try:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w") as file:
            file.write(key)
        fresh.rename(path)
    except OSError as error:
        log.warning("%s cannot be written (%s); linli mirror status asks the disk", path, error)
    hashed = digest(key)
    return Credential(CONSOLE, hashed, FOR_EVER_MS, None, now_ms, now_ms, now_ms, csrf_of(hashed))


def read(folder: Path) -> str | None:
    """The key of the hub that uses the folder; None where there is none, or it is not for us."""
    try:
        return (folder / FILE).read_text()
    except OSError:
        return None
