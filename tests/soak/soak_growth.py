"""Two years of the reference centre made of many different days, every shelf packed for its time.

The long form of ``bench_growth.py``: ``python -m tests.soak.soak_growth 30`` plays thirty days (a
minute of CPU time each; they are kept under ``.cache/``) and fills two years with them in turn.
Moving every shelf to its time takes an hour of CPU time more.
"""

from __future__ import annotations

import sys

from tests.bench.bench_growth import AGES, CACHE, grow
from tests.bench.figures import machine
from tests.bench.played import played

DAYS = 30


def main(days: int, ages: tuple[int, ...]) -> None:
    CACHE.mkdir(exist_ok=True)
    print(f"growth, {days} different days: {machine()}", flush=True)
    grow(played(CACHE, days), days, ages, is_whole=True)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(given[0] if given else DAYS, tuple(given[1:]) or AGES)
