"""All that is found in one room at one moment, and when time alone may change it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.domain.room import People, Text


class Grounds(StrEnum):
    """The class of evidence a verdict rests on, surest first. How often each is right is measured
    (``confidence.py``)."""

    RADAR = "radar"  # a radar detects, or sees nobody in the whole room
    LOOKED = "looked"  # a person looked
    MOTION = "motion"  # something moves now
    LEFT = "left"  # a door opened, was shut, and nothing has moved since
    CROSSED = "crossed"  # no motion where people only pass
    COUNT = "count"  # what the counters at the doors add up to
    STILL = "still"  # somebody moved and no door has let him out
    RECENT = "recent"  # somebody moved a short time ago
    CROSSING = "crossing"  # somebody passed a short time ago, and is not proven gone


SURENESS = {grounds: rank for rank, grounds in enumerate(Grounds)}


class Finding(msgspec.Struct, frozen=True, gc=False):
    """Something that is shown, since a moment, by a class of evidence."""

    since_ms: int
    reason: Text
    grounds: Grounds


class Tally(msgspec.Struct, frozen=True, gc=False):
    """What the counters of a room add up to."""

    estimate: int
    slack: int  # how many people they may be off
    has_base: bool  # False: how many were inside at the start is not known
    proves: bool  # all of them spoke lately, on lines that are well
    moved_ms: int  # somebody last passed

    @property
    def is_sure(self) -> bool:
        """Somebody is inside, whatever was missed."""
        return self.estimate > self.slack

    @property
    def people(self) -> People | None:
        if not self.has_base:
            return None
        low = max(self.estimate - self.slack, 0)
        return People(low, self.estimate, self.estimate + self.slack)


class Case(msgspec.Struct, gc=False):
    """All that was found in one room, and when time alone may change it."""

    now_ms: int
    claims: list[Finding] = []
    traces: list[Finding] = []
    proofs: list[Finding] = []
    doubts: list[Text] = []
    helps: list[Text] = []
    outages: tuple[Text, ...] = ()  # sensors that are out, with why; looked for beside a proof
    tally: Tally | None = None
    people: People | None = None
    as_of_ms: int = 0
    due_ms: int | None = None

    def passed(self, moment_ms: int) -> bool:
        """Is the moment behind us? If not, remember to look again when it is."""
        if moment_ms <= self.now_ms:
            return True
        if self.due_ms is None or moment_ms < self.due_ms:
            self.due_ms = moment_ms
        return False

    def doubt(self, code: str, **params: str | int | float) -> None:
        self.wonder(Text(code, dict(params)))

    def wonder(self, text: Text) -> None:
        """Why it is unknown."""
        if text not in self.doubts:
            self.doubts.append(text)

    def help(self, text: Text) -> None:
        """What would make the answer surer; said where it is unknown."""
        if text not in self.helps:
            self.helps.append(text)


def since(finding: Finding) -> int:
    return finding.since_ms
