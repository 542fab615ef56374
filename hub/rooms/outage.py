"""A broken sensor never frees a room: which of those that are asked are known to be out, and why.

Out is what speaks no more, or what cannot be believed when it does: its link is lost, it is gone or
silent, its newest word is bad or was only remembered. A sensor that has nothing to say between two
heartbeats is not out, however little its last word proves by now.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.domain.room import Text
from hub.rooms.case import Case
from hub.rooms.evidence import NEVER_HEARD, Line, Witness


def outages(asked: Iterable[Witness], case: Case) -> tuple[Text, ...]:
    """Each sensor that is out, with why; plans the look at which the next one is silent."""
    found: list[Text] = []
    for witness in asked:
        why = _why(witness, case)
        if why is None:
            continue
        out = Text("sensor_out", {"device": witness.line.device})
        found.extend(text for text in (out, why) if text not in found)
    return tuple(found)


def _why(witness: Witness, case: Case) -> Text | None:
    line = witness.line
    if line.lost:
        return lost(line)
    if line.offline or case.passed(line.silent_ms):
        return silent(line)
    if witness.source:
        return Text(witness.source, {"device": line.device})
    if not witness.is_good and witness.reason != NEVER_HEARD:
        return Text("bad", {"device": line.device, "reason": witness.reason})
    return faulty(line) if line.is_faulty else None


def lost(line: Line) -> Text:
    """What it came over is down."""
    name, code = next(iter(line.lost.items()))
    return Text(code, {"link" if code == "link_lost" else "parent": name})


def silent(line: Line) -> Text:
    return Text("silent", {"device": line.device, "time": line.spoke_ms})


def faulty(line: Line) -> Text:
    """What it says now may be noise."""
    return Text("bad", {"device": line.device, "reason": "device_fault"})
