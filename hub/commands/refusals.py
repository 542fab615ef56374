"""How a command that reads the history says that it cannot."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from hub.configuration.locate import terminal_language

if TYPE_CHECKING:
    from hub.domain.room import Text


def answered(command: str, work: Callable[[], int]) -> int:
    """What the work answers; 1 where the history cannot be read, 2 where it was asked wrongly."""
    import sqlite3

    from hub.commands.check_config import complaint
    from hub.domain.room import Text
    from hub.settings import SettingsError
    from hub.store.export import UnreadableError
    from hub.store.query import StoreError
    from hub.usage import UsageError

    try:
        return work()
    except SettingsError as error:
        print(complaint(error.problems, terminal_language(os.environ)), file=sys.stderr)
        return 2
    except UsageError as error:
        say(command, error.text)
        return 2
    except UnreadableError as error:
        say(command, error.text)
    except StoreError as error:
        print(f"linli {command}: {error}", file=sys.stderr)
    except sqlite3.Error as error:
        say(command, Text("export.unreadable", {"detail": str(error)}))
    return 1


def say(command: str, text: Text) -> None:
    """A sentence to who sits at the terminal."""
    from hub.texts import render

    print(f"linli {command}: {render(text, terminal_language(os.environ))}", file=sys.stderr)
