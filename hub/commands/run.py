"""`linli run`: the hub of one centre, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hub.configuration.locate import configuration_file, terminal_language

if TYPE_CHECKING:
    from hub.settings import CentreSettings

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
Ends cleanly on SIGTERM and Ctrl-C: everything heard is written first.

Without an account or a token only the page /set-up is served; it asks for the code that is printed
here at the start, and makes the first administrator. linli user add does the same without it. For
a trial on this machine, put access: {open: true} into the file; it is accepted on 127.0.0.1 only.

examples:
  linli run
  linli run --config centre.yaml --data /var/lib/linli --log debug
"""
FILES = 4_096  # each connection is one, and the store and the ports need theirs
LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
JOURNAL_FORMAT = "%(levelname)-7s %(name)s: %(message)s"  # journald puts its own time in front


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "run",
        help="run the hub of a centre",
        description="Run the hub of a centre.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the centre's file")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="instead of storage.path")
    parser.add_argument(
        "--log", default="info", choices=("debug", "info", "warning"), help="how much to say"
    )


def run(arguments: argparse.Namespace) -> int:
    """Load the settings, then serve until a signal."""
    from hub.commands.check_config import complaint
    from hub.settings import SettingsError, load

    set_up_logging(arguments.log)
    config_file = configuration_file(arguments.config)
    try:
        settings = load(config_file)
    except SettingsError as error:
        print(complaint(error.problems, terminal_language(os.environ)), file=sys.stderr)
        return 2
    data = arguments.data or Path(settings.storage.path)
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds password hashes
    except OSError as error:
        reason = error.strerror or error
        print(
            f"{data}: cannot keep history there ({reason}). Nothing was started.", file=sys.stderr
        )
        print("    Change storage.path or the folder's rights; see linli doctor.", file=sys.stderr)
        return 1
    _allow_files()
    return _serve(settings, data, config_file)


def _allow_files() -> None:
    """As many as we need, where the machine lets us: 1,024 are the habit, and too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if resource.RLIM_INFINITY != soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def set_up_logging(level: str) -> None:
    """Log to standard error, where journald and people look."""
    from hub.store.wear import CountingHandler

    is_journal = "JOURNAL_STREAM" in os.environ
    logging.basicConfig(
        level=level.upper(),
        format=JOURNAL_FORMAT if is_journal else LOG_FORMAT,
        handlers=[CountingHandler(sys.stderr)],  # what the log costs the card
    )


def _serve(settings: CentreSettings, data: Path, config_file: Path) -> int:
    import uvloop

    from edge.clock import Clock
    from edge.timekeeping import Timekeeper
    from hub.run import serve
    from hub.store.query import StoreError

    async def until_stopped() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        keeper = Timekeeper(settings.clock.trust, settings.clock.marker)
        await serve(
            settings,
            Clock(),
            stop,
            data=data,
            keeper=keeper,
            config_file=config_file,
            show_code=partial(_show_code, settings.http.names),
        )

    try:
        uvloop.run(until_stopped())
    except (OSError, StoreError) as error:  # a taken port, a read-only disk: both say what to do
        print(f"linli: {error}", file=sys.stderr)
        return 1
    return 0


def _show_code(names: Sequence[str], address: str, code: str) -> None:
    """On the console and not through the log: a log is kept, copied and read by others."""
    from hub.commands.first_start import notice

    print("\n".join(notice(address, code, names, os.environ)), flush=True)
