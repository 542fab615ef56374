"""Backups by the clock: make one, keep the newest, try one out now and then, and say how it is.

Nothing is remembered here that the folder does not tell: when the last backup was made is in its
manifest, and what became of a rehearsal is in a file beside it. So a restart changes nothing, and a
stick that comes back is judged by what is on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec

from edge.clock import Clock
from hub.aside import in_thread
from hub.backup.catalogue import Catalogue, Item, Tried
from hub.backup.worker import Said, Worker, work
from hub.configuration.keeping import BackupSection
from hub.domain.room import Text
from hub.texts import render

log = logging.getLogger(__name__)

LOOK_MS = 60_000
RETRY_MS = 15 * 60_000
SETTLE_S = 60.0  # after a start there is other work, and perhaps not yet the right time
ANSWER_S = 30.0


class BackupState(msgspec.Struct, frozen=True):
    """How backups are, for pages and programs."""

    text: Text
    """One sentence for people."""
    is_ok: bool
    """False while there is something to do: no stick, a failure."""
    is_working: bool = False
    items: tuple[Item, ...] = ()
    """What is in the folder, the newest first; as it was when it was last seen."""
    last_backup: Tried | None = None
    """The last attempt since the start, or the newest file."""
    last_rehearsal: Tried | None = None


class BackupsService:
    """Every method belongs to the event loop."""

    def __init__(
        self,
        settings: BackupSection,
        centre: str,
        config: Path,
        data: Path,
        clock: Clock,
        worker: Worker = work,
        is_time_known: Callable[[], bool] = lambda: True,
        count: Callable[[str, int, int], None] = lambda _purpose, _written, _here: None,
    ) -> None:
        """``config`` is the centre's file; ``is_time_known`` is asked before anything is dated;
        ``count`` is told what was written, and how much of it to the data's own disk."""
        self._settings = settings
        self._catalogue = Catalogue(Path(settings.folder), centre)
        self._common = ["--config", str(config), "--data", str(data), "--gently", "--json"]
        self._clock = clock
        self._worker = worker
        self._is_time_known = is_time_known
        self._count = count
        self._looking: asyncio.Task[tuple[Item, ...] | None] | None = None
        self._retry_ms = 0
        self._rehearse_after_ms = 0
        self._failed: Tried | None = None
        self.state = BackupState(Text("backup.none"), True)

    async def run(self, settle_s: float = SETTLE_S) -> None:
        """Look every minute, until cancelled; what is there already is seen at once."""
        await self._look()
        await asyncio.sleep(settle_s)
        while True:
            await self.turn()
            await asyncio.sleep(max(self._clock.real_seconds(LOOK_MS), 1.0))

    async def turn(self) -> None:
        """Look, and do what is due."""
        if not await self._look() or not self._is_time_known():
            return
        if self._is_backup_due():
            await self._back_up()
        if (item := self._rehearsal_due()) is not None:
            await self._rehearse(item)

    def _is_backup_due(self) -> bool:
        now_ms = self._clock.now_ms()
        if _is_soon(self._retry_ms, now_ms):
            return False
        newest = next((item.made_ms for item in self.state.items if item.is_whole), None)
        # either way: a backup from the future was made while the clock was wrong
        return newest is None or abs(now_ms - newest) >= _ms(self._settings.every)

    def _rehearsal_due(self) -> Item | None:
        whole = [item for item in self.state.items if item.is_whole]
        if not whole or whole[0].tried is not None:
            return None
        if _is_soon(self._rehearse_after_ms, self._clock.now_ms()):
            return None
        last = last_tried(whole)
        if last is None or not last.is_ok:
            return whole[0]
        since_ms = abs(self._clock.now_ms() - last.at_ms)
        return whole[0] if since_ms >= _ms(self._settings.rehearse) else None

    async def _look(self) -> bool:
        """Read the folder; whether it can be worked with."""
        try:
            async with asyncio.timeout(ANSWER_S):
                if self._looking is None or self._looking.done():
                    self._looking = asyncio.create_task(in_thread(self._catalogue.look))
                items = await asyncio.shield(self._looking)
        except (OSError, TimeoutError) as error:
            detail = getattr(error, "strerror", None) or "no answer"
            self._say(Text("backup.disk", {"path": self._settings.folder, "detail": detail}), False)
            return False
        if items is None:
            self._retry_ms = 0  # the moment it is back
            self._failed = None
            self._say(Text("backup.absent", {"path": self._settings.folder}), False)
            return False
        self._show(items)
        return True

    def _show(self, items: tuple[Item, ...]) -> None:
        whole = [item for item in items if item.is_whole]
        tried, made = last_tried(whole), None
        if whole:
            made = Tried(whole[0].made_ms, True, Text("backup.made", {"time": whole[0].made_ms}))
        failed = self._failed
        self.state = msgspec.structs.replace(
            self.state, items=items, last_backup=failed or made, last_rehearsal=tried
        )
        if failed is not None:
            self._say(failed.text, False)
        elif tried is not None and not tried.is_ok:
            self._say(tried.text, False)
        else:
            self._say(made.text if made else Text("backup.none"), True)

    async def _back_up(self) -> None:
        now_ms = self._clock.now_ms()
        words = ["backup", self._settings.folder, "--made-at", str(now_ms), *self._common]
        said = await self._work(words)
        self._failed = None if said.ok else Tried(now_ms, False, said.text)
        self._retry_ms = 0 if said.ok else self._clock.now_ms() + RETRY_MS
        if await self._look() and said.ok:
            await self._prune()

    async def _prune(self) -> None:
        items, keep = self.state.items, self._settings.keep
        try:
            gone = await in_thread(lambda: self._catalogue.prune(items, keep))
        except OSError as error:
            log.warning("An old backup cannot be deleted: %s", error.strerror)
            return
        if gone:
            log.info("Deleted %d old backups", len(gone))
            await self._look()

    async def _rehearse(self, item: Item) -> None:
        file = Path(self._settings.folder, item.name)
        said = await self._work(["restore", str(file), "--rehearse", *self._common])
        tried = Tried(self._clock.now_ms(), said.ok, said.text)
        self._rehearse_after_ms = tried.at_ms + RETRY_MS  # a full stick cannot keep the result
        try:
            await in_thread(lambda: self._catalogue.note(item.name, tried))
        except OSError as error:
            log.warning("The result of a rehearsal cannot be kept: %s", error.strerror)
        await self._look()

    async def _work(self, words: list[str]) -> Said:
        self.state = msgspec.structs.replace(self.state, is_working=True)
        try:
            said = await self._worker(words)
            purpose = "rehearsal" if "--rehearse" in words else "backup"
            self._count(purpose, said.cost.written, said.cost.here)
            return said
        finally:
            self.state = msgspec.structs.replace(self.state, is_working=False)

    def _say(self, text: Text, is_ok: bool) -> None:
        """Show it; log it once, and its end once."""
        before = self.state
        self.state = msgspec.structs.replace(before, text=text, is_ok=is_ok)
        if not is_ok and text != before.text:
            log.warning("%s", render(text, "en"))
        elif is_ok and not before.is_ok:
            log.info("Backups work again")


def last_tried(items: list[Item]) -> Tried | None:
    """The latest rehearsal of any of them."""
    tried = [item.tried for item in items if item.tried is not None]
    return max(tried, key=lambda found: found.at_ms, default=None)


def _is_soon(moment_ms: int, now_ms: int) -> bool:
    """A moment to wait for; one that a changed clock put far away is none."""
    return 0 < moment_ms - now_ms <= RETRY_MS


def _ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
