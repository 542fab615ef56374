"""Is what we say of rooms true? Simulated people and sensors against the real rules.

Without arguments (as ``make bench`` runs it) the published tables are made and written into
``docs/rooms.md``. While rules are worked on, play the tuning games instead:

    python -m tests.bench.bench_truth --tuning --days 2 --rooms meeting,gym --sets "PIR + door"
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta, timezone

from hub.domain.room import Status
from tests.bench.figures import machine, quantile
from tests.bench.truth import jobs, tables
from tests.bench.truth.failures import EVERY, allow_reaction, strike
from tests.bench.truth.games import FAULTS_PUBLISHED, FAULTS_TUNING, PUBLISHED, TUNING
from tests.bench.truth.place import EVERYWHERE, Watched, watched_by
from tests.bench.truth.played import Game, Play, Played
from tests.bench.truth.score import Tally

HOUR_MS = 3_600_000
ZONE = timezone(timedelta(hours=8))


def chosen(rooms: str, sets: str) -> tuple[Watched, ...]:
    """Sensors in some rooms, and of some sets only; all where nothing is named."""
    wanted = [name.strip() for name in sets.split(",")] if sets else []
    return watched_by(
        {
            room.id: tuple(name for name in room.sets if not wanted or name in wanted)
            for room in EVERYWHERE
            if not rooms or room.id in rooms.split(",")
        }
    )


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
    """Play tuning games and show the worst of them."""
    wanted: str = arguments.fails
    parameters = FAULTS_TUNING if wanted else TUNING
    failures = [f for f in EVERY if wanted in f.value] if wanted else [None]
    seed = arguments.seed or parameters.seeds[0]
    game = Game(seed, arguments.days or 2, parameters.habits, parameters.imperfections)
    for failure in failures:
        play = Play(game, chosen(arguments.rooms, arguments.sets))
        if failure is not None:
            strike(play, failure)
            allow_reaction(play)
        played = play.run()
        print(f"{failure or parameters.name}: seed {seed}, {played.reports} reports", flush=True)
        show(played, arguments.lies)


def show(played: Played, worst: int) -> None:
    for (kind, sensors), tally in played.tallies.items():
        print(line(kind, sensors, tally))
        for lie in tally.lies[:worst]:
            at = datetime.fromtimestamp(lie.from_ms / 1000, UTC).astimezone(ZONE)
            print(f"      {at:%m-%d %H:%M:%S} for {lie.lasted_ms / 1000:.1f} s: {lie.reasons}")


def publish(days: int, *, is_kept: bool) -> None:
    """Play everything and write the tables. Fails where work is missing, never for a need."""
    print(f"truth of rooms: {machine()}", flush=True)
    began = time.monotonic()
    planned = jobs.jobs(PUBLISHED, FAULTS_PUBLISHED, days)
    outcome = jobs.run(planned, lambda told: print(told, flush=True))
    check(outcome, days)
    lines = tables.page(outcome, PUBLISHED, FAULTS_PUBLISHED, days)
    print("\n".join(lines), flush=True)
    if is_kept:
        tables.write(lines)
    misses = list(tables.missed(outcome))
    for miss in misses:
        print(f"MISSED {miss}", flush=True)
    took_s = time.monotonic() - began
    print(f"{len(misses)} needs missed; {outcome.reports} reports in {took_s:.0f} s", flush=True)


def check(outcome: jobs.Outcome, days: int) -> None:
    """Every room was judged all the time, people came and went, and every failure struck."""
    wanted = {(room.kind, sensors) for room in EVERYWHERE for sensors in room.sets}
    if outcome.usual.keys() != wanted:
        raise SystemExit(f"bench_truth: not played: {wanted - outcome.usual.keys()}")
    opens, closes = jobs.STRUCK_HOURS
    rows = [(tally, 24 * days * len(PUBLISHED.seeds)) for tally in outcome.usual.values()]
    for (failure, sensors), tally in outcome.failing.items():
        rooms = sum(sensors in sets for sets in jobs.STRUCK.values())
        rows.append((tally, (closes - opens) * rooms * len(FAULTS_PUBLISHED.seeds)))
        if failure != jobs.NOTHING and not tally.strikes:
            raise SystemExit(f"bench_truth: {failure} never struck {sensors}")
    for tally, hours in rows:
        if tally.total_ms != hours * HOUR_MS or not tally.visits:
            raise SystemExit(f"bench_truth: work is missing: {tally}")
    if {failure for failure, _ in outcome.failing} != {jobs.NOTHING, *(f.value for f in EVERY)}:
        raise SystemExit("bench_truth: a failure was not played")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tuning", action="store_true", help="play one game to tune rules by")
    parser.add_argument("--fails", default="", help="with --tuning: part of a failure's name")
    parser.add_argument("--seed", type=int, default=0, help="another seed than the tuning's own")
    parser.add_argument("--days", type=int, default=0, help="days that count")
    parser.add_argument("--rooms", default="", help="ids, with commas; default all")
    parser.add_argument("--sets", default="", help="sensor sets, with commas; default all")
    parser.add_argument("--lies", type=int, default=3, help="how many to show for each row")
    parser.add_argument("--no-write", action="store_true", help="leave docs/rooms.md as it is")
    arguments = parser.parse_args()
    if arguments.tuning:
        look(arguments)
    else:
        publish(arguments.days or jobs.DAYS, is_kept=not arguments.no_write)


if __name__ == "__main__":
    main()
