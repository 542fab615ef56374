"""Is what we say of faults true? Labelled weeks of a simulated house against the real detection.

Without arguments (as ``make bench`` runs it) the published table is made and written into
``docs/faults.md``. While detectors are worked on, play the tuning games instead:

    python -m tests.bench.bench_weeks --tuning                     all three games
    python -m tests.bench.bench_weeks --tuning --games healthy     those whose name has the word
    python -m tests.bench.bench_weeks --tuning --days 10 --kinds silent,weak_link
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

import msgspec

from hub.domain.fault import FaultKind, Finding
from tests.bench.figures import machine, quantile
from tests.bench.weeks import jobs, tables
from tests.bench.weeks.calendar import ZONE
from tests.bench.weeks.games import PUBLISHED, TUNING, Parameters
from tests.bench.weeks.labels import Label
from tests.bench.weeks.played import Play
from tests.bench.weeks.score import Result, Tally


def line(kind: FaultKind, tally: Tally, result: Result) -> str:
    """One row for whoever works on the rules."""
    delay = f"{'-':>16}"
    if tally.delays_ms:
        middle, late = (quantile(tally.delays_ms, share) / 1000 for share in (0.5, 0.95))
        delay = f"{middle:7.0f} {late:8.0f}"
    own = f"{quantile(tally.delays_in, 0.5):6.2f}" if tally.delays_in else f"{'-':>6}"
    return (
        f"{kind:18} found {tally.found:3} of {tally.onsets:3} | false {tally.false:3}"
        f" ({result.false_share(tally):6.2f} in 100 device-weeks) | delay s {delay} |"
        f" intervals {own} | cleared {len(tally.cleared_ms):3}"
    )


def look(arguments: argparse.Namespace) -> None:
    """Play tuning games and show what went wrong in them."""
    kinds = {FaultKind(word) for word in arguments.kinds.split(",") if word}
    for parameters in TUNING:
        if arguments.games not in parameters.name:
            continue
        for seed in (arguments.seed,) if arguments.seed else parameters.seeds:
            began = time.process_time()
            result = Play(_shortened(parameters, arguments.days), seed, naive=False).run()
            took_s = time.process_time() - began
            print(
                f"\n{parameters.name}, seed {seed}: {result.events} reports in {took_s:.0f} s"
                f" of CPU, {result.device_weeks:.0f} device-weeks",
                flush=True,
            )
            _show(result, kinds, arguments.worst)


def _shortened(parameters: Parameters, days: int) -> Parameters:
    if not days:
        return parameters
    return msgspec.structs.replace(
        parameters, season=msgspec.structs.replace(parameters.season, days=days)
    )


def _show(result: Result, kinds: set[FaultKind], worst: int) -> None:
    for kind, tally in sorted(result.ours.items()):
        if not kinds or kind in kinds:
            print(line(kind, tally, result))
    cries = [f for _, f in result.cries if not kinds or f.kind in kinds]
    for finding in cries[:worst]:
        print(f"  false  {_cry(finding)}")
    missed = [label for _, label in result.missed if not kinds or label.kind in kinds]
    for label in missed[:worst]:
        print(f"  missed {_miss(label)}")


def _cry(finding: Finding) -> str:
    subject = finding.subject
    return (
        f"{_at(finding.at_ms)} {finding.kind} {subject.id} {subject.channel}"
        f" since {_at(finding.since_ms)} {finding.evidence}"
    )


def _miss(label: Label) -> str:
    named = ", ".join(sorted(label.subjects))
    return (
        f"{_at(label.onset_ms)} to {_at(label.end_ms)} {label.kind} {named}"
        f" interval {label.interval_ms / 1000:.0f} s, bound {label.bound_ms / 3_600_000:.1f} h"
    )


def _at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZONE):%m-%d %H:%M:%S}"


def publish(*, is_kept: bool) -> None:
    """Play everything and write the table. Fails where work is missing, never for a need."""
    print(f"labelled weeks: {machine()}", flush=True)
    began = time.monotonic()
    result = jobs.run(PUBLISHED, lambda told: print(told, flush=True))
    check(result)
    lines = tables.page(result, PUBLISHED)
    print("\n".join(lines), flush=True)
    if is_kept:
        tables.write(lines)
    misses = list(tables.missed(result))
    for miss in misses:
        print(f"MISSED {miss}", flush=True)
    took_s = time.monotonic() - began
    print(f"{len(misses)} needs missed; {result.events} reports in {took_s:.0f} s", flush=True)


def check(result: Result) -> None:
    """Every kind struck often enough to say something, and healthy devices had their weeks."""
    for kind in FaultKind:
        onsets = result.ours[kind].onsets if kind in result.ours else 0
        if onsets < tables.LEAST_ONSETS:
            raise SystemExit(f"bench_weeks: only {onsets} onsets of {kind}")
    if result.device_weeks < tables.LEAST_WEEKS:
        raise SystemExit(f"bench_weeks: only {result.device_weeks:.0f} device-weeks")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tuning", action="store_true", help="play games to tune rules by")
    parser.add_argument("--games", default="", help="with --tuning: part of a game's name")
    parser.add_argument("--seed", type=int, default=0, help="another seed than the tuning's own")
    parser.add_argument("--days", type=int, default=0, help="with --tuning: a shorter game")
    parser.add_argument("--kinds", default="", help="with --tuning: show these, with commas")
    parser.add_argument("--worst", type=int, default=60, help="with --tuning: mistakes to show")
    parser.add_argument("--no-write", action="store_true", help="leave docs/faults.md as it is")
    arguments = parser.parse_args()
    if arguments.tuning:
        look(arguments)
    else:
        publish(is_kept=not arguments.no_write)


if __name__ == "__main__":
    main()
