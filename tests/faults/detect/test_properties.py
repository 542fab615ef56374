"""What holds whatever is heard: health raises nothing, findings alternate, steps do not matter."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.events import ClockChanged
from hub.domain.fault import Finding
from hub.domain.room import Status
from tests.faults.detect.house import BEGIN, DAY, HOUR, MINUTE, SECOND, House, device

WELL = {"temperature": 21.0, "battery_level": 80, "link_quality": 60, "contact": 0}


@settings(max_examples=25, deadline=None)
@given(
    every_s=st.integers(60, 12 * 3600),
    jitter=st.floats(0, 0.2),
    seed=st.randoms(use_true_random=False),
    interruptions=st.lists(
        st.tuples(st.sampled_from(["restart", "link", "lag", "clock", "closed"]), st.floats(0, 1)),
        max_size=6,
    ),
)
def test_a_healthy_regular_sensor_never_raises_anything(
    every_s: int, jitter: float, seed: object, interruptions: list[tuple[str, float]]
) -> None:
    chance = seed
    house = House(device("eye"))
    house.hear("eye", **WELL)  # whoever mounts it waits for its first word
    pauses = 400
    due = {round(share * pauses): what for what, share in interruptions}
    found: list[Finding] = []
    for number in range(pauses):
        step = every_s * SECOND * chance.uniform(1 - jitter, 1 + jitter)  # type: ignore[attr-defined]
        house.pass_time(house.now + round(step))
        house.hear("eye", **WELL | {"temperature": 21 + chance.random()})  # type: ignore[attr-defined]
        what = due.get(number)
        if what is not None:
            found += house.found
            house = interrupt(house, what)
    assert found + house.found == []


def interrupt(house: House, what: str) -> House:
    """Something happens to the house, and none of it is the sensor's fault."""
    if what == "restart":
        house.now += 3 * HOUR
        return house.again()
    if what == "link":
        house.link("line", False, "eye")
        house.pass_time(house.now + 29 * SECOND)
        house.link("line", True, "eye")
    elif what == "lag":
        house.pass_time(house.now + MINUTE // 6)
        house.detection.lag(10, BEGIN + house.now)
    elif what == "clock":
        house.now += 5 * DAY
        house.detection.clock_set(ClockChanged(5 * DAY, True, BEGIN + house.now))
    else:
        house.room("gym", Status.CLOSED)
    return house


ACTS = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 40 * 60)),
    st.tuples(st.just("hear"), st.sampled_from(["eye", "ear"])),
    st.tuples(st.just("many"), st.sampled_from(["eye", "ear"])),
    st.tuples(st.just("discard"), st.sampled_from(["eye", "ear"])),
    st.tuples(st.just("bad"), st.sampled_from(["implausible", "calibrating"])),
    st.tuples(st.just("battery"), st.integers(0, 100)),
    st.tuples(st.just("quality"), st.integers(0, 100)),
    st.tuples(st.just("online"), st.integers(0, 1)),
    st.tuples(st.just("link"), st.booleans()),
    st.tuples(st.just("bridge"), st.booleans()),
    st.tuples(st.just("room"), st.sampled_from([Status.CLOSED, Status.FREE])),
    st.tuples(st.just("clock"), st.integers(-100_000, 100_000)),
    st.tuples(st.just("lag"), st.integers(1, 60)),
)


def act(house: House, what: str, how: object) -> None:
    if what == "wait":
        assert isinstance(how, int)
        house.pass_time(house.now + how * MINUTE)
    elif what in ("hear", "many", "discard"):
        name = str(how)
        for _ in range(1 if what == "hear" else 12):
            house.now += 30 * SECOND
            house.discard(name) if what == "discard" else house.hear(name, temperature=20.5)
    else:
        other(house, what, how)


def tell(house: House, channel: str, value: object) -> None:
    for _ in range(12):
        house.now += 2 * MINUTE
        house.hear("eye", **{channel: value})  # type: ignore[arg-type]


def other(house: House, what: str, how: object) -> None:
    if what == "bad":
        for _ in range(5):
            house.now += MINUTE
            house.bad("eye", "temperature", 900, str(how))
    elif what in ("battery", "quality"):
        tell(house, "battery_level" if what == "battery" else "link_quality", how)
    elif what == "online":
        house.online("eye", int(how))  # type: ignore[call-overload]
    elif what in ("link", "bridge"):
        house.link(what, bool(how), "eye", "ear", is_parent=what == "bridge")
    elif what == "room":
        house.room("gym", how)  # type: ignore[arg-type]
    elif what == "clock":
        shift = int(how) * SECOND  # type: ignore[call-overload]
        house.now += shift
        house.detection.clock_set(ClockChanged(shift, True, BEGIN + house.now))
    else:
        house.detection.lag(float(how), BEGIN + house.now)  # type: ignore[arg-type]


def taught() -> House:
    house = House(device("eye"), device("ear", silent_after_ms=HOUR))
    for _ in range(3 * 24 * 6):
        house.now += 10 * MINUTE
        house.hear("eye", **WELL)
        house.hear("ear")
    return house


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTS, max_size=40))
def test_findings_of_one_matter_alternate_and_begin_with_on(
    acts: list[tuple[str, object]],
) -> None:
    house = taught()
    for what, how in acts:
        act(house, what, how)

    by: dict[tuple[object, object], list[bool]] = {}
    for finding in house.found:
        by.setdefault((finding.subject, finding.kind), []).append(finding.is_on)
        assert finding.since_ms <= finding.at_ms
    for states in by.values():
        assert states[0]
        assert all(one is not other for one, other in pairwise(states))


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTS, max_size=25), st.integers(1, 7))
def test_the_steps_in_which_time_is_told_change_nothing(
    acts: list[tuple[str, object]], parts: int
) -> None:
    coarse, fine = taught(), taught()
    for what, how in acts:
        act(coarse, what, how)
        if what == "wait":
            begin, pause = fine.now, int(how) * MINUTE  # type: ignore[call-overload]
            for part in range(1, parts):
                fine.pass_time(begin + pause * part // parts)
            fine.pass_time(begin + pause)
        else:
            act(fine, what, how)

    assert fine.found == coarse.found


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTS, max_size=25))
def test_what_was_learnt_survives_a_restart_unchanged(acts: list[tuple[str, object]]) -> None:
    house = taught()
    for what, how in acts:
        act(house, what, how)
    frame = house.detection.frame()

    again = house.again()
    assert again.detection.frame() == again.again().detection.frame()
    assert len(frame) < 2 * 600
    for name, memory in house.detection.memories.items():
        restored = again.detection.memories[name]
        assert restored.rhythm.limit_ms() == memory.rhythm.limit_ms()
        assert restored.radio.kept() == memory.radio.kept()
        assert restored.battery.kept() == memory.battery.kept()
