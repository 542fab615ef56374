"""A gateway that lives and hears nothing any more: all behind it fall silent in the same moment.

Its own rhythm is that of everything that comes through it, so it is missed long before any of its
sensors is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hub.agenda import Agenda
from hub.domain.events import LinkChanged
from hub.domain.fault import FaultKind, Subject, SubjectKind
from hub.domain.room import Params
from hub.faults.detect.docket import Docket
from hub.faults.detect.rhythm import Care, Rhythm

FEWEST = 3  # devices: of fewer it is not to be told who is silent
SHORTEST_MS = 180_000
CARE = Care(weeks_apart=20)  # there are few of them


class Behind(Protocol):
    """A device behind a gateway."""

    down: set[str]
    listening_ms: int


class Gateway:
    """``down``: lost links that it needs itself; its own word that it is gone is among them."""

    __slots__ = ("deaf_ms", "devices", "down", "is_mute", "name", "rhythm", "word_ms")

    def __init__(self, name: str, kept: Sequence[int] = ()) -> None:
        self.name = name
        self.devices: frozenset[str] = frozenset()
        self.rhythm = Rhythm(kept, CARE)
        self.word_ms: int | None = None  # None: it must speak first
        self.deaf_ms = 0
        self.down: set[str] = set()
        self.is_mute = False


class Gateways:
    """``free``: called with the devices of one that speaks again."""

    def __init__(
        self,
        docket: Docket,
        members: Callable[[frozenset[str]], Sequence[Behind]],
        kept: dict[str, list[int]],
    ) -> None:
        self._docket = docket
        self._members = members
        self._all = {name: Gateway(name, rhythm) for name, rhythm in kept.items()}
        self._of: dict[str, Gateway] = {}
        self._deaf_ms = 0
        self.agenda = Agenda(self._look)

    def kept(self) -> dict[str, list[int]]:
        return {name: gateway.rhythm.kept() for name, gateway in self._all.items()}

    def lag(self, by_ms: int) -> None:
        self._deaf_ms += by_ms

    def change(self, event: LinkChanged, now_ms: int) -> None:
        """A link was lost or found: also that which a gateway hangs on."""
        if event.is_parent:
            gateway = self._all.setdefault(event.name, Gateway(event.name))
            gateway.devices = event.devices
            self._of.update(dict.fromkeys(event.devices, gateway))
        for gateway in self._all.values():
            if gateway.devices and gateway.devices <= event.devices:
                (gateway.down.discard if event.up else gateway.down.add)(event.name)
                gateway.word_ms = None

    def word(self, device: str, now_ms: int) -> None:
        """Something came through it."""
        gateway = self._of.get(device)
        if gateway is None:
            return
        if gateway.is_mute:
            self._hear_again(gateway, now_ms)
        elif gateway.word_ms is not None:
            gateway.rhythm.learn(now_ms - gateway.word_ms - self._deaf_ms + gateway.deaf_ms)
        if gateway.word_ms is None:
            self.agenda.plan(gateway.name, now_ms + SHORTEST_MS)
        gateway.word_ms, gateway.deaf_ms = now_ms, self._deaf_ms

    def _look(self, name: str, now_ms: int) -> int | None:
        gateway = self._all[name]
        if gateway.word_ms is None or gateway.is_mute or len(gateway.devices) < FEWEST:
            return None
        limit_ms = gateway.rhythm.limit_ms()
        if limit_ms is None:
            return now_ms + 10 * SHORTEST_MS
        late_ms = self._deaf_ms - gateway.deaf_ms
        due_ms = gateway.word_ms + max(limit_ms, SHORTEST_MS) + late_ms
        if due_ms > now_ms:
            return due_ms
        gateway.is_mute = True
        for memory in self._members(gateway.devices):
            memory.down.add(_mute(gateway))
        self._say(gateway, {"gateway": name}, gateway.word_ms, now_ms)
        return None

    def _hear_again(self, gateway: Gateway, now_ms: int) -> None:
        gateway.is_mute, gateway.word_ms = False, None
        gateway.rhythm.broke()
        for memory in self._members(gateway.devices):
            memory.down.discard(_mute(gateway))
            memory.listening_ms = now_ms
        self._say(gateway, None, now_ms, now_ms)

    def _say(self, gateway: Gateway, evidence: Params | None, since_ms: int, now_ms: int) -> None:
        subject = Subject(SubjectKind.LINK, gateway.name)
        self._docket.say(subject, FaultKind.GATEWAY_DOWN, evidence, since_ms, now_ms)


def _mute(gateway: Gateway) -> str:
    return f"mute {gateway.name}"
