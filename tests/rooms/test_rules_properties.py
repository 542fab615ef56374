"""Whatever happens: less evidence never makes a room free, and time is never missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.contract import Quality
from edge.reading import TimeSource
from hub.domain.room import Status
from hub.rooms.evidence import Kind
from hub.rooms.rules import judge
from tests.rooms.test_rules import Scene


@dataclass(frozen=True)
class Word:
    sensor: int
    value: int
    wait_s: int


KINDS = st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=4)
WORDS = st.lists(
    st.builds(Word, st.integers(0, 3), st.integers(0, 1), st.integers(1, 700)),
    min_size=1,
    max_size=30,
)
ROOMS = st.sampled_from(["meeting", "corridor"])
Sensor = tuple[Kind, str | None]
SENSORS = st.lists(
    st.tuples(st.sampled_from(list(Kind)), st.sampled_from([None, None, "a", "b"])),
    min_size=1,
    max_size=4,
)
OUT = ["bad", "retained", "queued", "faulty", "cut", "offline"]


def play(
    room: str, kinds: list[Kind], words: list[Word], spoilt: int | None = None, how: str = ""
) -> Scene:
    """Let the sensors speak; from the word ``spoilt`` on one sensor is out."""
    scene = Scene(room)
    names = [scene.sensor(kind) for kind in kinds]
    for _ in moments(scene, names, words, spoilt, how):
        pass
    return scene


def moments(
    scene: Scene, names: list[str], words: list[Word], spoilt: int | None, how: str
) -> Iterator[bool]:
    """After each word: is a sensor known to be out?"""
    dead = words[spoilt].sensor % len(names) if spoilt is not None else None
    for number, word in enumerate(words):
        scene.now += word.wait_s * 1000
        sensor = word.sensor % len(names)
        is_spoilt = spoilt is not None and number >= spoilt
        say(scene, names[sensor], word.value, how if is_spoilt and sensor == dead else "live")
        yield is_spoilt


def say(scene: Scene, name: str, value: int, how: str) -> None:
    line = scene.line(name)
    if how in ("retained", "queued"):
        scene.say(name, value, source=TimeSource(how))
    elif how == "cut":
        line.lose("mqtt", "link_lost")
    elif how == "offline":
        line.offline = True
    elif how != "silent":
        line.is_faulty = how == "faulty"
        scene.say(name, value, Quality.BAD if how == "bad" else Quality.GOOD)


def go_on(scene: Scene, names: list[str], minutes: int) -> Iterator[None]:
    """These sensors see nobody, and say so each minute."""
    for _ in range(minutes):
        scene.wait(1)
        for name in names:
            scene.say(name, 0)
        yield


@given(ROOMS, SENSORS, WORDS, st.sampled_from(OUT), st.data())
@settings(max_examples=600, deadline=None)
def test_a_room_with_a_sensor_that_is_out_is_never_free(
    room: str, sensors: list[Sensor], words: list[Word], how: str, data: st.DataObject
) -> None:
    """Whatever it said before and would say now, and whatever the others say: so less evidence
    never makes a room free that all of it does not."""
    scene, names = watched(room, sensors)
    spoilt = data.draw(st.integers(0, len(words) - 1))
    out = words[spoilt].sensor % len(names)
    for is_out in moments(scene, names, words, spoilt, how):
        assert not (is_out and frees(scene, sensors[out]))
    for _ in go_on(scene, [name for name in names if name != names[out]], 20):
        assert not frees(scene, sensors[out])


@given(ROOMS, SENSORS, WORDS, st.integers(0, 3), st.integers(5, 60))
@settings(max_examples=600, deadline=None)
def test_a_sensor_that_says_nothing_frees_a_room_no_longer_than_it_may_be_silent(
    room: str, sensors: list[Sensor], words: list[Word], dead: int, silent_min: int
) -> None:
    """Before that moment nobody can know whether it has nothing to say."""
    scene, names = watched(room, sensors, silent_min)
    dead %= len(names)
    for _ in moments(scene, names, words, None, ""):
        pass
    others = [name for name in names if name != names[dead]]
    silent_ms = scene.line(names[dead]).silent_ms
    for _ in go_on(scene, others, 2 * silent_min):
        assert not (scene.now >= silent_ms and frees(scene, sensors[dead]))
    assert scene.now >= silent_ms


def watched(room: str, sensors: list[Sensor], silent_min: int = 25 * 60) -> tuple[Scene, list[str]]:
    """A room with bays if a sensor is in one."""
    zones = tuple(sorted({zone for _, zone in sensors if zone is not None}))
    scene = Scene(room, zones=zones)
    silent = silent_min * 60_000
    return scene, [scene.sensor(kind, zone=zone, silent_after=silent) for kind, zone in sensors]


def frees(scene: Scene, out: Sensor) -> bool:
    """Is the room free, or a bay that the sensor concerns?"""
    state = scene.look()
    bays = [bay for bay in state.zones if out[1] in (None, bay.id)]
    return Status.FREE in (state.status, *(bay.status for bay in bays))


@given(ROOMS, KINDS, WORDS, st.data())
@settings(max_examples=600, deadline=None)
def test_words_that_were_never_heard_prove_nothing(
    room: str, kinds: list[Kind], words: list[Word], data: st.DataObject
) -> None:
    """Until a sensor is known to be silent, its missing words are words that were never spoken.

    A sensor that saw nobody leaves no room free that it would not have freed. A door or a counter
    that keeps still says that nobody has left, so losing it is losing a sign of somebody. Then the
    others may show no more than if it had never been there. And what "somebody" would have said
    nobody can know who did not hear it, until the sensor's silence is found (as above).
    """
    spoilt = data.draw(st.integers(0, len(words) - 1))
    sensor = words[spoilt].sensor % len(kinds)
    said = [(at, word.value) for at, word in enumerate(words) if word.sensor % len(kinds) == sensor]
    before = [value for at, value in said if at < spoilt][-1:]
    if any(before) or any(value for at, value in said if at >= spoilt):
        return
    if play(room, kinds, words).status() is Status.FREE:
        return
    if play(room, kinds, words, spoilt, "silent").status() is Status.FREE:
        assert kinds[sensor] in (Kind.DOOR, Kind.COUNT)
        never_there = play(room, kinds, words, said[0][0], "silent")
        assert never_there.status() is Status.FREE


@given(ROOMS, KINDS, WORDS, st.sampled_from(["bad", "retained", "queued"]))
@settings(max_examples=200, deadline=None)
def test_without_one_live_good_word_nothing_is_ever_free(
    room: str, kinds: list[Kind], words: list[Word], how: str
) -> None:
    scene = Scene(room)
    names = [scene.sensor(kind) for kind in kinds]
    for word in words:
        scene.now += word.wait_s * 1000
        quality = Quality.BAD if how == "bad" else Quality.GOOD
        source = TimeSource.HUB if how == "bad" else TimeSource(how)
        scene.say(names[word.sensor % len(names)], word.value, quality, source)
        assert scene.status() is Status.UNKNOWN


@given(ROOMS, KINDS, WORDS)
@settings(max_examples=600, deadline=None)
def test_between_two_words_the_answer_changes_only_when_it_said_it_would(
    room: str, kinds: list[Kind], words: list[Word]
) -> None:
    """The next look that a verdict asks for is early enough: no change is missed before it."""
    scene = play(room, kinds, words)
    verdict = judge(scene.plan, scene.now)
    due = verdict.due_ms
    end = due - 1 if due is not None else scene.now + 26 * 3_600_000
    for moment in (scene.now + 1, (scene.now + end) // 2, end):
        if scene.now <= moment <= end:
            assert judge(scene.plan, moment).state.status is verdict.state.status


@given(ROOMS, KINDS, WORDS)
@settings(max_examples=200, deadline=None)
def test_with_all_sensors_silent_no_room_stays_free(
    room: str, kinds: list[Kind], words: list[Word]
) -> None:
    scene = play(room, kinds, words)
    scene.now += 11 * 60_000
    assert scene.status() is not Status.FREE


@given(ROOMS, KINDS, WORDS)
@settings(max_examples=600, deadline=None)
def test_a_settled_verdict_is_not_changed_by_a_repeat(
    room: str, kinds: list[Kind], words: list[Word]
) -> None:
    """What lets the service skip a look: a sensor that says the same again, in time."""
    scene = play(room, kinds, words)
    verdict = judge(scene.plan, scene.now)
    if not verdict.is_settled:
        return
    scene.now += 1
    for witness in scene.plan.witnesses:
        if witness.is_live and witness.line.is_fresh(scene.now) and witness.value is not None:
            scene.say(witness.line.device, witness.value)
            if verdict.due_ms is None or scene.now < verdict.due_ms:
                assert scene.status() is verdict.state.status


def test_a_radar_that_lost_sight_is_believed_again_without_the_counter_that_doubted_it() -> None:
    """Only while nobody can know that the counter is out."""
    kinds = [Kind.RADAR, Kind.COUNT]
    words = [Word(1, 0, 700), Word(0, 1, 61), Word(0, 0, 1), Word(0, 0, 61)]
    assert play("meeting", kinds, words).status() is Status.IN_USE
    assert play("meeting", kinds, words, 0, "silent").status() is Status.FREE
    assert play("meeting", kinds, words, 0, "queued").status() is Status.UNKNOWN
