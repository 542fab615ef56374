"""`linli mirror`: how far the copies of the history are, send again, compare."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.configuration.locate import configuration_file, terminal_language

if TYPE_CHECKING:
    from hub.configuration.keeping import MirrorSettings
    from hub.mirror.verify import Tally
    from hub.settings import CentreSettings

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
status   asks the hub; where it does not answer, the database, as of its last checkpoint (10 min)
rewind   sends everything from a time on again, oldest first. It writes over itself, so nothing is
         doubled. For a server that lost data: VictoriaMetrics after a crash, a restored backup, an
         emptied bucket. The hub may run; it begins within seconds, or when it is started
verify   compares every reading of a stretch of time with what the server has. It needs InfluxDB;
         InfluxQL is spoken to 1.x and 3.x, Flux to 2.x. Rooms and gaps are not compared

Exit status 0: well; 1: a mirror is in trouble, or differs; 2: wrong usage or settings.

examples:
  linli mirror status
  linli mirror rewind --from 2026-11-20T00:00:00+08:00
  linli mirror rewind --all --mirror influxdb
  linli mirror verify --from 2026-11-21T00:00:00Z --to 2026-11-22T00:00:00Z
"""
WHAT = ("status", "rewind", "verify")
DAY_MS = 86_400_000
ASK_S = 5.0
SHOWN = 5  # lines that were set aside; --json has them all


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "mirror",
        help="how far copies on other servers are; send again; compare",
        description="Copies of the history on other servers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=WHAT, metavar="WHAT", help=", ".join(WHAT))
    parser.add_argument("--config", type=Path, metavar="FILE", help="the centre's file")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="instead of storage.path")
    parser.add_argument("--mirror", metavar="ID", help="which; may be left out if there is one")
    since = parser.add_mutually_exclusive_group()
    since.add_argument("--from", dest="since", metavar="TIME", help="RFC 3339, with its zone")
    since.add_argument("--all", action="store_true", help="from the beginning")
    parser.add_argument("--to", metavar="TIME", help="verify: until then; now if left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Do it and say what was found."""
    from hub.commands.check_config import complaint
    from hub.settings import SettingsError, load
    from hub.store.query import StoreError

    try:
        settings = load(configuration_file(arguments.config))
        chosen = _chosen(settings, arguments)
        period = _period(arguments)
    except SettingsError as error:
        print(complaint(error.problems, terminal_language(os.environ)), file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"linli mirror: {error}", file=sys.stderr)
        return 2
    try:
        match arguments.what:
            case "status":
                return _status(settings, chosen, arguments)
            case "rewind":
                return _rewind(settings, chosen, arguments, period[0])
        return _verify(settings, chosen[0], arguments, period)
    except (StoreError, OSError) as error:
        print(f"linli mirror: {error}", file=sys.stderr)
        return 1


def _chosen(settings: CentreSettings, arguments: argparse.Namespace) -> list[MirrorSettings]:
    """The mirrors that are meant.

    Raises:
        ValueError: none, or it is not clear which.
    """
    known = ", ".join(item.id for item in settings.mirrors) or "none"
    if not settings.mirrors:
        raise ValueError("the configuration has no mirrors: docs/configuration.md says how")
    if arguments.mirror is None:
        if len(settings.mirrors) > 1 and arguments.what != "status":
            raise ValueError(f"which one? --mirror ID, one of: {known}")
        return list(settings.mirrors)
    found = [item for item in settings.mirrors if item.id == arguments.mirror]
    if not found:
        raise ValueError(f"there is no mirror {arguments.mirror!r}; known: {known}")
    return found


def _period(arguments: argparse.Namespace) -> tuple[int, int]:
    """From and to, in milliseconds.

    Raises:
        ValueError: a time cannot be read, or a rewind does not say from when.
    """
    from hub.api.times import parse_time

    now_ms = int(time.time() * 1000)
    if arguments.what == "rewind" and arguments.since is None and not arguments.all:
        raise ValueError("from when? --from TIME, or --all")
    to_ms = parse_time("--to", arguments.to, now_ms)
    from_ms = 0 if arguments.all else parse_time("--from", arguments.since, to_ms - DAY_MS)
    if arguments.what == "rewind" and from_ms > now_ms:
        raise ValueError("--from is in the future: there is nothing to send again")
    if arguments.what == "verify" and from_ms >= to_ms:
        raise ValueError("--from is not before --to")
    return from_ms, to_ms


def _database(settings: CentreSettings, arguments: argparse.Namespace) -> Path:
    from hub.store.store import DATABASE

    folder: Path = arguments.data or Path(settings.storage.path)
    return folder / DATABASE


def _status(
    settings: CentreSettings, chosen: list[MirrorSettings], arguments: argparse.Namespace
) -> int:
    from hub.mirror.ledger import Ledger

    items = _from_hub(settings)
    source = "database" if items is None else "hub"
    with Ledger(_database(settings, arguments)) as ledger:
        if items is None:
            items = [_from_database(mirror, ledger) for mirror in chosen]
        wanted = {mirror.id for mirror in chosen}
        items = [item for item in items if item["id"] in wanted]
        aside = {mirror.id: ledger.rejected(mirror.id) for mirror in chosen}
    for item in items:
        item["set_aside"] = [row._asdict() for row in aside[item["id"]]]
    if arguments.json:
        print(json.dumps({"source": source, "items": items}, ensure_ascii=False))
    else:
        said = {
            "hub": "as the hub says",
            "database": "from the database, as of its last checkpoint: the hub does not answer",
        }
        print(said[source])
        for item in items:
            print("\n".join(_lines(item)))
    return int(any(item.get("last_error") for item in items))


def _from_hub(settings: CentreSettings) -> list[dict[str, Any]] | None:
    """What the hub says; None where it does not answer, or not to us."""
    import http.client

    host = settings.http.host if settings.http.host != "0.0.0.0" else "127.0.0.1"  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.http.port, timeout=ASK_S)
    try:
        connection.request("GET", f"/api/v1/mirrors?lang={terminal_language(os.environ)}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            return None
        items: list[dict[str, Any]] = json.loads(body)["items"]
    except (OSError, http.client.HTTPException, ValueError, LookupError):
        return None
    finally:
        connection.close()
    return items


def _from_database(mirror: MirrorSettings, ledger: Any) -> dict[str, Any]:
    from hub.api.documents import rfc3339

    entry = ledger.entry(mirror.id)
    return {
        "id": mirror.id,
        "url": mirror.url,
        "state": None,
        "commits_behind": entry.commits_behind,
        "saved": None if entry.saved_ms is None else rfc3339(entry.saved_ms),
        "rewind_from": None if entry.rewind_ms is None else rfc3339(entry.rewind_ms),
        "last_error": None,
    }


def _lines(item: dict[str, Any]) -> list[str]:
    """A mirror for a terminal."""
    from hub.api.documents import rfc3339

    lines = [f"{item['id']}: {item['state'] or 'state not known'}  {item['url']}"]
    lines.append(f"    {_counted(item['commits_behind'], 'commit')} not sent")
    for key, words in (
        ("oldest_unsent", "the oldest of them from"),
        ("last_success", "last success"),
        ("saved", "place kept at"),
        ("rewind_from", "will begin again from"),
    ):
        if item.get(key):
            lines.append(f"    {words} {item[key]}")
    if item["last_error"]:
        lines.append(f"    {item['last_error']['text']}")
    aside = item["set_aside"]
    lines.append(f"    {_counted(len(aside), 'line')} set aside")
    lines += [
        f"      {rfc3339(row['at_ms'])} {row['reason']}\n        {row['line']}"
        for row in aside[:SHOWN]
    ]
    return lines


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _rewind(
    settings: CentreSettings,
    chosen: list[MirrorSettings],
    arguments: argparse.Namespace,
    from_ms: int,
) -> int:
    import sqlite3

    from hub.api.documents import rfc3339
    from hub.mirror.ledger import wish_rewind

    mirror = chosen[0].id
    try:
        wish_rewind(_database(settings, arguments), mirror, from_ms)
    except sqlite3.Error as error:
        print(f"linli mirror: the wish could not be kept ({error}). Try again.", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps({"mirror": mirror, "rewind_from": rfc3339(from_ms)}))
    else:
        begin = "the beginning" if arguments.all else rfc3339(from_ms)
        print(f"{mirror}: begins again from {begin}, within seconds if the hub runs")
    return 0


def _verify(
    settings: CentreSettings,
    mirror: MirrorSettings,
    arguments: argparse.Namespace,
    period: tuple[int, int],
) -> int:
    from hub import settings as settings_module
    from hub.mirror.inquiry import Inquiry, InquiryError, Range
    from hub.mirror.ledger import Ledger
    from hub.mirror.lines import LineWriter
    from hub.mirror.sink import SetupError, read_token
    from hub.mirror.verify import compare, history, is_equal

    within = Range(settings.centre.id, *period)
    writer = LineWriter(settings_module.centre(settings))
    try:
        with Ledger(_database(settings, arguments)) as ledger:
            found = history(ledger, mirror.id, writer, within)
        tallies = compare(found, Inquiry(mirror, read_token(mirror.token_file)), within)
    except (InquiryError, SetupError) as error:
        print(f"linli mirror: {mirror.id}: {error}", file=sys.stderr)
        return 1
    is_well = is_equal(tallies.values())
    if arguments.json:
        print(json.dumps({"mirror": mirror.id, "equal": is_well, "channels": _as_json(tallies)}))
    else:
        print("\n".join(_table(mirror.id, tallies)))
    return 0 if is_well else 1


def _as_json(tallies: dict[str, Tally]) -> dict[str, Any]:
    from dataclasses import asdict

    return {name: asdict(tally) for name, tally in tallies.items()}


def _table(mirror: str, tallies: dict[str, Tally]) -> list[str]:
    names = ("series", "here", "there", "missing", "different", "extra", "unsent", "set_aside")
    width = max([len(name) for name in tallies], default=0)
    lines = [" " * width + "".join(f"{name.replace('_', ' '):>11}" for name in names)]
    for name, tally in tallies.items():
        lines.append(f"{name:{width}}" + "".join(f"{getattr(tally, key):>11}" for key in names))
        lines += [f"    {example}" for example in tally.examples]
    missing = sum(tally.missing + tally.different for tally in tallies.values())
    if not tallies:
        return [f"{mirror}: nothing was read in that time, so nothing was compared"]
    if missing:
        is_are = "is" if missing == 1 else "are"
        points = _counted(missing, "point")
        lines.append(f"{mirror}: {points} {is_are} missing or different: linli mirror rewind")
    else:
        lines.append(f"{mirror}: every point that was acknowledged is there, and the same")
    return lines
