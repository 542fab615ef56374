"""``Notify`` on a real store, with a clock that the test pushes and alerts that the test makes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.clock import Clock
from hub import settings
from hub.bus import Bus
from hub.domain.errors import NotFoundError
from hub.domain.events import AcknowledgeWanted, AlertChanged, DrillWanted
from hub.domain.fault import Alert, AlertState, Fault
from hub.notify.service import Notify
from hub.store.store import Store

WITHIN_S = 20.0

CENTRE = """
centre: {id: trial, name: {en: Trial, zh-CN: 试用}, timezone: Asia/Shanghai}
rooms: [{id: gym, name: {en: Gym, zh-CN: 健身房}, kind: gym}]
"""


class Faults:
    """The alerts that the test made, as ``hub/faults`` would tell of them."""

    def __init__(self) -> None:
        self.known: dict[int, Alert] = {}

    def alert(self, number: int) -> Alert:
        if number not in self.known:
            raise NotFoundError(str(number))
        return self.known[number]

    def alerts(self) -> Sequence[Alert]:
        return [alert for alert in self.known.values() if alert.is_open]

    def fault(self, number: int) -> Fault:
        raise NotFoundError(str(number))

    def faults(self) -> Sequence[Fault]:
        return []

    def counts(self) -> Mapping[AlertState, int]:
        return {}

    def of_device(self, device: str) -> Sequence[Fault]:
        return []

    def in_room(self, room: str) -> Sequence[Alert]:
        return []


class Rig:
    """One centre on one folder. ``running`` may be left and entered again: a restart."""

    def __init__(self, folder: Path, notify: str, start_ms: int) -> None:
        self.folder = folder
        self.now_ms = start_ms
        file = folder / "centre.yaml"
        file.write_text(CENTRE + notify)
        self.settings = settings.load(file)
        self.place = settings.centre(self.settings)
        self.clock = Clock(true_time=lambda: self.now_ms / 1000)
        self.faults = Faults()
        self.bus = Bus()
        self.wishes: list[AcknowledgeWanted | DrillWanted] = []
        self.notify: Notify = None  # type: ignore[assignment]  # there while it runs

    @contextlib.asynccontextmanager
    async def running(self, *, ends_well: bool = True) -> AsyncIterator[Notify]:
        """``ends_well`` False: what it would write at its end is not written."""
        self.bus = Bus()
        self.bus.subscribe(AcknowledgeWanted, self.wishes.append)
        self.bus.subscribe(DrillWanted, self.wishes.append)
        store = await Store.open(self.folder / "data", self.clock)
        self.notify = Notify(
            self.settings.notify,
            self.place,
            store,
            self.clock,
            self.bus,
            self.faults,
            self.folder / "data",
        )
        task = asyncio.create_task(self.notify.run())
        try:
            yield self.notify
        finally:
            if not ends_well:
                self.notify.book._store = Gone()  # type: ignore[assignment]
            task.cancel()
            await asyncio.wait({task})
            await store.close()
            if not task.cancelled():
                task.result()

    def change(self, alert: Alert) -> None:
        before = self.faults.known.get(alert.id)
        self.faults.known[alert.id] = alert
        self.bus.publish(AlertChanged(alert, before))

    def forward(self, span_ms: int) -> None:
        self.now_ms += span_ms
        self.notify.wake()

    async def until(self, claim: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
        async with asyncio.timeout(within_s):
            while not (found := claim()):  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        return found

    async def idle(self) -> None:
        """Nothing is being sent, and all that was decided is on the disk."""
        book = self.notify.book
        await self.until(
            lambda: (
                not any(row.state == "sending" for row in book.sendings.values())
                and not any(book._fresh.values())
                and not self.notify._changed.is_set()
            )
        )


class Gone:
    """A store after the power went: nothing is written any more."""

    async def work(self, *_: object) -> None:
        raise OSError("no power")

    async def ask(self, *_: object) -> None:
        raise OSError("no power")
