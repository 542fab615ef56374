"""The command `linli`.

Each sub-command is a module of `hub/commands/` with `add(subparsers)` and `run(arguments)`. Only
the module of the command that was called is imported, and it imports its libraries inside `run`:
on a Pi the whole hub takes seconds to import, and `linli --help` should not.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

COMMANDS = {
    "demo": "start a simulated centre, and open its pages",
    "run": "run the hub of a centre",
    "check-config": "check a configuration, with the place of every mistake",
    "doctor": "find out what this machine lacks: ports, broker, disk, clock",
    "drivers": "list the devices that are understood",
    "trace": "follow one message from its bytes to its samples",
    "simulate": "feed a running hub with simulated devices",
    "mirror": "how far copies on other servers are; send again; compare",
    "export": "write readings or a room's history to CSV or NDJSON",
    "explain": "why a room was free, in use or unknown, at any past moment",
    "user": "accounts of people: add, list, roles, password, disable",
    "token": "keys for programs and screens: make, list, revoke",
    "backup": "copy history and configuration into one file, while the hub runs",
    "restore": "put a backup in place of a hub's data, or try one out",
}
EPILOG = """\
examples:
  linli demo                            look around, without any device
  linli check-config centre.yaml        before you restart the hub
  linli run --config centre.yaml        the real thing
  linli doctor                          when something does not work
  linli trace --driver and_tm265x 02 …  what does this frame say?

Each command explains itself: linli COMMAND --help
"""
# Also what makes argparse leave room enough for the longest command.
COMMAND = "COMMAND [OPTION ...]"
DASHED = str.maketrans("-", "_")


class Version(argparse.Action):
    """Print the version; metadata is read only when somebody asks."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"linli {version('linli')}")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0 (well), 1 (failed) or 2 (wrong usage or settings)."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = next((word for word in words if not word.startswith("-")), None)
    if command is not None and command not in COMMANDS:
        return _unknown(command)
    arguments = _parser(command).parse_args(words)
    if arguments.command is None:
        _parser(None).print_help()
        return 0
    module = importlib.import_module(f"hub.commands.{arguments.command.translate(DASHED)}")
    try:
        status: int = module.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 1
    except BrokenPipeError:
        # `linli drivers | head`: the reader has seen enough. Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _unknown(command: str) -> int:
    guess = get_close_matches(command, COMMANDS, n=1)
    hint = f"Did you mean {guess[0]}?" if guess else "linli --help lists them."
    print(f"linli: there is no command {command!r}. {hint}", file=sys.stderr)
    return 2


def _parser(command: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="linli",
        description="Linli, an IoT hub for community centres: which room is free, what is broken.",
        epilog=EPILOG,
        usage=f"linli {COMMAND}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", nargs=0, action=Version, help="print the version and end")
    subparsers = parser.add_subparsers(dest="command", metavar=COMMAND, prog="linli")
    for name, summary in COMMANDS.items():
        if name == command:
            importlib.import_module(f"hub.commands.{name.translate(DASHED)}").add(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    return parser


if __name__ == "__main__":
    sys.exit(main())
