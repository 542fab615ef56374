"""What was delivered and is not acknowledged yet, and what must not be taken twice.

A QoS 1 message lives through four states here:

    arrived     reported to the hub, ``pending``; holds a place of the window while its connection
                lives. Beyond ``limit`` places reading pauses: Mosquitto does not bound it for us
    settled     the hub has committed it; acknowledged, and ``known``
    repeated    the broker sends it again (DUP) because our acknowledgement, or we, got lost. Still
                pending: the same receipt goes on, on the new connection. Known: acknowledged
                again and dropped
    confirmed   a heartbeat sent after the acknowledgement came back: the broker has it, and this
                identity can be forgotten, here and on disk

A message id alone is no identity: the broker gives the same number to another message later, so
the digest must agree, and a message that is *not* a repeat makes the older one forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b

from edge.reading import Delivery


def digest(topic: str, payload: bytes) -> bytes:
    """What tells two messages with the same id apart."""
    return blake2b(topic.encode() + b"\0" + payload, digest_size=8).digest()


class MqttReceipt:
    """The way back of one QoS 1 message."""

    __slots__ = ("_window", "connection", "delivery")

    def __init__(self, window: Window, delivery: Delivery, connection: int) -> None:
        self._window = window
        self.delivery: Delivery | None = delivery
        self.connection = connection

    def settle(self, commit: int) -> None:
        """Acknowledge to the broker, if the connection is still the same."""
        self._window.settled(self, commit)


class _Known:
    """A committed delivery; ``is_acked`` once the broker was told on the present connection."""

    __slots__ = ("commit", "digest", "is_acked")

    def __init__(self, digest_: bytes, commit: int, is_acked: bool) -> None:
        self.digest = digest_
        self.commit = commit
        self.is_acked = is_acked


class Window:
    """All deliveries of one session with the broker, over its connections."""

    def __init__(
        self,
        limit: int,
        known: Mapping[int, bytes],
        ack: Callable[[int], bool],
        on_room: Callable[[], None],
    ) -> None:
        self._limit = limit
        self._ack = ack
        self._on_room = on_room
        self._pending: dict[int, MqttReceipt] = {}
        self._known = {mid: _Known(found, 0, False) for mid, found in known.items()}
        self._connection = 0
        self._is_connected = False
        self._is_replayed = True
        self._last_commit = 0
        self._commit_grew = False
        self.unacknowledged = 0
        self.repeats = 0
        """Redeliveries dropped since the start."""

    @property
    def is_full(self) -> bool:
        """Must reading pause?"""
        return self.unacknowledged >= self._limit

    def connected(self, session_present: bool) -> None:
        """A new connection; without a session the broker has forgotten every delivery."""
        self._connection += 1
        self._is_connected = True
        self._is_replayed = not session_present
        self.unacknowledged = 0
        if not session_present:
            self._pending.clear()
            self._known.clear()

    def disconnected(self) -> None:
        """Acknowledgements go nowhere from now on, and the last ones may not have arrived."""
        self._is_connected = self._is_replayed = False
        for known in self._known.values():
            known.is_acked = False

    def arrived(self, mid: int, digest_: bytes, is_dup: bool) -> MqttReceipt | None:
        """Take a delivery; None if it is a repeat, which is dealt with."""
        if is_dup and self._is_repeat(mid, digest_):
            self.repeats += 1
            return None
        self._known.pop(mid, None)
        receipt = MqttReceipt(self, Delivery(mid, digest_), self._connection)
        self._pending[mid] = receipt
        self.unacknowledged += 1
        return receipt

    def waive(self, receipt: MqttReceipt) -> None:
        """Nothing of it has to be kept: acknowledge it now."""
        self._release(receipt, receipt.delivery.mid if receipt.delivery else 0)

    def settled(self, receipt: MqttReceipt, commit: int) -> None:
        """The hub has it safe, in that commit (0: there was nothing to store)."""
        delivery = receipt.delivery
        if delivery is None or self._pending.get(delivery.mid) is not receipt:
            return  # the broker has given that id to another message since
        is_acked = self._release(receipt, delivery.mid)
        if commit > self._last_commit:
            self._last_commit = commit
            self._commit_grew = True
        if commit and (is_acked or not self._is_replayed):
            self._known[delivery.mid] = _Known(delivery.digest, commit, is_acked)

    def claim(self) -> int:
        """The commit of which all acknowledgements are on their way now.

        A commit settles many receipts; unless a whole period passed without a new one, the last
        may be half done, and only the one before it is claimed.
        """
        highest = self._last_commit - 1 if self._commit_grew else self._last_commit
        self._commit_grew = False
        return min([highest, *(k.commit - 1 for k in self._known.values() if not k.is_acked)])

    def replayed(self) -> None:
        """The broker has sent all it held for us: what did not come again, it does not hold."""
        if not self._is_replayed:
            self._is_replayed = True
            for mid in [mid for mid, known in self._known.items() if not known.is_acked]:
                del self._known[mid]

    def confirmed(self, commit: int) -> None:
        """The broker has seen the acknowledgements up to this commit."""
        for mid in [m for m, k in self._known.items() if k.is_acked and k.commit <= commit]:
            del self._known[mid]

    def _is_repeat(self, mid: int, digest_: bytes) -> bool:
        known = self._known.get(mid)
        if known is not None and known.digest == digest_:
            known.is_acked = self._ack(mid)
            return True
        receipt = self._pending.get(mid)
        if receipt is None or receipt.delivery is None or receipt.delivery.digest != digest_:
            return False
        if receipt.connection != self._connection:
            receipt.connection = self._connection
            self.unacknowledged += 1
        return True

    def _release(self, receipt: MqttReceipt, mid: int) -> bool:
        self._pending.pop(mid, None)
        if not self._is_connected or receipt.connection != self._connection:
            return False
        is_sent = self._ack(mid)
        was_full = self.is_full
        self.unacknowledged -= 1
        if was_full and not self.is_full:
            self._on_room()
        return is_sent
