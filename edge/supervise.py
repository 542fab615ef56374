"""Keep a link open for ever: say once that it was lost, say once that it is back.

A link is a serial port or a broker. Its ``session`` connects, calls ``up`` when that worked, and
raises when the link is gone. Between attempts we wait longer and longer, up to a ceiling, and at
random, so that twenty ports of one hub that lost its power do not come back in the same moment.

This module is the one place where an error of any kind is caught: a driver or a transport with a
bug may cost its own link, never the others.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import NoReturn, ParamSpec, Protocol, TypeVar

from edge.reading import Outlet

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.5
SHORTEST_WAIT_S = 0.05
STEADY_AFTER_S = 30.0
"""A link that was up for so long is back; one that is lost again before only flaps: its waits go
on growing, and nothing is logged."""
ACTIONABLE = frozenset(
    {"held", "refused_settings", "no_permission", "not_authorised", "tls", "password_file"}
)
"""Reasons that a person can mend: told even when the link was already down for another reason."""

P = ParamSpec("P")
R = TypeVar("R")


class LinkError(Exception):
    """The link is gone, or could not be had; ``code`` says why."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class Link(Protocol):
    """What can be kept open."""

    @property
    def name(self) -> str: ...

    @property
    def devices(self) -> frozenset[str]: ...

    @property
    def longest_wait_s(self) -> float: ...

    def session(self, up: Callable[[], None]) -> Awaitable[NoReturn]: ...


class Supervisor:
    """Runs one link's sessions, one after the other, and tells the outlet about it."""

    def __init__(self, link: Link, outlet: Outlet) -> None:
        self._link = link
        self._outlet = outlet
        self._down_for: str | None = None
        self._is_up = False
        self._failures = 0
        self._is_told = False  # that it was lost; a link that flaps is told once
        self._calm: asyncio.TimerHandle | None = None

    async def run(self) -> NoReturn:
        """Until cancelled."""
        while True:
            try:
                await self._link.session(self._up)
            except LinkError as error:
                self._down(error.code, error)
            except Exception as error:  # noqa: BLE001 - one broken link must never stop the others
                self._down("failed", error)
            await asyncio.sleep(self._wait_s())

    def _up(self) -> None:
        if self._is_up:
            return
        self._calm = asyncio.get_running_loop().call_later(STEADY_AFTER_S, self._is_steady)
        self._is_up, self._down_for = True, None
        self._outlet.link(self._link.name, self._link.devices, True, "")

    def _is_steady(self) -> None:
        """It has been up for a while: the next loss is a new one."""
        self._failures = 0
        if self._is_told:
            self._is_told = False
            log.info("%s: back", self._link.name)

    def _down(self, code: str, error: Exception) -> None:
        if self._calm is not None:
            self._calm.cancel()
        self._failures += 1
        self._is_up = False
        is_mendable = code in ACTIONABLE and code != self._down_for
        if self._down_for is not None and not is_mendable:
            return
        if not self._is_told or is_mendable:
            self._is_told = True
            # Our own bug needs its trace; a pulled cable does not.
            log.warning("%s: lost: %s", self._link.name, error, exc_info=code == "failed")
        self._down_for = code
        self._outlet.link(self._link.name, self._link.devices, False, code)

    def _wait_s(self) -> float:
        ceiling = FIRST_WAIT_S * 2.0 ** min(self._failures, 10)  # 2.0**1024 would raise
        ceiling = min(ceiling, self._link.longest_wait_s)
        return random.uniform(SHORTEST_WAIT_S, ceiling)  # noqa: S311 - jitter, no secret


class Shield:
    """Calls a driver. Drivers promise never to raise; one that does is named once, and costs
    its own device one discard."""

    def __init__(self, driver: str) -> None:
        self._driver = driver
        self._told = False

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | Exception:
        """The function's answer, or what it raised."""
        try:
            return function(*args, **kwargs)
        except Exception as error:  # a driver's bug must not end the reader of all
            if not self._told:
                self._told = True
                log.exception("driver %s: raised, which it must never do", self._driver)
            return error
