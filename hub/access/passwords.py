"""Argon2 in at most two threads at once, with a bounded queue before them.

A hash takes 19 MiB and, on a Pi 4, about a tenth of a second: two at once leave the hub its
memory and two of its cores, and a crowd at the door waits outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from hub.access.rules import clean_password

if TYPE_CHECKING:
    from pwdlib import PasswordHash

T = TypeVar("T")

# The smallest that OWASP's password storage sheet calls enough for Argon2id: a Pi is no server.
MEMORY_KIB, ROUNDS, LANES = 19 * 1024, 2, 1
WORKERS, WAITING = 2, 8
RETRY_AFTER_S = 5
# A hash of nothing: to check against it costs what checking against a real one costs.
NOBODYS = (
    f"$argon2id$v=19$m={MEMORY_KIB},t={ROUNDS},p={LANES}$bm9ib2R5cyBzYWx0Lg"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


class TooManyError(Exception):
    """More people try to sign in than can be checked; ask again in some seconds."""


@cache
def hasher() -> PasswordHash:
    """Imported when the first password is looked at."""
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash(
        (Argon2Hasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=LANES),)
    )


def hash_password(password: str) -> str:
    return hasher().hash(clean_password(password))


def check_password(password: str, hashed: str | None) -> tuple[bool, str | None]:
    """Is it right, and how it should be kept from now on, where its parameters have aged.

    Without a hash (nobody of that name) it takes as long, and is never right.
    """
    right, fresh = hasher().verify_and_update(clean_password(password), hashed or NOBODYS)
    return (right, fresh) if hashed is not None else (False, None)


class PasswordWorker:
    """The same off the event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(WORKERS, "passwords")
        self._inside = 0

    async def hash(self, password: str) -> str:
        """
        Raises:
            TooManyError
        """
        return await self._run(lambda: hash_password(password))

    async def check(self, password: str, hashed: str | None) -> tuple[bool, str | None]:
        """
        Raises:
            TooManyError
        """
        return await self._run(lambda: check_password(password, hashed))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._inside >= WORKERS + WAITING:
            raise TooManyError
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._inside -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
