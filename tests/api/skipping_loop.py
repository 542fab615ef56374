"""An event loop whose time can be moved on, so that a test need not wait for what waits in it.

Sockets and threads are the machine's own; only timers come early.
"""

from __future__ import annotations

import asyncio

TURNS = 8
"""More than any chain of tasks that wake each other here."""


class SkippingLoop(asyncio.SelectorEventLoop):
    ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_s


async def skip(seconds: float) -> None:
    """Let that time pass at once, and whoever waited for it do his work."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    loop.ahead_s += seconds
    await settle()


async def settle() -> None:
    """Let everybody run who can."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
