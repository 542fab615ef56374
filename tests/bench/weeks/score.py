"""Labels against findings: what was found, how late, and what was cried for nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.domain.fault import FaultKind, Finding, Subject
from tests.bench.weeks.calendar import DAY_MS
from tests.bench.weeks.labels import Label


@dataclass
class Tally:
    """One kind, found by one detector; it adds up across games and processes."""

    onsets: int = 0
    found: int = 0
    false: int = 0
    delays_ms: list[int] = field(default_factory=list)
    delays_in: list[float] = field(default_factory=list)  # intervals of the sensor
    cleared_ms: list[int] = field(default_factory=list)
    cleared_in: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.onsets += other.onsets
        self.found += other.found
        self.false += other.false
        self.delays_ms += other.delays_ms
        self.delays_in += other.delays_in
        self.cleared_ms += other.cleared_ms
        self.cleared_in += other.cleared_in

    @property
    def recall(self) -> float:
        return self.found / self.onsets if self.onsets else 0.0


@dataclass
class Result:
    """All of one game. ``naive`` is keyed by kind and the name of the threshold."""

    ours: dict[FaultKind, Tally] = field(default_factory=dict)
    naive: dict[tuple[FaultKind, str], Tally] = field(default_factory=dict)
    device_weeks: float = 0.0
    events: int = 0
    cries: list[tuple[int, Finding]] = field(default_factory=list)
    missed: list[tuple[int, Label]] = field(default_factory=list)

    def add(self, other: Result) -> None:
        for kind, tally in other.ours.items():
            self.ours.setdefault(kind, Tally()).add(tally)
        for key, tally in other.naive.items():
            self.naive.setdefault(key, Tally()).add(tally)
        self.device_weeks += other.device_weeks
        self.events += other.events
        self.cries += other.cries
        self.missed += other.missed

    def false_share(self, tally: Tally) -> float:
        """False alarms in 100 device-weeks."""
        return 100 * tally.false / self.device_weeks


def judge(
    findings: list[Finding], labels: list[Label], again_ms: int = 0
) -> tuple[dict[FaultKind, Tally], list[Finding], list[Label]]:
    """By kind; then what was cried for nothing, and what nobody found.

    ``again_ms``: a cry about the same within so long of the one before is the same one.
    """
    cried_ms: dict[tuple[Subject, FaultKind], int] = {}
    tallies: dict[FaultKind, Tally] = {}
    found: dict[int, Finding] = {}
    cleared: dict[int, int] = {}
    cries = []
    for finding in findings:
        fitting = [n for n, label in enumerate(labels) if label.finds(finding)]
        if not finding.is_on:
            _clear(finding, labels, found, cleared)
            continue
        for number in fitting:
            found.setdefault(number, finding)
        if not fitting and not any(label.explains(finding) for label in labels):
            about = finding.subject, finding.kind
            is_new = finding.at_ms - cried_ms.get(about, -again_ms) >= again_ms
            cried_ms[about] = finding.at_ms
            tallies.setdefault(finding.kind, Tally()).false += is_new
            cries.append(finding)
    missed = []
    for number, label in enumerate(labels):
        tally = tallies.setdefault(label.kind, Tally())
        if label.bound_ms == 0:
            continue
        tally.onsets += 1
        if number not in found:
            missed.append(label)
            continue
        _count(tally, label, found[number], cleared.get(number))
    return tallies, cries, missed


def _clear(
    finding: Finding, labels: list[Label], found: dict[int, Finding], cleared: dict[int, int]
) -> None:
    for number, first in found.items():
        is_same = first.subject == finding.subject and first.kind is finding.kind
        if is_same and finding.at_ms >= labels[number].end_ms:
            cleared.setdefault(number, finding.at_ms)


def _count(tally: Tally, label: Label, first: Finding, cleared_ms: int | None) -> None:
    tally.found += 1
    delay_ms = max(0, first.at_ms - label.onset_ms)
    tally.delays_ms.append(delay_ms)
    if label.interval_ms:
        tally.delays_in.append(delay_ms / label.interval_ms)
    if cleared_ms is not None and cleared_ms - label.end_ms < 7 * DAY_MS:
        tally.cleared_ms.append(cleared_ms - label.end_ms)
