"""Nobody is ever overlooked because something failed: simulated people, real drivers and rules.

The short form of ``tests/bench/bench_truth.py``: one working day for each failure, with fixed
seeds, in virtual time. What is called free while somebody is there is counted to the millisecond.
"""

from __future__ import annotations

from functools import cache

import pytest

from hub.domain.room import Status
from simulator.faults import Fault
from tests.bench.truth.carrier import Trouble
from tests.bench.truth.failures import EVERY, UNTOLD, Failure, allow_reaction, strike
from tests.bench.truth.games import FAULTS_TUNING, TUNING
from tests.bench.truth.place import Watched, watched_by
from tests.bench.truth.played import Game, Play
from tests.bench.truth.score import Tally

HOUR_MS = 3_600_000
SLOW = ("PIR + door", "counter + PIR + door", "counter")
SEES_STILL = ("radar", "door + PIR + radar")
OF_A_RADAR = (
    Fault.SILENT,
    Fault.UNPLUGGED,
    Fault.BAD,
    Fault.FLAPPING,
    Trouble.RESTART,
    Trouble.CLOCK_BACK,
)


def house(sets: tuple[str, ...]) -> tuple[Watched, ...]:
    """A meeting room, and three more that its people and the cleaner go to."""
    return tuple(
        room
        for room in watched_by({"meeting": sets})
        if room.id in ("meeting", "corridor", "storage", "cabin")
    )


def played(failure: Failure | None, sets: tuple[str, ...], seed: int = 7) -> dict[str, Tally]:
    """A meeting room from eight to five, watched by these sets at once."""
    p = FAULTS_TUNING
    game = Game(seed, 1, p.habits, p.imperfections, 0, 8, 8, 17)
    play = Play(game, house(sets))
    allow_reaction(play)
    if failure is not None:
        strike(play, failure)
    found = play.run()
    return {sensors: tally for (_, sensors), tally in found.tallies.items()}


@pytest.mark.parametrize("failure", EVERY, ids=str)
def test_no_failure_makes_an_occupied_room_free(failure: Failure) -> None:
    tallies = played(failure, SLOW)
    for sensors, tally in tallies.items():
        assert tally.visits > 3
        assert tally.said(Status.IN_USE, occupied=True) > HOUR_MS / 4, sensors
        assert tally.lied_ms == 0, (sensors, tally.lies)
    assert any(tally.strikes for tally in tallies.values()) or failure is Fault.UNPLUGGED


@pytest.mark.parametrize("failure", OF_A_RADAR, ids=str)
def test_no_failure_of_a_radar_does(failure: Failure) -> None:
    for sensors, tally in played(failure, SEES_STILL).items():
        assert tally.strikes
        assert tally.visits > 3
        assert tally.lied_ms == 0, (sensors, tally.lies)


def test_the_score_finds_a_lie() -> None:
    """A radar alone that is stuck at nobody is believed: nothing else could tell."""
    assert Fault.STUCK_AT_0 in UNTOLD
    tally = played(Fault.STUCK_AT_0, ("radar",))["radar"]
    assert tally.lied_ms > HOUR_MS / 4
    assert tally.lies[0].reasons == ("radar_clear",)


@cache
def usual() -> dict[tuple[str, str], Tally]:
    game = Game(TUNING.seeds[0], 2, TUNING.habits, TUNING.imperfections)
    return Play(game, house(("PIR + door",))).run().tallies


def test_the_same_game_has_the_same_result() -> None:
    game = Game(TUNING.seeds[0], 2, TUNING.habits, TUNING.imperfections)
    again = Play(game, house(("PIR + door",))).run().tallies
    assert again == usual()


def test_a_room_with_door_and_motion_sensor_is_known_nearly_always() -> None:
    tally = usual()["meeting", "PIR + door"]
    assert tally.total_ms == 2 * 24 * HOUR_MS
    assert tally.lied_share() < 0.001
    assert tally.unknown_share() < 0.02
