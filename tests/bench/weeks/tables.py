"""The outcome as the table of ``docs/faults.md``, and what of the needs is missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import asdict

from hub.domain.fault import FaultKind
from tests.bench.figures import quantile
from tests.bench.weeks.games import Parameters
from tests.bench.weeks.labels import COMPANIONS
from tests.bench.weeks.plan import NEVER_BOUND_H, OVERLOADED_BOUND_H, PARENTS, RECIPES
from tests.bench.weeks.score import Result, Tally

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
BEGIN, END = "<!-- weeks: made by make bench -->", "<!-- weeks: end -->"
RECALL_NEED, FALSE_NEED, SILENT_NEED = 0.95, 1.0, 2.0
LEAST_ONSETS, LEAST_WEEKS = 20, 1000


def missed(result: Result) -> Iterator[str]:
    """Each need that is not met, in words."""
    for kind in FaultKind:
        tally = result.ours.get(kind, Tally())
        if tally.recall < RECALL_NEED:
            yield f"{kind}: found {tally.found} of {tally.onsets} (need {RECALL_NEED:.0%})"
        false = result.false_share(tally)
        if false > FALSE_NEED:
            yield f"{kind}: {false:.2f} false alarms in 100 device-weeks (need {FALSE_NEED:g})"
    whole = all_false(result)
    if whole > FALSE_NEED:
        yield f"all kinds: {whole:.2f} false alarms in 100 device-weeks (need {FALSE_NEED:g})"
    silent = result.ours.get(FaultKind.SILENT, Tally())
    if not silent.delays_in or quantile(silent.delays_in, 0.5) > SILENT_NEED:
        yield f"silent: median over {SILENT_NEED:g} intervals"
    for kind in FaultKind:
        name, best = best_fixed(result, kind)
        if best is not None and is_good(result, best) and not _is_later(result, kind, best):
            yield f"{kind}: a fixed threshold ({name}) does as well, so it does not count"


def all_false(result: Result) -> float:
    return sum(result.false_share(tally) for tally in result.ours.values())


def is_good(result: Result, tally: Tally) -> bool:
    return tally.recall >= RECALL_NEED and result.false_share(tally) <= FALSE_NEED


def _is_later(result: Result, kind: FaultKind, fixed: Tally) -> bool:
    """Does the threshold take twice as long?"""
    ours = result.ours.get(kind, Tally())
    if not ours.delays_ms or not fixed.delays_ms:
        return False
    return quantile(fixed.delays_ms, 0.5) > 2 * max(quantile(ours.delays_ms, 0.5), 1)


def best_fixed(result: Result, kind: FaultKind) -> tuple[str, Tally | None]:
    """The threshold that finds most without crying more than it may; else the one that finds
    most for what it cries."""
    tried = [(name, tally) for (of, name), tally in result.naive.items() if of is kind]
    if not tried:
        return "none", None

    def worth(item: tuple[str, Tally]) -> tuple[bool, float, float]:
        _, tally = item
        false = result.false_share(tally)
        calm = false <= FALSE_NEED
        return (
            calm and tally.found > 0,
            tally.recall if calm else tally.recall - false / 100,
            -false,
        )

    return max(tried, key=worth)


def page(result: Result, games: Sequence[Parameters]) -> list[str]:
    """The generated part of the document."""
    return [
        BEGIN,
        "",
        f"Made by `make bench` (`python -m tests.bench.bench_weeks`): {result.events} reports in"
        f" {result.device_weeks:.0f} device-weeks. Seeds and parameters are not those that the"
        " detectors were tuned with (`tests/bench/weeks/games.py` has both).",
        "",
        *_findings(result),
        "",
        f"All kinds together: {all_false(result):.2f} false alarms in 100 device-weeks.",
        "",
        "### Which finding explains which cause",
        "",
        *_companions(),
        "",
        "### Games",
        "",
        *(_game(game) for game in games),
        "",
        "### Needs that are missed",
        "",
        *([f"- {miss}" for miss in missed(result)] or ["None."]),
        "",
        END,
    ]


def _findings(result: Result) -> list[str]:
    lines = [
        "| Kind | Onsets | Found | within | False in 100 device-weeks | Delay p50 / p95 |"
        " in intervals p50 / p95 | Cleared after repair p50 |"
        " **Best fixed threshold** | found | false | delay p50 |",
        "| --- " * 12 + "|",
    ]
    for kind in FaultKind:
        tally = result.ours.get(kind, Tally())
        name, fixed = best_fixed(result, kind)
        cells = [
            kind.value.replace("_", " "),
            f"{tally.onsets}",
            f"{tally.recall:.0%}",
            _bound(kind),
            f"{result.false_share(tally):.2f}",
            _pair(tally.delays_ms),
            _own(tally.delays_in),
            _span(quantile(tally.cleared_ms, 0.5)) if tally.cleared_ms else "",
            name,
            f"{fixed.recall:.0%}" if fixed else "",
            f"{result.false_share(fixed):.2f}" if fixed else "",
            _span(quantile(fixed.delays_ms, 0.5)) if fixed and fixed.delays_ms else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _bound(kind: FaultKind) -> str:
    """In which time it must be found to count."""
    if kind in RECIPES:
        intervals, hours = RECIPES[kind].bound
        return f"{intervals:g} intervals, {_span(hours * 3_600_000)}" if intervals else _h(hours)
    if kind in PARENTS:
        return _h(PARENTS[kind][2])
    return {
        FaultKind.NEVER_HEARD: _h(NEVER_BOUND_H),
        FaultKind.HUB_OVERLOADED: _h(OVERLOADED_BOUND_H),
        FaultKind.BATTERY_LOW: "before it is empty",
        FaultKind.BATTERY_DEAD: "5 intervals",
    }.get(kind, "")


def _h(hours: float) -> str:
    return _span(hours * 3_600_000)


def _pair(values: Sequence[float]) -> str:
    if not values:
        return "never"
    return " / ".join(_span(quantile(values, share)) for share in (0.5, 0.95))


def _own(values: Sequence[float]) -> str:
    if not values:
        return ""
    return " / ".join(f"{quantile(values, share):.1f}" for share in (0.5, 0.95))


def _span(ms: float) -> str:
    """
    >>> _span(1500), _span(90_000), _span(5_400_000), _span(200_000_000)
    ('2 s', '90 s', '90 min', '56 h')
    """
    for unit, size, most in (("s", 1000, 120), ("min", 60_000, 120)):
        if ms < most * size:
            return f"{ms / size:.0f} {unit}"
    return f"{ms / 3_600_000:.0f} h"


def _companions() -> list[str]:
    lines = ["| The cause | explains beside itself |", "| --- | --- |"]
    for kind, others in COMPANIONS.items():
        named = ", ".join(sorted(other.value.replace("_", " ") for other in others))
        lines.append(f"| {kind.value.replace('_', ' ')} | {named} |")
    return lines


def _game(game: Parameters) -> str:
    season = game.season
    told = [f"seeds {', '.join(map(str, game.seeds))}", f"{season.days} days from {season.first}"]
    if season.closure:
        told.append(f"closed for {season.closure[1]} days from day {season.closure[0]}")
    if season.heat:
        told.append(f"{season.heat[1]} days of heat from day {season.heat[0]}")
    told += _unusual(game.habits) + _unusual(game.sensing.imperfections)
    told += [f"{k} {_plain(v)}" for k, v in asdict(game.sensing).items() if k != "imperfections"]
    told += _unusual(game.mishaps)
    if game.faults is not None:
        told += [f"{k} {_plain(v)}" for k, v in asdict(game.faults).items()]
    return f"- **{game.name}**: {', '.join(told)}."


def _unusual(part: object) -> list[str]:
    plain = asdict(type(part)())  # type: ignore[arg-type]
    return [f"{k} {_plain(v)}" for k, v in asdict(part).items() if v != plain[k]]  # type: ignore[arg-type]


def _plain(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else f"{value}"


def write(lines: Sequence[str]) -> None:
    """Put the generated part into the document, between its markers."""
    text = PAGE.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"bench_weeks: {PAGE.name} has lost its markers")
    PAGE.write_text(before + "\n".join(lines) + after, encoding="utf-8")
