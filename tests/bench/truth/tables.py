"""The outcome as the tables of ``docs/rooms.md``, and what of the needs is missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import asdict

from hub.domain.room import Status
from tests.bench.figures import quantile
from tests.bench.truth.games import Parameters
from tests.bench.truth.jobs import NOTHING, SETS, STRUCK_HOURS, Outcome
from tests.bench.truth.place import SETS as ALL_SETS
from tests.bench.truth.score import OCCUPIED, Tally

PAGE = Path(__file__).parents[3] / "docs" / "rooms.md"
BEGIN, END = "<!-- truth: made by make bench -->", "<!-- truth: end -->"
LIED_NEED, UNKNOWN_NEED, SURER_NEED = 0.001, 0.02, 0.02
SURE_HOURS = 24  # a class of confidence that was stated for less proves nothing
CORNERS = (("PIR", "corridor"),)


def needs_known(sensors: str) -> bool:
    """Door and PIR, or better: unknown is held against them."""
    return {"pir", "door"} <= set(ALL_SETS[sensors])


def missed(outcome: Outcome) -> Iterator[str]:
    """Each need that is not met, in words."""
    for (kind, sensors), tally in outcome.usual.items():
        if tally.lied_share() >= LIED_NEED:
            yield f"{kind}, {sensors}: free while occupied {tally.lied_share():.3%} of time"
        if needs_known(sensors) and tally.unknown_share() >= UNKNOWN_NEED:
            yield f"{kind}, {sensors}: unknown {tally.unknown_share():.2%} of time"
    for (failure, sensors), tally in outcome.failing.items():
        if tally.lied_ms:
            yield f"{failure}, {sensors}: free while occupied for {tally.lied_ms / 1000:.1f} s"
    for status, bound, hours, stated, right in classes(outcome):
        if bound is not None and hours >= SURE_HOURS and stated - right > SURER_NEED:
            yield f"{status}, said {stated:.3f} sure: right {right:.3f} of {hours:.0f} h"


def classes(outcome: Outcome) -> list[tuple[Status, float | None, float, float, float]]:
    """Status, class of confidence, hours, mean of what was stated, share that was right."""
    whole = Tally()
    for tally in outcome.usual.values():
        whole.add(tally)
    return [
        (
            status,
            bound,
            ms / 3_600_000,
            whole.weighed[status, bound] / ms,
            whole.right[status, bound] / ms,
        )
        for (status, bound), ms in sorted(
            whole.stated.items(), key=lambda item: (item[0][0].value, item[0][1] or 0)
        )
    ]


def page(outcome: Outcome, usual: Parameters, failing: Parameters, days: int) -> list[str]:
    """The generated part of the document."""
    opens, closes = STRUCK_HOURS
    return [
        BEGIN,
        "",
        f"Made by `make bench` (`python -m tests.bench.bench_truth`): {outcome.reports} reports of"
        f" {outcome.rooms_days} days of rooms. Seeds and parameters are not those that the rules"
        " were tuned with (`tests/bench/truth/games.py` has both).",
        "",
        "### Without failures",
        "",
        *_parameters(usual, f"{days} days each, after one that does not count"),
        *_confusion(outcome),
        "",
        "### How sure, and how often right",
        "",
        *_calibration(outcome),
        "",
        "### With failures",
        "",
        *_parameters(failing, f"a day from {opens} to {closes} each"),
        *_failures(outcome),
        "",
        "### Needs that are missed",
        "",
        *(_missed(outcome) or ["None."]),
        "",
        END,
    ]


def _missed(outcome: Outcome) -> list[str]:
    return [f"- {miss}" for miss in missed(outcome)]


def _parameters(parameters: Parameters, played: str) -> list[str]:
    told = []
    for part in (parameters.habits, parameters.imperfections):
        values = asdict(part)
        plain = asdict(type(part)())
        told += [f"{name} {_plain(v)}" for name, v in values.items() if v != plain[name]]
    seeds = ", ".join(map(str, parameters.seeds))
    return [
        f"Seeds {seeds}; {played}."
        f" Habits and imperfections: {', '.join(told)}; the others as in `simulator/habits.py`.",
        "",
    ]


def _plain(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else f"{value}"


def _confusion(outcome: Outcome) -> list[str]:
    lines = [
        "| Kind of room | Sensors | **occupied**: in use | unknown | **free** | **empty**: free |"
        " unknown | in use | noticed entering, p50 / p95 s | leaving, p50 / p95 s | unknown |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (kind, sensors), tally in outcome.usual.items():
        used = sum(tally.said(status, occupied=True) for status in OCCUPIED)
        idle = sum(tally.said(status, occupied=False) for status in OCCUPIED)
        cells = [
            _share(used, tally),
            _share(tally.said(Status.UNKNOWN, occupied=True), tally),
            f"{tally.lied_share():.3%}",
            _share(tally.said(Status.FREE, occupied=False), tally),
            _share(tally.said(Status.UNKNOWN, occupied=False), tally),
            _share(idle, tally),
            _delay(tally.entering_ms, tally.visits),
            _delay(tally.leaving_ms, tally.leavings),
            f"{tally.unknown_share():.2%}",
        ]
        lines.append(f"| {kind} | {sensors} | {' | '.join(cells)} |")
    return lines


def _share(ms: int, tally: Tally) -> str:
    return f"{ms / tally.total_ms:.2%}"


def _delay(values: Sequence[int], of: int) -> str:
    if not values:
        return f"never ({of})"
    middle, late = (quantile(values, share) / 1000 for share in (0.5, 0.95))
    return f"{middle:.1f} / {late:.1f} ({len(values)} of {of})"


def _calibration(outcome: Outcome) -> list[str]:
    lines = [
        "| Said | Class of confidence | Hours | Mean stated | Right |",
        "| --- | --- | --- | --- | --- |",
    ]
    for status, bound, hours, stated, right in classes(outcome):
        if bound is None:
            lines.append(f"| {status} | none stated | {hours:.0f} | | {right:.4f} |")
        else:
            lines.append(f"| {status} | from {bound} | {hours:.0f} | {stated:.4f} | {right:.4f} |")
    return lines


def _failures(outcome: Outcome) -> list[str]:
    names = list(dict.fromkeys(failure for failure, _ in outcome.failing))
    names.sort(key=lambda name: name != NOTHING)
    columns = [*SETS, *(sensors for sensors, _ in CORNERS)]
    titles = [*SETS, *(f"{sensors}, {kind}" for sensors, kind in CORNERS)]
    lines = []
    for title, cell in (
        ("Free while occupied, in seconds, apart from what is exposed:", _lied),
        ("Exposed: free while occupied while nobody could know yet, in seconds:", _exposed),
        ("Unknown, in per cent of time:", _unknown),
    ):
        lines += [title, "", f"| What fails | {' | '.join(titles)} |"]
        lines.append("| --- " * (len(columns) + 1) + "|")
        for name in names:
            tallies = [outcome.failing.get((name, sensors)) for sensors in columns]
            told = [cell(tally) if tally is not None else "" for tally in tallies]
            lines.append(f"| {name.replace('_', ' ')} | {' | '.join(told)} |")
        lines.append("")
    return lines[:-1]


def _lied(tally: Tally) -> str:
    return f"**{tally.lied_ms / 1000:.0f}**" if tally.lied_ms else "0"


def _exposed(tally: Tally) -> str:
    return f"{tally.exposed_ms / 1000:.1f}" if tally.exposed_ms else "0"


def _unknown(tally: Tally) -> str:
    return f"{100 * tally.unknown_share():.1f}"


def write(lines: Sequence[str]) -> None:
    """Put the generated part into the document, between its markers."""
    text = PAGE.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"bench_truth: {PAGE.name} has lost its markers")
    PAGE.write_text(before + "\n".join(lines) + after, encoding="utf-8")
