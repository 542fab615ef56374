"""What a mirror is given: changes in the order of commits, a piece at a time."""

from __future__ import annotations

import msgspec

from hub.live import Change
from hub.store.packing import RoomRow


class MirrorCursor(msgspec.Struct, frozen=True):
    """How far a mirror has acknowledged: every commit up to here.

    Where the next commit is already sealed, ``shelf`` shelves of its chapter are acknowledged too.
    """

    commit: int = 0
    shelf: int = 0


class RoomPoint(msgspec.Struct, frozen=True):
    """A room's status from ``row.at_ms`` on."""

    room: str
    row: RoomRow


class Batch(msgspec.Struct, frozen=True):
    """A piece of history. ``cursor`` is to be kept once all of it is acknowledged."""

    changes: tuple[Change, ...]
    rooms: tuple[RoomPoint, ...]
    cursor: MirrorCursor
    commits_behind: int = 0
    """Commits after this batch; 0: the mirror then has everything that is committed."""
    oldest_ms: int | None = None
    """The earliest time in it; None for an empty batch."""
