"""What stands against whom: turns "it is so now" into findings that alternate, held as the table
says.

    quiet    it is so > doubted     for raise_ms > found      it is not so before > quiet
    found    it is not so > easing  for clear_ms > quiet      it is so again before > found

Only what is not quiet takes memory. Times are those of the detection (``watch.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hub.agenda import Agenda
from hub.domain.fault import FaultKind, Finding, Subject
from hub.domain.room import Params
from hub.faults.kinds import KINDS

Tell = Callable[[Finding], None]


class Matter:
    """One kind of fault at one subject. ``is_so``: what was said last, since ``turned_ms``."""

    __slots__ = ("evidence", "is_on", "is_so", "kind", "since_ms", "subject", "turned_ms")

    def __init__(self, subject: Subject, kind: FaultKind, evidence: Params, since_ms: int) -> None:
        self.subject = subject
        self.kind = kind
        self.evidence = evidence
        self.since_ms = since_ms
        self.is_on = False
        self.is_so = True
        self.turned_ms = since_ms


class Docket:
    """``tell`` hears of each finding, once when it is on and once when it is off."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._matters: dict[str, Matter] = {}
        self.agenda = Agenda(self._due)

    def stand(self, finding: Finding) -> None:
        """It was found before this start, and nobody has said since that it is over."""
        matter = Matter(finding.subject, finding.kind, finding.evidence, finding.since_ms)
        matter.is_on = True
        self._matters[_key(finding.subject, finding.kind)] = matter

    def is_on(self, subject: Subject, kind: FaultKind) -> bool:
        matter = self._matters.get(_key(subject, kind))
        return matter is not None and matter.is_on

    def found(self) -> Iterator[Matter]:
        """All that is on."""
        return (matter for matter in self._matters.values() if matter.is_on)

    def say(
        self,
        subject: Subject,
        kind: FaultKind,
        evidence: Params | None,
        since_ms: int,
        now_ms: int,
    ) -> None:
        """It is so (``evidence``), since then; or it is not (None)."""
        key = _key(subject, kind)
        matter = self._matters.get(key)
        if evidence is None:
            if matter is not None and matter.is_so:
                self._turn(key, matter, False, now_ms)
            return
        if matter is None:
            matter = self._matters[key] = Matter(subject, kind, evidence, since_ms)
            self._turn(key, matter, True, now_ms)
            return
        if not matter.is_on:
            matter.evidence = evidence
        if not matter.is_so:
            self._turn(key, matter, True, now_ms)

    def _turn(self, key: str, matter: Matter, is_so: bool, now_ms: int) -> None:
        matter.is_so, matter.turned_ms = is_so, now_ms
        if is_so == matter.is_on:
            if not is_so:
                del self._matters[key]
            return
        due_ms = self._due_ms(matter)
        if due_ms <= now_ms:
            self._settle(key, matter, now_ms)
        else:
            self.agenda.plan(key, due_ms)

    def _due_ms(self, matter: Matter) -> int:
        row = KINDS[matter.kind]
        return matter.turned_ms + (row.raise_ms if matter.is_so else row.clear_ms)

    def _due(self, key: str, now_ms: int) -> int | None:
        matter = self._matters.get(key)
        if matter is None or matter.is_so == matter.is_on:
            return None
        due_ms = self._due_ms(matter)
        if due_ms > now_ms:
            return due_ms
        self._settle(key, matter, now_ms)
        return None

    def _settle(self, key: str, matter: Matter, now_ms: int) -> None:
        matter.is_on = matter.is_so
        if not matter.is_on:
            del self._matters[key]
        self._tell(
            Finding(
                matter.subject,
                matter.kind,
                matter.is_on,
                now_ms,
                matter.since_ms,
                matter.evidence,
            )
        )


def _key(subject: Subject, kind: FaultKind) -> str:
    return f"{kind}/{subject.kind}/{subject.id}/{subject.channel}"
