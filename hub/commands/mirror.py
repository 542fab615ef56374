"""`linli mirror`: how far the copies of the history are, send again, compare."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.configuration.locate import configuration_file, terminal_language
from hub.domain.room import Text

if TYPE_CHECKING:
    import http.client

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
  linli mirror rewind --from 2026-11-20
  linli mirror rewind --all --mirror influxdb
  linli mirror verify --from 2026-11-21T08:00 --to 2026-11-21T20:00
  linli mirror verify --from 2026-11-21T00:00:00Z --to 2026-11-22T00:00:00Z
"""
WHAT = ("status", "rewind", "verify")
DAY_MS = 86_400_000
ASK_S = 5.0


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
    when = "RFC 3339, or a date or time on the centre's clocks"
    since = parser.add_mutually_exclusive_group()
    since.add_argument("--from", dest="since", metavar="TIME", help=when)
    since.add_argument("--all", action="store_true", help="from the beginning")
    parser.add_argument("--to", metavar="TIME", help="verify: until then; now if left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Do it and say what was found."""
    import sqlite3

    from hub.commands.check_config import complaint
    from hub.mirror.inquiry import InquiryError
    from hub.mirror.sink import SetupError
    from hub.settings import SettingsError, load
    from hub.store.export import UnreadableError
    from hub.store.query import StoreError
    from hub.usage import UsageError

    try:
        return _do(load(configuration_file(arguments.config)), arguments)
    except SettingsError as error:
        print(complaint(error.problems, terminal_language(os.environ)), file=sys.stderr)
        return 2
    except UsageError as error:
        _say(error.text)
        return 2
    except (UnreadableError, InquiryError, SetupError) as error:
        _say(error.text)
    except (StoreError, sqlite3.Error, OSError) as error:
        _say(Text("mirror.unreadable", {"detail": str(error)}))
    return 1


def _do(settings: CentreSettings, arguments: argparse.Namespace) -> int:
    """
    Raises:
        UsageError: it is not clear what is meant.
    """
    chosen = _chosen(settings, arguments)
    if arguments.what == "status":
        return _status(settings, chosen, arguments)
    period = _period(settings, arguments)
    if arguments.what == "rewind":
        return _rewind(settings, chosen[0].id, arguments, period[0])
    return _verify(settings, chosen[0], arguments, period)


def _say(text: Text) -> None:
    from hub.texts import render

    print(f"linli mirror: {render(text, terminal_language(os.environ))}", file=sys.stderr)


def _chosen(settings: CentreSettings, arguments: argparse.Namespace) -> list[MirrorSettings]:
    """The mirrors that are meant.

    Raises:
        UsageError: none, or it is not clear which.
    """
    from hub.usage import UsageError

    known = ", ".join(item.id for item in settings.mirrors)
    if not settings.mirrors:
        raise UsageError(Text("mirror.none"))
    if arguments.mirror is None:
        if len(settings.mirrors) > 1 and arguments.what != "status":
            raise UsageError(Text("mirror.which", {"known": known}))
        return list(settings.mirrors)
    found = [item for item in settings.mirrors if item.id == arguments.mirror]
    if not found:
        raise UsageError(Text("mirror.no_such", {"name": arguments.mirror, "known": known}))
    return found


def _period(settings: CentreSettings, arguments: argparse.Namespace) -> tuple[int, int]:
    """From and to, in milliseconds.

    Raises:
        UsageError: a time cannot be read, or a rewind does not say from when.
    """
    from zoneinfo import ZoneInfo

    from hub.usage import UsageError, moment

    zone, since, until = ZoneInfo(settings.centre.timezone), arguments.since, arguments.to
    now_ms = int(time.time() * 1000)
    is_rewind = arguments.what == "rewind"
    if is_rewind and since is None and not arguments.all:
        raise UsageError(Text("mirror.from_when"))
    to_ms = now_ms if until is None else moment("--to", until, zone)
    from_ms = 0 if arguments.all else to_ms - DAY_MS
    if since is not None:
        from_ms = moment("--from", since, zone)
    if is_rewind and from_ms > now_ms:
        raise UsageError(Text("mirror.future"))
    if not is_rewind and from_ms >= to_ms:
        raise UsageError(Text("usage.wrong_way"))
    return from_ms, to_ms


def _database(settings: CentreSettings, arguments: argparse.Namespace) -> Path:
    from hub.store.store import DATABASE

    folder: Path = arguments.data or Path(settings.storage.path)
    return folder / DATABASE


def _status(
    settings: CentreSettings, chosen: list[MirrorSettings], arguments: argparse.Namespace
) -> int:
    from hub.mirror.ledger import Ledger

    items = _from_hub(settings, arguments.data or Path(settings.storage.path))
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
        from hub.commands import mirror_words

        print("\n".join(mirror_words.status(source, items, terminal_language(os.environ))))
    return int(any(item.get("last_error") for item in items))


def _from_hub(settings: CentreSettings, data: Path) -> list[dict[str, Any]] | None:
    """What the hub says; None where it does not answer, or not to us."""
    import http.client

    from hub.access import local_key

    key = local_key.read(data)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    path = f"/api/v1/mirrors?lang={terminal_language(os.environ)}"
    try:
        with contextlib.closing(_connection(settings)) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != 200:
            return None
        items: list[dict[str, Any]] = json.loads(body)["items"]
    except (OSError, http.client.HTTPException, ValueError, LookupError):
        return None
    return items


def _connection(settings: CentreSettings) -> http.client.HTTPConnection:
    """To the hub of this machine; with TLS the one certificate that it may show is its own."""
    import http.client
    import ssl

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.http.host, settings.http.host)  # noqa: S104
    tls, port = settings.http.tls, settings.http.port
    if tls is None:
        return http.client.HTTPConnection(host, port, timeout=ASK_S)
    context = ssl.create_default_context(cafile=str(tls.certificate))
    context.check_hostname = False  # it is asked by its address; the certificate says its name
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return http.client.HTTPSConnection(host, port, timeout=ASK_S, context=context)


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


def _rewind(
    settings: CentreSettings, mirror: str, arguments: argparse.Namespace, from_ms: int
) -> int:
    import sqlite3

    from hub.api.documents import rfc3339
    from hub.mirror.ledger import wish_rewind

    try:
        wish_rewind(_database(settings, arguments), mirror, from_ms)
    except sqlite3.Error as error:
        _say(Text("mirror.no_wish", {"detail": str(error)}))
        return 1
    if arguments.json:
        print(json.dumps({"mirror": mirror, "rewind_from": rfc3339(from_ms)}))
    else:
        from hub.commands import mirror_words

        since = None if arguments.all else rfc3339(from_ms)
        print(mirror_words.rewound(mirror, since, terminal_language(os.environ)))
    return 0


def _verify(
    settings: CentreSettings,
    mirror: MirrorSettings,
    arguments: argparse.Namespace,
    period: tuple[int, int],
) -> int:
    from hub import settings as settings_module
    from hub.mirror.inquiry import Inquiry, Range
    from hub.mirror.ledger import Ledger
    from hub.mirror.lines import LineWriter
    from hub.mirror.sink import read_token
    from hub.mirror.verify import compare, history, is_equal

    within = Range(settings.centre.id, *period)
    writer = LineWriter(settings_module.centre(settings))
    with Ledger(_database(settings, arguments)) as ledger:
        found = history(ledger, mirror.id, writer, within)
    tallies = compare(found, Inquiry(mirror, read_token(mirror.token_file)), within)
    is_well = is_equal(tallies.values())
    if arguments.json:
        print(json.dumps({"mirror": mirror.id, "equal": is_well, "channels": _as_json(tallies)}))
    else:
        from hub.commands import mirror_words

        print("\n".join(mirror_words.table(mirror.id, tallies, terminal_language(os.environ))))
    return 0 if is_well else 1


def _as_json(tallies: dict[str, Tally]) -> dict[str, Any]:
    from dataclasses import asdict

    return {name: asdict(tally) for name, tally in tallies.items()}
