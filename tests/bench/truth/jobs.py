"""All that is played for the published tables, two games at a time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

import msgspec

from tests.bench.truth.failures import EVERY, Failure, allow_reaction, concerns, strike
from tests.bench.truth.games import Parameters
from tests.bench.truth.place import EVERYWHERE, watched_by
from tests.bench.truth.played import Game, Play, Played
from tests.bench.truth.score import Tally

WORKERS = 2
DAYS = 4
SETS = (
    "radar",
    "PIR + door",
    "door + PIR + radar",
    "counter",
    "counter + PIR + door",
    "counter + radar",
)
STRUCK_HOURS = (8, 19)
STRUCK = {"meeting": SETS, "reading": (*SETS[1:3], SETS[4]), "corridor": ("PIR",)}
"""Where failures are played: groups, people who come one by one, and a place people cross."""


class Job(msgspec.Struct, frozen=True):
    """One game; ``failure`` names what fails in it, in the rooms of ``STRUCK``."""

    game: Game
    failure: str | None = None
    struck: bool = False


@dataclass
class Outcome:
    """What all games gave: by kind and set without failures, by failure and set with them."""

    usual: dict[tuple[str, str], Tally] = field(default_factory=dict)
    failing: dict[tuple[str, str], Tally] = field(default_factory=dict)
    reports: int = 0
    rooms_days: int = 0


NOTHING = "nothing"


def play(job: Job) -> Played:
    """One game in this process."""
    if not job.struck:
        return Play(job.game, EVERYWHERE).run()
    game = Play(job.game, watched_by(STRUCK))
    allow_reaction(game)
    if job.failure is not None:
        failure = _failure(job.failure)
        strike(game, failure)
        played = game.run()
        concerned = {rig.sensors for rig in game.rigs.values() if concerns(failure, rig)}
        played.tallies = {k: t for k, t in played.tallies.items() if k[1] in concerned}
        return played
    return game.run()


def _failure(name: str) -> Failure:
    return next(failure for failure in EVERY if failure.value == name)


def struck(seed: int, failing: Parameters) -> Game:
    """One working day, after three hours in which the hub gets to know the house."""
    habits, imperfections = failing.habits, failing.imperfections
    opens, closes = STRUCK_HOURS
    return Game(seed, 1, habits, imperfections, 0, opens - 3, opens, closes)


def jobs(usual: Parameters, failing: Parameters, days: int) -> list[Job]:
    """The long ones first."""
    found = [Job(Game(s, days, usual.habits, usual.imperfections)) for s in usual.seeds]
    for seed in failing.seeds:
        game = struck(seed, failing)
        found.append(Job(game, None, struck=True))
        found += [Job(game, failure.value, struck=True) for failure in EVERY]
    return found


def run(planned: Sequence[Job], say: Callable[[str], None]) -> Outcome:
    """Play them all. A game that fails ends the bench."""
    outcome = Outcome()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        waiting = {pool.submit(play, job): job for job in planned}
        for done in as_completed(waiting):
            job, played = waiting[done], done.result()
            _add(outcome, job, played)
            name = job.failure or (NOTHING if job.struck else f"seed {job.game.seed}")
            say(f"  {name}: {played.reports} reports")
    return outcome


def _add(outcome: Outcome, job: Job, played: Played) -> None:
    outcome.reports += played.reports
    for (kind, sensors), tally in played.tallies.items():
        outcome.rooms_days += played.days
        if job.struck:
            key, sums = (job.failure or NOTHING, sensors), outcome.failing
        else:
            key, sums = (kind, sensors), outcome.usual
        sums.setdefault(key, Tally()).add(tally)
