"""What is truly wrong, since when and until when; and which findings it explains."""

from __future__ import annotations

import msgspec

from hub.domain.fault import FaultKind as K
from hub.domain.fault import Finding, SubjectKind

COMPANIONS: dict[K, frozenset[K]] = {
    K.BATTERY_DEAD: frozenset({K.SILENT, K.BATTERY_LOW}),
    K.BATTERY_LOW: frozenset({K.WEAK_LINK}),
    K.WEAK_LINK: frozenset({K.SILENT}),
    K.GARBLED: frozenset({K.SILENT, K.OUT_OF_RANGE}),
    K.STUCK: frozenset({K.DRIFT, K.JUMP}),
    K.STUCK_ON: frozenset({K.STUCK, K.SENSORS_DISAGREE}),
    K.FLAPPING: frozenset({K.SENSORS_DISAGREE, K.DUPLICATE}),
    K.OUT_OF_RANGE: frozenset({K.JUMP, K.DEVICE_ERROR}),
    K.JUMP: frozenset({K.DRIFT}),
    K.NOISE: frozenset({K.JUMP, K.DRIFT}),
    K.DRIFT: frozenset({K.JUMP}),
    K.DUPLICATE: frozenset({K.JUMP, K.NOISE, K.DRIFT, K.FLAPPING, K.WEAK_LINK, K.BATTERY_LOW}),
    K.DOOR_CONTRADICTED: frozenset({K.STUCK, K.SENSORS_DISAGREE}),
    K.SENSORS_DISAGREE: frozenset({K.STUCK, K.STUCK_ON, K.DOOR_CONTRADICTED}),
    K.COUNTER_IMBALANCE: frozenset({K.STUCK, K.STUCK_ON, K.SENSORS_DISAGREE}),
    K.DEVICE_ERROR: frozenset({K.OUT_OF_RANGE, K.SENSORS_DISAGREE}),
    K.USB_DOWN: frozenset({K.LINK_DOWN}),
    K.GATEWAY_DOWN: frozenset({K.SILENT}),
}
"""What the same cause honestly implies. ``silent`` behind a gateway that hangs and says nothing,
until the gateway is known to be the cause; a dead battery, until it is remembered to be low."""
ABOUT_ROOM = frozenset({K.SENSORS_DISAGREE, K.DOOR_CONTRADICTED})
"""Two sensors contradict each other: which of them is named is a guess."""


GRACE_MS = 3_600_000
"""With three of its intervals: a finding so soon after a repair belongs to what was repaired."""


class Label(msgspec.Struct):
    """``subjects`` are ids of devices, links or the hub; a parent's has its children beside it.

    ``from_ms``: the cause is there before anybody must find it (a battery that begins to fall).
    """

    kind: K
    subjects: frozenset[str]
    onset_ms: int
    end_ms: int
    interval_ms: int
    bound_ms: int
    from_ms: int = 0
    children: frozenset[str] = frozenset()
    room: frozenset[str] = frozenset()
    found_ms: int | None = None
    cleared_ms: int | None = None

    def explains(self, finding: Finding) -> bool:
        """Is this what it was about? A step back at the repair belongs to it."""
        grace_ms = GRACE_MS + 3 * self.interval_ms
        begins_ms = self.from_ms or self.onset_ms
        if not begins_ms <= finding.at_ms <= self.end_ms + grace_ms:
            return False
        subject, kind = finding.subject.id, finding.kind
        if finding.subject.kind is SubjectKind.HUB or subject in self.subjects:
            return kind is self.kind or kind in COMPANIONS.get(self.kind, ())
        if subject in self.children:
            return kind in COMPANIONS.get(self.kind, ())
        return subject in self.room and kind in ABOUT_ROOM

    def finds(self, finding: Finding) -> bool:
        """Is it found by this, in time?"""
        begins_ms = self.from_ms or self.onset_ms
        if finding.kind is not self.kind or not begins_ms <= finding.at_ms <= self.end_ms:
            return False
        if finding.at_ms > self.onset_ms + self.bound_ms:
            return False
        subject = finding.subject
        return subject.kind is SubjectKind.HUB or subject.id in (
            self.subjects | (self.room if self.kind in ABOUT_ROOM else frozenset())
        )
