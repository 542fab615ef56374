"""`linli restore`: put a backup in place of a hub's data, or try one out."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hub.commands.backup import add_common, configured_passphrase, prepare, refuse, watched
from hub.configuration.locate import configuration_file

if TYPE_CHECKING:
    from hub.backup.restore import Restored
    from hub.settings import CentreSettings

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
Stop the hub first. Every byte of FILE and the database in it are checked before anything changes;
then the old data folder is renamed, not deleted, and the new one takes its place. The
configuration is put into a folder of its own beside the data, for you to compare; --config-to puts
it where you say, and replaces files there only with --force, after keeping them. Exit status 0:
done; 1: not done, and the old state is untouched; 2: wrong usage.

examples:
  linli restore /media/usb/linli/linli-east-20261122T030000Z.tar
  linli restore backup.tar --data /var/lib/linli/data --config-to /etc/linli
  linli restore backup.tar --rehearse
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "restore",
        help="put a backup in place of a hub's data, or try one out",
        description="Put a backup in place of a hub's data, or try one out.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a backup")
    parser.add_argument(
        "--config-to", type=Path, metavar="FOLDER", help="where the configuration goes"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace the configuration in that folder"
    )
    parser.add_argument(
        "--rehearse", action="store_true", help="only try it, in a scratch folder; change nothing"
    )
    add_common(parser)


def run(arguments: argparse.Namespace) -> int:
    """Restore or rehearse, and say where everything is."""
    from hub.backup.problems import BackupError

    settings = _settings(configuration_file(arguments.config))
    data = arguments.data or (Path(settings.storage.path) if settings else None)
    if data is None and not arguments.rehearse:
        print(
            "linli restore: there is no configuration that names the data folder."
            " Name it with --data. Nothing was changed.",
            file=sys.stderr,
        )
        return 2
    prepare(arguments)
    try:
        passphrase = _passphrase(arguments, settings)
        if arguments.rehearse:
            _rehearse(arguments, data, passphrase)
        elif data is not None:
            _restore(arguments, data, passphrase)
    except BackupError as error:
        return refuse(error, arguments)
    return 0


def _settings(config: Path) -> CentreSettings | None:
    """A restore may come before there is a configuration, or because it is broken."""
    from hub.settings import SettingsError, load

    try:
        return load(config)
    except SettingsError:
        return None


def _passphrase(arguments: argparse.Namespace, settings: CentreSettings | None) -> str | None:
    from hub.backup import archive, secret
    from hub.backup.problems import disk_problem

    try:
        manifest, _, _ = archive.look(arguments.file)
    except OSError as error:
        raise disk_problem(arguments.file, error) from error
    if not manifest.encrypted:
        return None
    file = arguments.passphrase_file or (configured_passphrase(settings) if settings else None)
    if file is not None and not arguments.ask_passphrase:
        return secret.from_file(file)
    if arguments.ask_passphrase or sys.stdin.isatty():
        return secret.from_person(is_new=False)
    return None


def _rehearse(arguments: argparse.Namespace, data: Path | None, passphrase: str | None) -> None:
    from msgspec.structs import asdict

    from hub.backup.cost import cost
    from hub.backup.rehearsal import rehearse
    from hub.configuration.sizes import size_text

    with watched() as bar:
        done = rehearse(arguments.file, data, passphrase, bar)
    manifest = done.manifest
    if arguments.json:
        beside = arguments.file.parent
        copied = manifest.parts[0].size if manifest.encrypted else 0
        document = {
            "ok": True,
            "code": "rehearsal.ok",
            "params": {"time": manifest.made_ms, "count": done.series},
            "cost": asdict(cost(data or beside, beside, copied)),
        }
        print(json.dumps(document))
        return
    size = sum(part.size for part in manifest.parts)
    print(f"{arguments.file}: good. Centre {manifest.centre}, made {manifest.made_at:%F %T} UTC")
    print(f"    {size_text(size)}, schema {manifest.db_schema}, {done.series} series read back")


def _restore(arguments: argparse.Namespace, data: Path, passphrase: str | None) -> None:
    from hub.backup.restore import Wish, restore

    wish = Wish(arguments.file, data, passphrase, arguments.config_to, arguments.force)
    with watched() as bar:
        done = restore(wish, int(time.time() * 1000), bar)
    _report(done, arguments)


def _report(done: Restored, arguments: argparse.Namespace) -> None:
    manifest = done.manifest
    if arguments.json:
        document = {
            "ok": True,
            "code": "restore.done",
            "params": {"time": manifest.made_ms},
            "data": str(done.data),
            "aside": str(done.aside) if done.aside else None,
            "config": str(done.config),
        }
        print(json.dumps(document))
        return
    print(f"{done.data}: as it was at {manifest.made_at:%F %T} UTC, centre {manifest.centre}")
    if done.aside is not None:
        print(f"    the state before is in {done.aside}; delete it when all is well")
    print(f"    the configuration of then is in {done.config}")
    print("    files with passwords, tokens and keys are not in a backup: see that they are there")
