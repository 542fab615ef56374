"""All that is found in one room at one moment, and when time alone may change it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.domain.room import People, Text


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a sensor shows, since a moment."""

    since_ms: int
    reason: Text


@dataclass(slots=True)
class Case:
    """All that was found in one room, and when time alone may change it."""

    now_ms: int
    claims: list[Finding] = field(default_factory=list)
    traces: list[Finding] = field(default_factory=list)
    proofs: list[Finding] = field(default_factory=list)
    doubts: list[Text] = field(default_factory=list)
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
        text = Text(code, dict(params))
        if text not in self.doubts:
            self.doubts.append(text)


def since(finding: Finding) -> int:
    return finding.since_ms
