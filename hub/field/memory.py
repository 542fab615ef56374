"""Where something of ours may still lie on the broker: a small file beside the history.

Retained messages outlive the setting that made them. When publishing is switched off, or the
prefix or the centre's id changed, this file is how the next start knows where to clear away.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from hub.field.topics import Topics

log = logging.getLogger(__name__)

FILE = "published.json"


class Memory:
    """The file; blocking, and a few hundred bytes."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self.places = self._read()

    def keep(self, places: tuple[Topics, ...]) -> None:
        """Remember these and no others; without any, the file is gone."""
        if places == self.places:
            return
        self.places = places
        try:
            if not places:
                self._file.unlink(missing_ok=True)
                return
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(places))
            os.replace(fresh, self._file)  # noqa: PTH105 - the name says what it does
        except OSError as error:
            log.warning(
                "%s cannot be written (%s): should publishing be switched off before the next "
                "start, what Home Assistant was told stays there. Check the disk.",
                self._file,
                error.strerror or error,
            )

    def _read(self) -> tuple[Topics, ...]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=tuple[Topics, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("%s cannot be read and is not used: %s", self._file, error)
            return ()
