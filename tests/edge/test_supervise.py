"""A link that comes and goes: told once, with waits that grow and end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

import pytest

from edge.supervise import LinkError, Supervisor
from tests.edge.wires import Recorder


class Flaky:
    """A link that does what it was told to, then holds."""

    name = "flaky"
    devices = frozenset({"door"})
    longest_wait_s = 0.06

    def __init__(self, *fates: str) -> None:
        self.fates = list(fates)
        self.attempts = 0

    async def session(self, up: Callable[[], None]) -> NoReturn:
        self.attempts += 1
        fate = self.fates.pop(0) if self.fates else "up"
        if fate == "bug":
            raise ZeroDivisionError
        if fate != "up":
            raise LinkError(fate)
        up()
        if self.fates:
            raise LinkError("lost")
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize(
    ("fates", "told"),
    [
        (["gone"] * 5, [(False, "gone"), (True, "")]),
        (["lost", "refused", "unreachable"], [(False, "lost"), (True, "")]),
        (["gone", "held", "held"], [(False, "gone"), (False, "held"), (True, "")]),
        (["up", "gone", "gone"], [(True, ""), (False, "lost"), (True, "")]),
        (["bug", "bug"], [(False, "failed"), (True, "")]),
    ],
)
async def test_loss_and_recovery_are_told_once(
    fates: list[str], told: list[tuple[bool, str]]
) -> None:
    outlet, link = Recorder(), Flaky(*fates)
    task = asyncio.create_task(Supervisor(link, outlet).run())
    await outlet.until(lambda: not link.fates and link.attempts == len(fates) + 1)
    await outlet.until(lambda: [(up, why) for _, up, why in outlet.links] == told)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
