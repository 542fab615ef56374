"""How long somebody must wait before the next attempt: by account, and by address.

A failure doubles the wait, up to five minutes, and never closes an account for good: who knows the
password gets in after the wait. An attempt counts when it begins, so that a hundred at once are
not a hundred free ones. An account is counted apart where its person was signed in before, since
the hub was started: a stranger who keeps failing makes strangers wait. All tables are bounded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hub.access.rules import FREE_FAILURES, wait_s
from hub.api.addresses import place_of

MOST = 2_000
FORGOTTEN_AFTER_S = 3_600
Key = str | tuple[str, str]
FREE_OF_ADDRESS = 10
"""A centre's people share one address behind a router; one of them may be clumsy."""


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    last_s: float = 0.0


class _Table:
    def __init__(self, free: int) -> None:
        self._free = free
        self._tries: dict[Key, _Tries] = {}

    def wait_s(self, key: Key, now_s: float) -> float:
        tries = self._tries.get(key)
        if tries is None:
            return 0.0
        if now_s - tries.last_s > FORGOTTEN_AFTER_S:
            del self._tries[key]
            return 0.0
        return max(tries.last_s + wait_s(tries.failures, self._free) - now_s, 0.0)

    def count(self, key: Key, now_s: float) -> int:
        tries = self._tries.pop(key, None) or _Tries()
        if len(self._tries) >= MOST:
            # of those that failed least, the one that failed longest ago: made-up names push no
            # account out that is really being tried
            del self._tries[min(self._tries, key=lambda other: self._tries[other].failures)]
        self._tries[key] = tries
        tries.failures, tries.last_s = tries.failures + 1, now_s
        return tries.failures

    def forget(self, key: Key) -> None:
        self._tries.pop(key, None)

    def take_back(self, key: Key) -> None:
        tries = self._tries.get(key)
        if tries is not None:
            tries.failures -= 1


class Throttle:
    """Attempts at one thing: signing in, or typing a code."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._accounts = _Table(FREE_FAILURES)
        self._addresses = _Table(FREE_OF_ADDRESS)
        self._at_home: dict[tuple[str, str], None] = {}

    def wait_s(self, account: str, address: str) -> float:
        """0: an attempt may be made now."""
        now_s, key = self._monotonic(), self._key(account, address)
        accounts, addresses = self._accounts, self._addresses
        return max(accounts.wait_s(key, now_s), addresses.wait_s(place_of(address), now_s))

    def _key(self, account: str, address: str) -> Key:
        at_home = (account, place_of(address))
        return at_home if at_home in self._at_home else account

    def begin(self, account: str, address: str) -> int:
        """Count an attempt as failed; how many of this account have."""
        now_s = self._monotonic()
        self._addresses.count(place_of(address), now_s)
        return self._accounts.count(self._key(account, address), now_s)

    def undo(self, account: str, address: str) -> None:
        """It was never looked at."""
        self._accounts.take_back(self._key(account, address))
        self._addresses.take_back(place_of(address))

    def succeeded(self, account: str, address: str) -> None:
        """It was right: the account begins anew. The address does not: it may know one password."""
        place = place_of(address)
        self._accounts.forget(self._key(account, address))
        self._addresses.take_back(place)
        self._at_home.pop((account, place), None)
        if len(self._at_home) >= MOST:
            del self._at_home[next(iter(self._at_home))]  # the order is that of signing in
        self._at_home[account, place] = None
