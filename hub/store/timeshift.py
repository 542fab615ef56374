"""The store's part when a machine learns the time late: mark, move in memory, plan on disk."""

from __future__ import annotations

from collections.abc import Iterable

from edge.clock import Clock
from hub.live import LiveState
from hub.store.commits import Commits
from hub.store.restamp import (
    Boot,
    moved,
    restamp_changes,
    restamp_marks,
    restamp_rooms,
    restamp_slice,
)
from hub.store.roomlog import RoomLog

PATIENCE_MS = 3 * 86_400_000
"""A machine that has not learned the time by then has nobody to ask: history goes on without."""


class TimeShift:
    """What ``hub/clockwatch.py`` asks for. Belongs to the event loop."""

    def __init__(
        self,
        clock: Clock,
        live: LiveState,
        rooms: RoomLog,
        commits: Commits,
        boots: Iterable[Boot],
        alive_ms: int,
    ) -> None:
        self._clock = clock
        self._live = live
        self._rooms = rooms
        self._commits = commits
        self._boots = {boot.id: boot for boot in boots}
        self.alive_ms = alive_ms
        self._current = ""

    def newest_ms(self) -> int:
        """The latest time that is kept; 0 for an empty store."""
        return max(self.alive_ms, self._live.newest_ms())

    def boot(self, boot_id: str) -> Boot | None:
        """What was kept of a boot of this machine, before this start."""
        self._current = boot_id
        boot = self._boots.get(boot_id)
        self._commits.boot = boot
        return boot

    def begin_boot(self, boot_id: str, base_ms: int, monotonic_ms: int) -> None:
        """Mark all that comes from now on: its times are not true yet."""
        boot = Boot(boot_id, base_ms, monotonic_ms, self._commits.next_id)
        self._keep(boot)

    def restamp(self, boot_id: str, shift_ms: int) -> None:
        """The marked times are wrong by the shift: move them in memory, and plan it on disk.

        The open group is committed with the moved live state and the resolved boot, in one
        transaction; everything older moves afterwards, a slice at a time.
        """
        boot, group = self._boots[boot_id], self._commits.open_group
        base_ms = boot.base_ms
        self._live.move(base_ms, shift_ms, self._clock.now_ms())
        self._rooms.move(base_ms, shift_ms)
        self.alive_ms = moved(self.alive_ms, base_ms, shift_ms)
        group.changes = restamp_changes(group.changes, base_ms, shift_ms)
        group.rooms = restamp_rooms(group.rooms, base_ms, shift_ms)
        group.marks = restamp_marks(group.marks, base_ms, shift_ms)
        self._keep(boot.resolved(shift_ms, group.id - 1))
        self._commits.checkpoint_now()

    def has_rows_to_move(self) -> bool:
        """Is there something to do for ``move_rows``, now?"""
        committed = self._commits.committed
        return any(
            boot.has_rows_to_move and committed > (boot.last_commit or 0)
            for boot in self._boots.values()
        )

    async def move_rows(self) -> None:
        """Move some rows on disk, in one short transaction.

        Raises:
            StoreError, sqlite3.Error, OSError: nothing of it was done.
        """
        done = await self._commits.work("clock", restamp_slice)
        if done is not None:
            self._keep(done)

    def final_before(self) -> int | None:
        """Commits from here on have times that may still move; None: all are final."""
        waiting = [boot.first_to_move for boot in self._boots.values() if self._is_waited_for(boot)]
        return min(waiting, default=None)

    def is_moving(self) -> bool:
        """Rows on disk are not yet where the live state says they are."""
        return any(boot.has_rows_to_move for boot in self._boots.values())

    def _is_waited_for(self, boot: Boot) -> bool:
        if boot.has_rows_to_move:
            return True
        is_open = boot.shift_ms is None and boot.id == self._current
        return is_open and self._clock.now_ms() - boot.base_ms < PATIENCE_MS

    def _keep(self, boot: Boot) -> None:
        self._boots[boot.id] = boot
        if boot.id == self._current:
            self._commits.boot = boot
