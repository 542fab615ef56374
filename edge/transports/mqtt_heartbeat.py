"""Our own message through the broker and back: the proof that the link carries anything.

A TCP connection to a broker that hangs stays open for hours. So every period we publish a
number to a topic of our own, QoS 1, in the same session as everything else. That it comes back
says three things: the link lives; all the broker held for us when we connected came before it;
and it has read the acknowledgements we sent before it.

While we do not read (the window is full) nothing can come back, and that proves nothing. Then
the periods go on, so that the broker hears us within its keep-alive, but nobody is declared dead.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict

MOST_OUTSTANDING = 6
"""Beyond this the beats are QoS 0: they keep the broker from giving us up and leave no trace."""
LATE_AFTER_PERIODS = 1.5
"""With a period of 10 s a dead link is found after 15 to 25 s; the promise is 30."""


class Heartbeat:
    """The beats of one connection."""

    def __init__(self, period_s: float) -> None:
        self._boot = secrets.token_hex(6)  # beats that waited in the broker are somebody else's
        self._count = 0
        self._late_after_s = period_s * LATE_AFTER_PERIODS
        self._outstanding: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def beat(self, now_s: float, claim: int) -> tuple[bytes, int]:
        """The next payload to publish, and its QoS."""
        self._count += 1
        payload = f"{self._boot} {self._count}".encode()
        if len(self._outstanding) >= MOST_OUTSTANDING:
            return payload, 0
        self._outstanding[payload] = (now_s, claim)
        return payload, 1

    def returned(self, payload: bytes) -> int | None:
        """The claim that went with a beat; None if it is not one of this connection's."""
        if payload not in self._outstanding:
            return None
        claim = self._outstanding.pop(payload)[1]
        while self._outstanding and _number(next(iter(self._outstanding))) < _number(payload):
            self._outstanding.popitem(last=False)  # overtaken: the later one proves more
        return claim

    def is_late(self, now_s: float, heard_s: float) -> bool:
        """Nothing came for too long: neither a beat nor anything else (``heard_s``)."""
        if not self._outstanding:
            return False
        sent_s = next(iter(self._outstanding.values()))[0]
        return now_s - max(sent_s, heard_s) > self._late_after_s


def _number(payload: bytes) -> int:
    return int(payload.rpartition(b" ")[2])
