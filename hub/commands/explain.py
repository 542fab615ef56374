"""`linli explain`: why a room was free, in use or unknown, at any past moment."""

from __future__ import annotations

import argparse
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hub.commands.refusals import answered
from hub.configuration.locate import configuration_file, terminal_language

if TYPE_CHECKING:
    from hub.configuration.models import CentreSettings
    from hub.domain.centre import Centre
    from hub.domain.opening import Schedule
    from hub.rooms.trial import Trial
    from hub.store.export import History

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DAY_MS = 86_400_000
EPILOG = """\
What the sensors said is replayed from the history, through the rules of this version, up to that
moment. Beside it stands what was said of the room then; where the two differ, this is told. The
hub may run, and need not; it keeps new readings in memory for up to a minute.

With --with another configuration is tried on a time that is past: which status the room would have
had, how long, and where that differs. Without --room it is tried on every room.

A time is RFC 3339, or a date or time on the centre's clocks. Exit status 0: explained; 1: it was
not kept what the sensors said then, or the history cannot be read; 2: wrong usage or settings.

examples:
  linli explain --room gym --at "2026-11-20 15:20"
  linli explain --room gym --at 2026-11-20T07:20:00Z --json
  linli explain --room gym --with new.yaml --from 2026-11-16 --to 2026-11-21
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "explain",
        help="why a room was free, in use or unknown, at any past moment",
        description="Why a room was free, in use or unknown, at any past moment.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the centre's file")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="instead of storage.path")
    parser.add_argument("--room", metavar="ID", help="which room")
    parser.add_argument(
        "--at", metavar="TIME", help="the moment; the newest that is written if left out"
    )
    parser.add_argument("--with", dest="other", type=Path, metavar="FILE", help="try this one")
    parser.add_argument("--from", dest="since", metavar="TIME", help="with --with: from then on")
    parser.add_argument("--to", metavar="TIME", help="with --with: until then; now if left out")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Answer, and say why not where there is no answer."""
    return answered("explain", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    from hub import settings
    from hub.export.order import expect_room
    from hub.store.export import History
    from hub.store.store import DATABASE

    configured = settings.load(configuration_file(arguments.config))
    other = configured if arguments.other is None else settings.load(arguments.other)
    centre = settings.centre(other)
    _expect_usage(arguments)
    folder = arguments.data or Path(configured.storage.path)
    with History(folder / DATABASE) as history:
        if arguments.room is not None:
            expect_room(arguments.room, history, centre)
        if arguments.other is None:
            return _explain(history, centre, arguments)
        return _try(history, centre, other, arguments)


def _expect_usage(arguments: argparse.Namespace) -> None:
    from hub.domain.room import Text
    from hub.usage import UsageError

    if arguments.other is None and arguments.room is None:
        raise UsageError(Text("explain.which_room"))
    if arguments.other is None and (arguments.since or arguments.to):
        raise UsageError(Text("explain.only_with"))
    if arguments.other is not None and (arguments.at or not arguments.since):
        raise UsageError(Text("explain.needs_from"))


def _explain(history: History, centre: Centre, arguments: argparse.Namespace) -> int:
    from hub.rooms import override_rows
    from hub.rooms.explained import NEAR_MS, explain, own
    from hub.rooms.replay import wanted

    room = arguments.room
    at_ms = _moment("--at", arguments.at, centre)
    if arguments.at is None:  # the newest that is written
        known = history.room_steps(room, at_ms - DAY_MS, at_ms)
        at_ms = known[-1].to_ms if known else at_ms
    place = own(centre, room)
    heard = history.heard(wanted(place, room, at_ms, at_ms))
    said = partial(override_rows.between, from_ms=0, to_ms=at_ms + 1, room=room)
    steps = history.room_steps(room, at_ms - NEAR_MS, at_ms + NEAR_MS)
    found = explain(place, room, at_ms, heard, history.ask(said), steps)
    if arguments.json:
        _print_json(found)
    else:
        from hub.explaining import lines

        print("\n".join(lines(found, centre, terminal_language(os.environ))))
    return 0 if found.state is not None else 1


def _try(
    history: History, centre: Centre, other: CentreSettings, arguments: argparse.Namespace
) -> int:
    from hub import planning
    from hub.domain.room import Text
    from hub.timetable import days
    from hub.usage import UsageError

    span = (_moment("--from", arguments.since, centre), _moment("--to", arguments.to, centre))
    if span[0] >= span[1]:
        raise UsageError(Text("usage.wrong_way"))
    schedule = planning.schedule(other, centre, history.ask(days.read))
    rooms = [room.id for room in centre.rooms if arguments.room in (None, room.id)]
    found = {room: _trial(history, centre, schedule, room, span) for room in rooms}
    if arguments.json:
        _print_json(found)
    else:
        from hub.explaining import table

        print("\n".join(table(found, centre, terminal_language(os.environ))))
    return 0 if any(item.new_ms for item in found.values()) else 1


def _trial(
    history: History, centre: Centre, schedule: Schedule, room: str, span: tuple[int, int]
) -> Trial:
    from hub.rooms import override_rows
    from hub.rooms.explained import own
    from hub.rooms.replay import wanted
    from hub.rooms.trial import trial

    place = own(centre, room)
    said = partial(override_rows.between, from_ms=0, to_ms=span[1], room=room)
    return trial(
        place,
        room,
        schedule,
        history.ask(said),
        history.room_steps(room, *span),
        lambda from_ms, to_ms: history.heard(wanted(place, room, from_ms, to_ms)),
        *span,
    )


def _moment(option: str, text: str | None, centre: Centre) -> int:
    from zoneinfo import ZoneInfo

    from hub.usage import moment

    now_ms = int(time.time() * 1000)
    return now_ms if text is None else moment(option, text, ZoneInfo(centre.timezone))


def _print_json(found: object) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
