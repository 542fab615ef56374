"""How long somebody must wait before the next attempt: by account, and by address.

A failure doubles the wait, up to five minutes, and never closes an account for good: who knows the
password gets in after the wait. An attempt counts when it begins, so that a hundred at once are
not a hundred free ones. Both tables are bounded; what failed longest ago is forgotten first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hub.access.rules import FREE_FAILURES, wait_s
from hub.api.addresses import place_of

MOST = 2_000
FORGOTTEN_AFTER_S = 3_600
FREE_OF_ADDRESS = 10
"""A centre's people share one address behind a router; one of them may be clumsy."""


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    last_s: float = 0.0


class _Table:
    def __init__(self, free: int) -> None:
        self._free = free
        self._tries: dict[str, _Tries] = {}

    def wait_s(self, key: str, now_s: float) -> float:
        tries = self._tries.get(key)
        if tries is None:
            return 0.0
        if now_s - tries.last_s > FORGOTTEN_AFTER_S:
            del self._tries[key]
            return 0.0
        return max(tries.last_s + wait_s(tries.failures, self._free) - now_s, 0.0)

    def count(self, key: str, now_s: float) -> int:
        tries = self._tries.pop(key, None) or _Tries()
        if len(self._tries) >= MOST:
            del self._tries[next(iter(self._tries))]  # the order is that of the last failure
        self._tries[key] = tries
        tries.failures, tries.last_s = tries.failures + 1, now_s
        return tries.failures

    def forget(self, key: str) -> None:
        self._tries.pop(key, None)

    def take_back(self, key: str) -> None:
        tries = self._tries.get(key)
        if tries is not None:
            tries.failures -= 1


class Throttle:
    """Attempts at one thing: signing in, or typing a code."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._accounts = _Table(FREE_FAILURES)
        self._addresses = _Table(FREE_OF_ADDRESS)

    def wait_s(self, account: str, address: str) -> float:
        """0: an attempt may be made now."""
        now_s, place = self._monotonic(), place_of(address)
        accounts, addresses = self._accounts, self._addresses
        return max(accounts.wait_s(account, now_s), addresses.wait_s(place, now_s))

    def begin(self, account: str, address: str) -> int:
        """Count an attempt as failed; how many of this account have."""
        now_s = self._monotonic()
        self._addresses.count(place_of(address), now_s)
        return self._accounts.count(account, now_s)

    def undo(self, account: str, address: str) -> None:
        """It was never looked at."""
        self._accounts.take_back(account)
        self._addresses.take_back(place_of(address))

    def succeeded(self, account: str, address: str) -> None:
        """It was right: the account begins anew. The address does not: it may know one password."""
        self._accounts.forget(account)
        self._addresses.take_back(place_of(address))
