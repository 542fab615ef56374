"""Links by which somebody answers without an account: made here, and believed only if so.

    alert . whose . until . proof       4 + 8 + 4 + 16 bytes, 43 characters

``whose`` is drawn from the person and the channel with the key, so the link names nobody, and only
a configured pair fits it. The key stays in the data folder, for its owner to read.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

FILE = "notify.key"
KEY_BYTES = 32
GOOD_FOR_MS = 7 * 86_400_000
PROOF_BYTES = 16
PARTS = struct.Struct(">I8sI")
LENGTH = PARTS.size + PROOF_BYTES
MINUTE_MS = 60_000


class Answer(NamedTuple):
    """What a link stands for; ``is_late``: it was good once."""

    alert: int
    person: str
    channel: str
    is_late: bool


class Links:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, alert: int, person: str, channel: str, now_ms: int) -> str:
        """Of one alert, for one person over one channel, good for a week."""
        until = (now_ms + GOOD_FOR_MS) // MINUTE_MS
        plain = PARTS.pack(alert & 0xFFFFFFFF, self._whose(person, channel), until)
        return base64.urlsafe_b64encode(plain + self._proof(plain)).decode().rstrip("=")

    def read(self, token: str, pairs: Iterable[tuple[str, str]], now_ms: int) -> Answer | None:
        """What a token of ours says; None: it is not ours, or of nobody who is configured."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        plain, proof = raw[: PARTS.size], raw[PARTS.size :]
        if len(raw) != LENGTH or not hmac.compare_digest(self._proof(plain), proof):
            return None
        alert, whose, until = PARTS.unpack(plain)
        for person, channel in pairs:
            if hmac.compare_digest(self._whose(person, channel), whose):
                return Answer(alert, person, channel, now_ms // MINUTE_MS > until)
        return None

    def _whose(self, person: str, channel: str) -> bytes:
        return self._drawn(b"whose\0", f"{person}\0{channel}".encode())[:8]

    def _proof(self, plain: bytes) -> bytes:
        return self._drawn(b"answer\0", plain)[:PROOF_BYTES]

    def _drawn(self, purpose: bytes, plain: bytes) -> bytes:
        return hmac.new(self._key, purpose + plain, hashlib.sha256).digest()


def key_in(folder: Path) -> bytes:
    """The key, made at the first start; without a disk one that lasts as long as the hub."""
    path = folder / FILE
    with contextlib.suppress(OSError):
        key = path.read_bytes()
        if len(key) == KEY_BYTES:
            _close(path)
            return key
    key, fresh = secrets.token_bytes(KEY_BYTES), folder / f"{FILE}.new"
    try:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError as error:
        log.warning("%s cannot be written (%s); links end with this run", path, error.strerror)
    return key


def _close(path: Path) -> None:
    """Whoever may read it could sign links; a copy of the folder may have opened it."""
    try:
        path.chmod(0o600)
    except OSError as error:
        log.warning("%s may be read by others (%s): chmod 600", path, error.strerror)
