"""What is stated of how sure a verdict is: a measured share, or nothing."""

from __future__ import annotations

from hub.domain.room import Presence
from hub.rooms.case import Grounds
from hub.rooms.confidence import RIGHT, confidence
from hub.rooms.evidence import Kind
from tests.rooms.test_rules import Scene


def test_every_figure_is_a_share_that_is_not_certainty() -> None:
    assert RIGHT
    assert all(0 < share < 1 for share in RIGHT.values())


def test_a_proof_is_surer_than_somebody_who_may_have_gone() -> None:
    left = confidence(Presence.ABSENT, Grounds.LEFT)
    recent = confidence(Presence.PRESENT, Grounds.RECENT)
    assert left is not None
    assert recent is not None
    assert left > recent


def test_unknown_states_nothing() -> None:
    assert Scene().look().confidence is None


def test_a_verdict_states_the_figure_of_its_surest_evidence() -> None:
    scene = Scene()
    pir, radar = scene.sensor(Kind.MOTION), scene.sensor(Kind.RADAR)
    scene.say(pir, 1)
    assert scene.look().confidence == RIGHT[Presence.PRESENT, Grounds.MOTION]
    scene.say(radar, 1)
    assert scene.look().confidence == RIGHT[Presence.PRESENT, Grounds.RADAR]
