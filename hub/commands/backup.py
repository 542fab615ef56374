"""`linli backup`: history and configuration in one file, while the hub runs."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hub.configuration.locate import configuration_file, terminal_language

if TYPE_CHECKING:
    from hub.backup.make import Made, Source
    from hub.backup.problems import BackupError
    from hub.backup.progress import Bar
    from hub.settings import CentreSettings

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
FILE may be a folder, for example a USB stick; then a name is made of the centre and the time. The
hub may run. With a passphrase everything in it is encrypted; it is never given as an option, where
others on this machine could read it. Where the configuration names backup.passphrase_file, that is
taken. A new one has at least 12 characters or five words, best chosen by dice or by
`openssl rand -base64 15`: whoever finds the file may guess for years. Passwords and tokens that the
configuration names as files are not in the backup: keep them elsewhere. docs/backup.md shows how to
open one without Linli. Exit status 0: done; 1: not done, and nothing was changed; 2: wrong usage or
settings.

examples:
  linli backup /media/usb/linli
  linli backup today.tar --ask-passphrase
  linli backup today.tar --passphrase-file /etc/linli/passphrase --force
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "backup",
        help="copy history and configuration into one file, while the hub runs",
        description="Copy history and configuration into one file, while the hub runs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file, or a folder")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    add_common(parser)
    parser.add_argument("--made-at", type=int, metavar="MS", help=argparse.SUPPRESS)


def add_common(parser: argparse.ArgumentParser) -> None:
    """What `backup` and `restore` share."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the centre's file")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="instead of storage.path")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="a file with the passphrase"
    )
    how.add_argument("--ask-passphrase", action="store_true", help="ask for the passphrase")
    parser.add_argument("--gently", action="store_true", help="let all other work go first")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Make a backup and say what is in it."""
    from hub.backup import make
    from hub.backup.problems import BackupError
    from hub.commands.check_config import complaint
    from hub.settings import SettingsError, load

    config = configuration_file(arguments.config)
    try:
        settings = load(config)
    except SettingsError as error:
        print(complaint(error.problems, terminal_language(os.environ)), file=sys.stderr)
        return 2
    prepare(arguments)
    data = arguments.data or Path(settings.storage.path)
    plans = tuple(Path(plan.file) for plan in settings.plans)
    source = make.Source(settings.centre.id, data, config, plans)
    now_ms = arguments.made_at or int(time.time() * 1000)
    try:
        passphrase = _passphrase(arguments, settings)
        with watched() as bar:
            order = make.Order(source, arguments.file, now_ms, passphrase, arguments.force)
            made = make.make(order, bar)
    except BackupError as error:
        return refuse(error, arguments)
    _report(made, source, arguments)
    return 0


def _passphrase(arguments: argparse.Namespace, settings: CentreSettings) -> str | None:
    """
    Raises:
        BackupError: it cannot be had, or is soon guessed.
    """
    from hub.backup import secret

    file = arguments.passphrase_file or configured_passphrase(settings)
    if arguments.ask_passphrase:
        return secret.fit_for_a_backup(secret.from_person(is_new=True))
    return secret.fit_for_a_backup(secret.from_file(file), file) if file else None


def prepare(arguments: argparse.Namespace) -> None:
    """End tidily when told to, and be considerate if asked."""
    from hub.backup.worker import be_gentle

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if arguments.gently:
        be_gentle()


def configured_passphrase(settings: CentreSettings) -> Path | None:
    """The file that the hub's own backups are encrypted with."""
    section = settings.backup
    return Path(section.passphrase_file) if section and section.passphrase_file else None


@contextlib.contextmanager
def watched() -> Iterator[Bar]:
    """A bar while it goes on, and none afterwards."""
    from hub.backup.progress import Bar

    bar = Bar(sys.stderr)
    try:
        yield bar
    finally:
        bar.clear()


def refuse(error: BackupError, arguments: argparse.Namespace) -> int:
    """Say why not."""
    from msgspec.structs import asdict

    from hub.backup.cost import unknown_cost
    from hub.texts import render

    text = error.text
    if arguments.json:
        document = {"ok": False, "code": text.code, "params": text.params}
        print(json.dumps({**document, "cost": asdict(unknown_cost())}))
    else:
        said = render(text, terminal_language(os.environ))
        print(f"linli {arguments.command}: {said}", file=sys.stderr)
    return 1


def _report(made: Made, source: Source, arguments: argparse.Namespace) -> None:
    from msgspec.structs import asdict

    from hub.backup.cost import cost
    from hub.configuration.sizes import size_text

    manifest = made.manifest
    files = [part.name for part in manifest.parts]
    if arguments.json:
        copied = manifest.parts[0].size if manifest.encrypted else 0
        document = {
            "ok": True,
            "code": "backup.made",
            "params": {"time": manifest.made_ms},
            "file": str(made.path),
            "size": made.size,
            "encrypted": manifest.encrypted,
            "files": files,
            "cost": asdict(cost(source.data, made.path.parent, copied)),
        }
        print(json.dumps(document))
        return
    print(f"{made.path}: {size_text(made.size)}, centre {manifest.centre}")
    print(f"    holds {', '.join(files)}")
    if manifest.encrypted:
        print("    encrypted: without the passphrase nobody can read it, you neither")
    else:
        print("    not encrypted: whoever has the file can read it")
    for plan in source.plans:
        if not plan.is_file():
            print(f"    does not hold {plan}: it is not there")
    print("    does not hold: files with passwords, tokens or keys that the configuration names")
