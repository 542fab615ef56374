"""What can go wrong with a backup, as a code that has a sentence in each language."""

from __future__ import annotations

from pathlib import Path

from hub.domain.room import Text


class BackupError(Exception):
    """Nothing was changed; the text says what, and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.code)
        self.text = text


def disk_problem(path: Path, error: OSError) -> BackupError:
    """What the file system answered; ``path`` is where we were at work."""
    detail = error.strerror or str(error)
    return BackupError(Text("backup.disk", {"path": str(path), "detail": detail}))
