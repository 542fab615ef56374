"""Ask devices that only speak when asked: one question on the line at a time.

Each driver's polls have a period of their own. The loop always asks what is most overdue, waits
for a whole frame, and goes on when it came or when the driver's patience (``expect``) is over.
An unanswered question is no fault of the line: that the device is silent is found elsewhere.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from typing import Protocol

from device_drivers.contract import Poll
from edge.link import SerialFeed


class AskedLine(Protocol):
    """What asking needs of a line."""

    answered: asyncio.Event
    """Set when a whole frame came."""

    def write(self, data: bytes) -> None: ...

    def nothing_came(self) -> None: ...


async def poll_for_ever(feeds: Sequence[SerialFeed], line: AskedLine) -> None:
    """Until cancelled, or at once where no driver has anything to ask."""
    loop = asyncio.get_running_loop()
    polls = [poll for feed in feeds for poll in feed.driver.polls]
    due: list[tuple[float, int]] = [(loop.time(), number) for number in range(len(polls))]
    while due:
        at_s, number = heapq.heappop(due)
        await asyncio.sleep(at_s - loop.time())
        await _ask(polls[number], line)
        # From the time it was due, so that the period does not drift; never two at once.
        following_s = max(at_s + polls[number].every.total_seconds(), loop.time())
        heapq.heappush(due, (following_s, number))


async def _ask(poll: Poll, line: AskedLine) -> None:
    line.answered.clear()
    line.write(poll.request)
    try:
        async with asyncio.timeout(poll.expect.total_seconds()):
            await line.answered.wait()
    except TimeoutError:
        line.nothing_came()
