"""A sensor that cannot see any more, and says "nobody": what the others know against it."""

from __future__ import annotations

from hub.domain.room import Status
from hub.rooms.evidence import Kind
from tests.rooms.test_rules import Scene


def watched(kind: str = "meeting") -> tuple[Scene, str, str]:
    """A room with a radar, and a contact on its only door."""
    scene = Scene(kind)
    radar, door = scene.sensor(Kind.RADAR), scene.sensor(Kind.DOOR, proof_within=120 * 60_000)
    scene.say(radar, 0)
    scene.say(door, 0)
    scene.keep_saying(radar, 0, 5)
    return scene, radar, door


def swing(scene: Scene, door: str) -> None:
    for value in (1, 0):
        scene.say(door, value)
        scene.now += 4_000


def visit(scene: Scene, radar: str, door: str, tail_s: int = 4) -> None:
    """Somebody comes, stays for ten minutes and goes; the radar sees him for some seconds more."""
    swing(scene, door)
    scene.keep_saying(radar, 1, 10)
    swing(scene, door)
    scene.keep_saying(radar, 1, tail_s / 60)
    scene.keep_saying(radar, 0, 5)


def test_a_radar_that_loses_whom_no_door_let_out_says_that_he_is_there() -> None:
    scene, radar, door = watched()
    swing(scene, door)
    scene.keep_saying(radar, 1, 10)
    scene.keep_saying(radar, 0, 60)
    assert scene.status() is Status.IN_USE
    assert "lost_sight" in scene.codes()
    swing(scene, door)  # one goes: how many stay, a blind radar does not know
    scene.keep_saying(radar, 0, 180)
    assert scene.status() is Status.UNKNOWN
    assert "lost_sight" in scene.codes()
    scene.say(radar, 1)
    assert scene.status() is Status.IN_USE


def test_a_radar_believes_whoever_went_out_by_the_door() -> None:
    scene, radar, door = watched()
    visit(scene, radar, door)
    assert scene.status() is Status.FREE


def test_the_word_of_a_door_may_come_after_that_of_the_radar() -> None:
    scene, radar, door = watched()
    swing(scene, door)
    scene.keep_saying(radar, 1, 10)
    scene.keep_saying(radar, 0, 0.1)
    swing(scene, door)
    scene.keep_saying(radar, 0, 5)
    assert scene.status() is Status.FREE


def test_a_slow_radar_is_learnt_at_the_next_visit() -> None:
    scene, radar, door = watched()
    visit(scene, radar, door, tail_s=120)
    assert scene.status() is Status.IN_USE
    visit(scene, radar, door, tail_s=120)
    assert scene.status() is Status.FREE


def test_a_quick_radar_is_given_less_and_less_time() -> None:
    scene, radar, door = watched()
    for _ in range(12):
        visit(scene, radar, door)
        assert scene.status() is Status.FREE
    visit(scene, radar, door, tail_s=40)
    assert scene.status() is Status.IN_USE


def test_who_came_in_past_the_only_sensor_is_waited_for() -> None:
    scene, radar, door = watched()
    swing(scene, door)
    scene.keep_saying(radar, 0, 119)
    assert scene.status() is Status.UNKNOWN
    assert "saw_nobody_pass" in scene.codes()
    scene.keep_saying(radar, 0, 2)
    assert scene.status() is Status.FREE


def test_two_sensors_that_both_saw_nobody_are_believed() -> None:
    scene = Scene()
    pir = scene.sensor(Kind.MOTION, proof_within=120 * 60_000)
    radar, door = scene.sensor(Kind.RADAR), scene.sensor(Kind.DOOR, proof_within=120 * 60_000)
    for name in (pir, radar, door):
        scene.say(name, 0)
    scene.keep_saying(radar, 0, 15)
    swing(scene, door)
    scene.keep_saying(radar, 0, 15)
    scene.say(pir, 0)
    assert scene.status() is Status.FREE


def test_who_kept_still_before_another_came_may_do_so_when_he_goes() -> None:
    scene = Scene()
    pir, door = (scene.sensor(kind, 120 * 60_000) for kind in (Kind.MOTION, Kind.DOOR))
    scene.say(pir, 0)
    scene.say(door, 0)
    scene.wait(5)
    for still_min, free in ((40, False), (1, True)):
        swing(scene, door)
        scene.say(pir, 1)
        scene.now += 70_000
        scene.say(pir, 0)
        scene.wait(still_min)
        swing(scene, door)  # another comes and goes
        scene.say(pir, 1)
        scene.wait(3)
        swing(scene, door)
        scene.now += 20_000
        scene.say(pir, 0)
        scene.wait(20)
        scene.say(pir, 0)
        assert (scene.status() is Status.FREE) is free
        scene.wait(60)
        scene.say(pir, 0)
        assert scene.status() is Status.FREE


def test_where_people_sleep_stillness_must_last_as_long_as_a_nap() -> None:
    scene = Scene("living_room")
    pir, door = (scene.sensor(kind, 120 * 60_000) for kind in (Kind.MOTION, Kind.DOOR))
    scene.say(door, 0)
    scene.say(pir, 0)
    scene.say(pir, 1)
    scene.wait(2)
    swing(scene, door)
    scene.now += 20_000
    scene.say(pir, 0)
    scene.wait(43)
    scene.say(pir, 0)
    assert scene.status() is Status.IN_USE
    scene.wait(3)
    scene.say(pir, 0)
    assert scene.status() is Status.FREE
