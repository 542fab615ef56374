"""What is deleted, and when: the oldest chapters, by age or by size.

Hours and the rooms' history stay. Space inside the file is used again for what comes; the file
itself does not shrink, so nothing is ever copied to make it smaller.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable

import msgspec

from hub.store.outbox import MirrorCursor
from hub.store.reader import CHAPTER_BITS, Question
from hub.store.slices import in_slice

SLICE_SHELVES = 32  # at most
WITNESSES = 4  # chapters of six hours that must have been sealed since the clock jumped
RESERVE = 200_000_000  # bytes that stay free on the disk, but no more than a tenth of it
FORGET = (
    "DELETE FROM damaged WHERE kind IN ('changes', 'rooms', 'checkpoint', 'deliveries')"
    " AND place <= (SELECT last_id FROM chapters WHERE id = :chapter)",
    "DELETE FROM damaged WHERE kind = 'shelf' AND place < :chapter + 1 << :bits",
    "DELETE FROM damaged WHERE kind = 'marks' AND place <= :chapter",
    "DELETE FROM mark_chapters WHERE id <= :chapter",
)
STEADY_MS = 3 * 86_400_000


class Keep(msgspec.Struct, frozen=True):
    """How long readings stay, in milliseconds and bytes."""

    age_ms: int = 730 * 86_400_000
    size: int = 8_000_000_000
    wait_for_mirrors_ms: int = 30 * 86_400_000


class Verdict(msgspec.Struct, frozen=True):
    """The chapter to delete now, if any; whether one stays only because a mirror lacks it."""

    chapter: int | None = None
    waits: bool = False
    unsent: bool = False
    """What is deleted never reached a mirror: it was waited for as long as is allowed."""


def judge(question: Question, keep: Keep, mirrors: Iterable[MirrorCursor], now_ms: int) -> Verdict:
    """Look at the oldest chapter. The newest always stays: it says up to where the log is sealed.

    No chapter is younger than its sealing, even if a clock was in the future when it was filled.
    """
    now_ms = steady_ms(question, now_ms)
    oldest = (
        "SELECT id, last_id, min(last_ms, sealed_ms) FROM chapters"
        " WHERE id < (SELECT max(id) FROM chapters) ORDER BY id LIMIT 1"
    )
    for chapter, last_id, last_ms in question.rows(oldest, ()):
        is_old = last_ms < now_ms - keep.age_ms
        used, room = used_bytes(question), disk_room(question)
        if not is_old and used <= keep.size and room >= 0:
            return Verdict()
        is_unsent = any(cursor.commit < last_id for cursor in mirrors)
        may_wait = last_ms >= now_ms - keep.age_ms - keep.wait_for_mirrors_ms
        if is_unsent and may_wait and used <= keep.size * 5 // 4 and room >= 0:
            return Verdict(waits=True)
        return Verdict(chapter, unsent=is_unsent)
    return Verdict()


def steady_ms(question: Question, now_ms: int) -> int:
    """Now, if the history has come near it.

    A clock that says 2106 for a minute, or a day, must not delete two years. The newest chapters
    are about a day old; where they seem much older the clock has jumped, or the hub was away, and
    nothing grows old until it has run for another day.
    """
    newest = (
        "SELECT min(ms) FROM"
        " (SELECT min(last_ms, sealed_ms) AS ms FROM chapters ORDER BY id DESC LIMIT ?)"
    )
    found = next((ms for (ms,) in question.rows(newest, (WITNESSES,))), None)
    return now_ms if found is None else min(now_ms, found + STEADY_MS)


def kept_since(question: Question) -> int:
    """From then on no reading was deleted; 0: none ever was."""
    for chapter, last_ms in question.rows(
        "SELECT id, last_ms FROM chapters ORDER BY id LIMIT 1", ()
    ):
        return int(last_ms) if chapter > 1 else 0
    return 0


def disk_room(question: Question) -> int:
    """What may still be written before the disk counts as full: free on it, and inside the file.

    Below zero the oldest readings go, whatever ``keep.size`` says; a card that is really full can
    not even be written to in order to delete.
    """
    for _, _, path in question.rows("PRAGMA database_list", ()):
        disk = os.statvfs(path)
        reserve = min(RESERVE, disk.f_blocks * disk.f_frsize // 10)
        idle = (
            "SELECT f.freelist_count * s.page_size FROM pragma_freelist_count f, pragma_page_size s"
        )
        inside = next((int(size) for (size,) in question.rows(idle, ())), 0)
        return disk.f_bavail * disk.f_frsize + inside - reserve
    return 0


def used_bytes(question: Question) -> int:
    """Of the database, without the space that is free inside it."""
    sql = (
        "SELECT (c.page_count - f.freelist_count) * s.page_size"
        " FROM pragma_page_count c, pragma_freelist_count f, pragma_page_size s"
    )
    return next((int(size) for (size,) in question.rows(sql, ())), 0)


# --- in the writer's thread, each a transaction ------------------------------------------------


def drop(db: sqlite3.Connection, chapter: int) -> None:
    """From here on nobody finds it, nor what was damaged in it."""
    for sql in FORGET:
        db.execute(sql, {"chapter": chapter, "bits": CHAPTER_BITS})
    db.execute("DELETE FROM chapters WHERE id = ?", (chapter,))


def delete_dropped(db: sqlite3.Connection) -> int:
    """Delete some shelves of chapters that were dropped; 0 when there are none left."""
    oldest = db.execute("SELECT min(id) FROM chapters").fetchone()[0]
    if oldest is None:
        return 0
    sql = "SELECT id FROM shelves WHERE id < ? ORDER BY id LIMIT ?"
    done = 0
    for row in in_slice(db.execute(sql, (oldest << CHAPTER_BITS, SLICE_SHELVES)).fetchall()):
        db.execute("DELETE FROM shelves WHERE id = ?", row)
        done += 1
    return done
