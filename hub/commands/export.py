"""`linli export`: readings, or a room's history, as CSV or NDJSON."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from hub.commands.refusals import answered, say
from hub.configuration.locate import configuration_file

if TYPE_CHECKING:
    from hub.domain.centre import Centre
    from hub.export.order import Order
    from hub.export.rows import Pieces
    from hub.store.export import History

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
Without --room it writes readings: each change once, in order of time, and until when it held. With
--step minute, hour or day it writes sums instead: of each channel mean, least, greatest and shares,
series by series; of a room the share of each status. The fields are those of the API. The hub may
run, and need not. It keeps new readings in memory for up to a minute, and those are not in the
file; "until" of a value that still holds may be ten minutes old.

A time is RFC 3339, or a date or time on the centre's clocks; --to itself is not included. Times
are written in UTC, with --local on the centre's clocks and with their offset. CSV is UTF-8 with a
head. In CSV a text that begins with = + - @ ' or a line break gets a ' in front: a spreadsheet
would take it for a formula. NDJSON has every text as it is. FILE gets its name when it is whole; an
older one is replaced. Exit status 0: all is there; 1: something went wrong, or you ended it, and no
FILE was made; 2: wrong usage or settings.

examples:
  linli export > readings.csv
  linli export --device reading-climate --from 2026-11-01 --to 2026-12-01 --output november.csv
  linli export --channel temperature --step hour --from 2026-11-01 --local --output hours.csv
  linli export --room gym --step day --format ndjson
  linli export --from 2026-11-20T08:00:00+08:00 --format ndjson | jq 'select(.quality == "bad")'
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "export",
        help="write readings or a room's history to CSV or NDJSON",
        description="Write readings, or the history of a room, to CSV or NDJSON.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the centre's file")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="instead of storage.path")
    parser.add_argument("--device", metavar="ID", help="only this device")
    parser.add_argument("--channel", metavar="C", help="only this channel: contact, or contact.di1")
    parser.add_argument("--room", metavar="ID", help="the history of a room instead of readings")
    since = "from then on; from the first if left out"
    parser.add_argument("--from", dest="since", metavar="TIME", help=since)
    parser.add_argument("--to", metavar="TIME", help="until then; until now if left out")
    steps = ("raw", "minute", "hour", "day")
    parser.add_argument("--step", choices=steps, default="raw", help="sums instead of each change")
    forms = ("csv", "ndjson")
    parser.add_argument("--format", choices=forms, default="csv", help="csv if left out")
    parser.add_argument("--local", action="store_true", help="times on the centre's clocks")
    where = "- is standard output"
    parser.add_argument("--output", type=Path, default=Path("-"), metavar="FILE", help=where)


def run(arguments: argparse.Namespace) -> int:
    """Write it, and say how much it was."""
    from hub.domain.room import Text

    try:
        return answered("export", lambda: _export(arguments))
    except BrokenPipeError:
        raise  # the reader has seen enough
    except OSError as error:
        detail = error.strerror or str(error)
        say("export", Text("export.disk", {"path": str(arguments.output), "detail": detail}))
    return 1


def _export(arguments: argparse.Namespace) -> int:
    from hub import settings
    from hub.configuration.sizes import size_text
    from hub.domain.room import Text
    from hub.export.progress import Bar
    from hub.export.target import STANDARD_OUTPUT, opened
    from hub.store.export import History
    from hub.store.store import DATABASE

    configured = settings.load(configuration_file(arguments.config))
    centre = settings.centre(configured)
    order = _order(arguments, centre)
    database = (arguments.data or Path(configured.storage.path)) / DATABASE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    is_file = arguments.output != STANDARD_OUTPUT
    is_watched = sys.stderr.isatty() and (is_file or not sys.stdout.isatty())
    rows = size = 0
    with History(database) as history:
        head, pieces = _rows(history, order, centre, arguments)
        with (
            closing(pieces),
            opened(arguments.output) as out,
            Bar(sys.stderr, is_watched) as bar,
        ):
            out.write(head)
            for piece in pieces:
                out.write(piece.body)
                rows, size = rows + piece.rows, size + len(piece.body)
                bar.tell(piece.share, rows)
    if is_file:
        where = str(arguments.output)
        say("export", Text("export.done", {"count": rows, "size": size_text(size), "path": where}))
    return 0


def _order(arguments: argparse.Namespace, centre: Centre) -> Order:
    from zoneinfo import ZoneInfo

    from hub.export.order import Order, checked
    from hub.usage import moment

    zone = ZoneInfo(centre.timezone)
    since, until = arguments.since, arguments.to
    now_ms = int(time.time() * 1000)
    return checked(
        Order(
            arguments.device,
            arguments.channel,
            arguments.room,
            None if arguments.step == "raw" else arguments.step,
            None if since is None else moment("--from", since, zone),
            now_ms + 1 if until is None else moment("--to", until, zone),
        )
    )


def _rows(
    history: History, order: Order, centre: Centre, arguments: argparse.Namespace
) -> tuple[bytes, Pieces]:
    """The head, and what follows it. What is meant is looked up at once."""
    from zoneinfo import ZoneInfo

    from hub.api.documents import rfc3339
    from hub.export import lines, rows
    from hub.export import order as orders

    zone = ZoneInfo(centre.timezone)
    stamp = lines.local_stamp(zone) if arguments.local else rfc3339
    made = lines.Csv(stamp) if arguments.format == "csv" else lines.Ndjson(stamp)
    form = rows.Form(made, stamp, zone)
    span = orders.span(order, history)
    if order.room is not None:
        orders.expect_room(order.room, history, centre)
        columns: Sequence[str] = lines.STRETCH if order.step is None else lines.SHARES
        found = rows.room(history, order.room, span, order.step, form)
    else:
        series = orders.series(order, history, centre)
        if order.step is None:
            is_all = order.device is None and order.channel is None
            numbers = None if is_all else frozenset(series.values())
            columns, found = lines.READING, rows.readings(history, span, numbers, made)
        else:
            wanted = orders.wanted(series, centre)
            columns = lines.SUMMARY
            found = rows.sums(history, wanted, span, order.step, form)
    return made.head(columns), found
