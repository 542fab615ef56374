"""Whatever happens: less evidence never makes a room free, and time is never missed."""

from __future__ import annotations

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
    st.builds(Word, st.integers(0, 3), st.integers(0, 1), st.integers(1, 700)), max_size=30
)
ROOMS = st.sampled_from(["meeting", "corridor"])


def play(
    room: str, kinds: list[Kind], words: list[Word], spoilt: int | None = None, how: str = ""
) -> Scene:
    """Let the sensors speak; from the word ``spoilt`` on one sensor is dead, bad or remembered."""
    scene = Scene(room)
    names = [scene.sensor(kind) for kind in kinds]
    dead = words[spoilt].sensor % len(names) if spoilt is not None else None
    for number, word in enumerate(words):
        scene.now += word.wait_s * 1000
        sensor = word.sensor % len(names)
        if sensor != dead or spoilt is None or number < spoilt:
            scene.say(names[sensor], word.value)
        elif how == "bad":
            scene.say(names[sensor], word.value, Quality.BAD)
        elif how in ("retained", "queued"):
            scene.say(names[sensor], word.value, source=TimeSource(how))
    return scene


@given(ROOMS, KINDS, WORDS, st.data())
@settings(max_examples=600, deadline=None)
def test_an_absent_proof_is_never_made_by_spoiling_a_sensor(
    room: str, kinds: list[Kind], words: list[Word], data: st.DataObject
) -> None:
    """A room that is not free by all its evidence is not free by less of it.

    Compared at the same moment. A claim that is taken away is the one exception a sensor's death
    allows, for as long as its last word still counts, so claims of others are kept apart here: the
    spoilt sensor is one that last said "nobody".

    A door or a counter that keeps still says that nobody has left, so losing it is losing a sign of
    somebody. Then the others may show no more than if it had never been there.
    """
    if not words:
        return
    spoilt = data.draw(st.integers(0, len(words) - 1))
    how = data.draw(st.sampled_from(["silent", "bad", "retained", "queued"]))
    sensor = words[spoilt].sensor % len(kinds)
    said = [(at, word.value) for at, word in enumerate(words) if word.sensor % len(kinds) == sensor]
    before = [value for at, value in said if at < spoilt][-1:]
    if any(before) or any(value for at, value in said if at >= spoilt):
        return  # taking away "somebody", or until when, is another question
    if play(room, kinds, words).status() is Status.FREE:
        return
    if play(room, kinds, words, spoilt, how).status() is Status.FREE:
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
    """The one way in which less shows more, and what bounds it (see the property above)."""
    kinds = [Kind.RADAR, Kind.COUNT]
    words = [Word(1, 0, 700), Word(0, 1, 61), Word(0, 0, 1), Word(0, 0, 61)]
    assert play("meeting", kinds, words).status() is Status.IN_USE
    assert play("meeting", kinds, words, 0, "queued").status() is Status.FREE
