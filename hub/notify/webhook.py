"""Events for programs: JSON, signed, with a key by which a repeat is recognised.

    POST ...                                    the body, one event
    Linli-Signature: t=1795341600,v1=<hex>      HMAC-SHA256 of "<t>." and the body's bytes
    Idempotency-Key: <mark>                     the same for each repeat, and for no other event

Who checks the signature compares ``t`` with the clock too, or a recorded event could be played
again; and answers 2xx only once the event is kept: until then it is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path

from hub.notify import web
from hub.notify.letter import refused
from hub.notify.queue import Outcome

MOST_SECRET = 4096


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """
    >>> signature(b"key", b"{}", 1_795_341_600)[:32]
    't=1795341600,v1=7ee99f012da9d680'
    """
    proof = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={proof}"


def post(url: str, secret_file: Path, body: bytes, mark: str) -> Outcome:
    """Send one event."""
    secret = first_line(secret_file)
    if not secret:
        return refused("no_secret")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Linli",
        "Idempotency-Key": mark,
        # by the machine's own time: who checks it has only his
        "Linli-Signature": signature(secret.encode(), body, int(time.time())),
    }
    return web.call("POST", url, body, headers)


def first_line(file: Path) -> str:
    """What a secret's file holds; empty where it cannot be read."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(MOST_SECRET).strip().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        return ""
