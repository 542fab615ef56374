"""Passphrases: from a file or from a person, never from the command line."""

from __future__ import annotations

import getpass
from pathlib import Path

from hub.backup.problems import BackupError
from hub.domain.room import Params, Text

MAX_BYTES = 4096
LEAST_CHARACTERS = 12
LEAST_WORDS = 5  # of a list of 7,776, as dice choose them: 64 bits
LEAST_DIFFERENT = 5  # twelve times the same is one character


def from_file(path: Path) -> str:
    """The file's text without the end of the line.

    Raises:
        BackupError: it cannot be read, or is empty.
    """
    try:
        with path.open("rb") as file:
            found = file.read(MAX_BYTES).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        detail = getattr(error, "strerror", None) or "no UTF-8"
        params = {"path": str(path), "detail": str(detail)}
        raise BackupError(Text("backup.passphrase_file", dict(params))) from error
    if not found:
        raise BackupError(Text("backup.passphrase_file", {"path": str(path), "detail": "empty"}))
    return found


def fit_for_a_backup(passphrase: str, file: Path | None = None) -> str:
    """The passphrase, if it may close a new backup; what opens an old one is not asked.

    A guess costs a computer a tenth of a second, and whoever found the stick has years. Words are
    counted too, for scripts in which a word is a character or two.

    Args:
        passphrase: What somebody typed, or wrote into ``file`` perhaps before there was a minimum.
        file: Where it is from; then it may have closed backups that are still to be opened.

    Raises:
        BackupError: it is soon guessed.
    """
    is_long = len(passphrase) >= LEAST_CHARACTERS or len(passphrase.split()) >= LEAST_WORDS
    if is_long and len(set(passphrase)) >= LEAST_DIFFERENT:
        return passphrase
    params: Params = {"least": LEAST_CHARACTERS, "words": LEAST_WORDS}
    if file is None:
        raise BackupError(Text("backup.weak_passphrase", params))
    raise BackupError(Text("backup.weak_passphrase_file", {**params, "path": str(file)}))


def from_person(is_new: bool) -> str:
    """Ask; a new one twice, because a mistyped one opens nothing.

    Raises:
        BackupError: nothing was typed, or two different things.
    """
    found = getpass.getpass("Passphrase: ")
    if not found or (is_new and getpass.getpass("The same again: ") != found):
        raise BackupError(Text("backup.mistyped"))
    return found
