"""Its housing was opened: it says so itself."""

from __future__ import annotations

from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.docket import Docket
from hub.faults.detect.memory import Key, Memory


class Tamper:
    """``_said``: what each device said last since this start."""

    name = "tamper"
    channels = frozenset({"tamper"})

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._said: dict[tuple[str, str], float] = {}

    def take(self, memory: Memory, key: Key, value: float, now_ms: int) -> None:
        named = memory.id, key[1]
        if self._said.get(named) == value:
            return
        self._said[named] = value
        evidence: Params | None = {} if value else None
        self._docket.say(memory.part(key), FaultKind.TAMPER, evidence, now_ms, now_ms)

    def kept(self) -> None:
        return None

    def restore(self, kept: object) -> None:
        """What stands is known to the docket."""
