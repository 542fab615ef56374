"""All games that are played for the published table, two at a time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import msgspec

from tests.bench.weeks.games import Parameters
from tests.bench.weeks.played import Play
from tests.bench.weeks.score import Result

WORKERS = 2


class Job(msgspec.Struct, frozen=True):
    parameters: Parameters
    seed: int


def play(job: Job) -> Result:
    """One game in this process."""
    return Play(job.parameters, job.seed).run()


def run(games: Sequence[Parameters], tell: Callable[[str], None]) -> Result:
    """Play all, and add them up in their order, whichever ends first."""
    jobs = [Job(parameters, seed) for parameters in games for seed in parameters.seeds]
    jobs.sort(key=lambda job: -job.parameters.season.days)
    results: dict[int, Result] = {}
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        numbers = {pool.submit(play, job): number for number, job in enumerate(jobs)}
        for done in as_completed(numbers):
            job = jobs[numbers[done]]
            results[numbers[done]] = done.result()
            tell(f"  played {job.parameters.name}, seed {job.seed}")
    whole = Result()
    for number in range(len(jobs)):
        whole.add(results[number])
    return whole
