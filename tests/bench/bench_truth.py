"""Is what we say of rooms true? Simulated people and sensors against the real rules.

Without arguments (as ``make bench`` runs it) the published tables are made and written into
``docs/rooms.md``. While rules are worked on, play the tuning games instead:

    python -m tests.bench.bench_truth --tuning --days 2 --rooms meeting,gym --sets "PIR + door"
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta, timezone

from hub.domain.room import Status
from tests.bench.figures import quantile
from tests.bench.truth.games import PUBLISHED, TUNING
from tests.bench.truth.place import EVERYWHERE, Watched
from tests.bench.truth.played import Game, Play
from tests.bench.truth.score import Tally

ZONE = timezone(timedelta(hours=8))


def chosen(rooms: str, sets: str) -> tuple[Watched, ...]:
    """Some rooms and sets only; all where nothing is named."""
    wanted = [name.strip() for name in sets.split(",")] if sets else []
    found = [room for room in EVERYWHERE if not rooms or room.id in rooms.split(",")]
    picked = []
    for room in found:
        kept = tuple(name for name in room.sets if not wanted or name in wanted)
        if kept:
            picked.append(Watched(room.id, room.kind, kept, room.doors, room.zones))
    return tuple(picked)


def line(kind: str, sensors: str, tally: Tally) -> str:
    """One row for whoever works on the rules."""

    def share(status: Status, *, occupied: bool) -> str:
        return f"{100 * tally.said(status, occupied=occupied) / tally.total_ms:6.2f}"

    def delay(values: list[int]) -> str:
        if not values:
            return "    -    -"
        return f"{quantile(values, 0.5) / 1000:5.0f} {quantile(values, 0.95) / 1000:5.0f}"

    return (
        f"{kind:13}{sensors:22} lie {100 * tally.lied_share():6.3f} % |"
        f" unknown {100 * tally.unknown_share():6.2f}"
        f" ({share(Status.UNKNOWN, occupied=True)} occupied) |"
        f" empty, said in use {share(Status.IN_USE, occupied=False)} |"
        f" enter {delay(tally.entering_ms)} | leave {delay(tally.leaving_ms)}"
        f" ({len(tally.leaving_ms)} of {tally.leavings})"
    )


def look(arguments: argparse.Namespace) -> None:
    """Play one game and show the worst of it."""
    parameters = TUNING if arguments.tuning else PUBLISHED
    seed = arguments.seed or parameters.seeds[0]
    game = Game(seed, arguments.days, parameters.habits, parameters.imperfections)
    played = Play(game, chosen(arguments.rooms, arguments.sets)).run()
    print(f"{parameters.name}: seed {seed}, {game.days} days, {played.reports} reports")
    for (kind, sensors), tally in played.tallies.items():
        print(line(kind, sensors, tally))
        for lie in tally.lies[: arguments.lies]:
            at = datetime.fromtimestamp(lie.from_ms / 1000, UTC).astimezone(ZONE)
            print(f"      {at:%m-%d %H:%M:%S} for {lie.lasted_ms / 1000:.1f} s: {lie.reasons}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuning", action="store_true", help="the seeds and parameters to tune by")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--rooms", default="", help="ids, with commas; default all")
    parser.add_argument("--sets", default="", help="sensor sets, with commas; default all")
    parser.add_argument("--lies", type=int, default=3, help="how many to show for each row")
    look(parser.parse_args())


if __name__ == "__main__":
    main()
