"""What `linli user` and `linli token` share: the database, and how they say what went wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hub.configuration.locate import configuration_file, terminal_language
from hub.domain.room import Text

if TYPE_CHECKING:
    from hub.access.console import Console

Do = Callable[["Console", argparse.Namespace], int]


def add_places(parser: argparse.ArgumentParser) -> None:
    """The options that say which hub is meant."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the centre's file")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="instead of storage.path")


def run_on_database(name: str, arguments: argparse.Namespace, do: Do) -> int:
    """Open the hub's database and do it; the exit status."""
    import sqlite3

    from hub.access.console import Console
    from hub.commands.check_config import complaint
    from hub.domain.errors import RefusedDecisionError
    from hub.settings import SettingsError, load
    from hub.store.query import StoreError
    from hub.usage import UsageError

    language = terminal_language(os.environ)
    try:
        folder = arguments.data or Path(load(configuration_file(arguments.config)).storage.path)
        with Console(folder) as console:
            return do(console, arguments)
    except SettingsError as error:
        print(complaint(error.problems, language), file=sys.stderr)
        return 2
    except (RefusedDecisionError, UsageError) as error:
        print(f"linli {name}: {spoken(error.text)}", file=sys.stderr)
        return 1 if isinstance(error, RefusedDecisionError) else 2
    except (StoreError, sqlite3.Error, OSError) as error:
        print(f"linli {name}: {error}", file=sys.stderr)
        return 1


def spoken(text: Text) -> str:
    """In the language of the terminal."""
    from hub.texts import render

    return render(text, terminal_language(os.environ))


def moment(at_ms: int | None) -> str:
    """A time for a table, in UTC; a dash for never.

    >>> moment(0), moment(None)
    ('1970-01-01 00:00Z', '-')
    """
    from datetime import UTC, datetime

    if at_ms is None:
        return "-"
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}Z"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as they must be."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines)
