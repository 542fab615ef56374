from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.channels import CHANNELS, is_personal
from device_drivers.contract import Quality
from hub.domain.room import Status
from hub.mirror.lines import CODES, LineWriter, safe
from tests.mirror.making import CENTRE, NOON_MS, change, room_point
from tests.mirror.protocol import Point, lines_of, parse

NAMES = st.text(min_size=1, max_size=20)
CHANNEL_NAMES = NAMES.filter(lambda name: not is_personal(name))
VALUES = (
    st.none()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, -(10**400), math.nan, math.inf, -0.0, 5e-324, "", "\n", '"', "\\"])
)


def points(*changes: object) -> list[Point]:
    return [parse(line) for line in LineWriter(CENTRE).lines(changes)]  # type: ignore[arg-type]


def only(*changes: object) -> Point:
    (point,) = points(*changes)
    return point


def test_the_measurement_is_the_channel_and_the_tags_are_the_places() -> None:
    point = only(change())

    assert point.measurement == "temperature"
    assert point.tags == {
        "centre": "hongmei",
        "building": "main",
        "floor": "4",
        "room": "gym",
        "device": "climate",
    }
    assert point.fields == {"value": 21.5, "quality": "good"}
    assert point.at_ns == NOON_MS * 1_000_000


def test_a_device_on_a_door_has_the_door_and_no_room() -> None:
    assert only(change(1, device="door", channel="contact")).tags == {
        "centre": "hongmei",
        "door": "front",
        "device": "door",
    }


def test_each_part_of_a_device_has_its_own_place() -> None:
    first, second = points(
        change(1, device="io8", channel="contact", part="di1"),
        change(1, device="io8", channel="contact", part="di2"),
    )

    assert (first.tags["part"], first.tags["door"]) == ("di1", "front")
    assert (second.tags["part"], second.tags["room"], second.tags["floor"]) == ("di2", "hall", "-1")


def test_a_device_that_nobody_configured_has_no_place() -> None:
    assert only(change(device="stranger")).tags == {"centre": "hongmei", "device": "stranger"}


def test_changes_of_one_millisecond_have_times_of_their_own() -> None:
    same = points(change(1), change(2, tie=1), change(3, tie=999_999), change(4, NOON_MS + 1))

    assert len({point.place for point in same}) == 4
    assert [point.at_ns for point in same] == sorted(point.at_ns for point in same)


def test_a_number_is_always_a_float_so_that_a_field_keeps_its_type() -> None:
    lines = LineWriter(CENTRE).lines([change(21), change(21.0), change(2**63)])

    assert lines[0] == lines[1]
    assert " value=21.0," in lines[0]
    assert parse(lines[2]).fields["value"] == float(2**63)


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (None, {}),
        (math.nan, {"text": "nan"}),
        (math.inf, {"text": "inf"}),
        (-math.inf, {"text": "-inf"}),
        ("open", {"text": "open"}),
        ("", {"text": ""}),
        (10**400, {"text": str(10**400)}),
    ],
)
def test_no_line_is_without_a_field(value: float | str | None, fields: dict[str, object]) -> None:
    bad = change(value, quality=Quality.BAD, reason="malformed")

    assert only(bad).fields == {**fields, "quality": "bad", "reason": "malformed"}


def test_a_gap_is_a_point_where_the_step_before_was_last_confirmed() -> None:
    gap, point = points(change(gap_from_ms=NOON_MS - 90_500))

    assert gap.measurement == "gap"
    assert gap.tags == {**point.tags, "channel": "temperature"}
    assert gap.at_ns == (NOON_MS - 90_500) * 1_000_000
    assert gap.fields == {"seconds": 90.5, "until": float(NOON_MS)}


def test_a_room_has_its_status_as_a_word_and_as_a_number() -> None:
    writer = LineWriter(CENTRE)
    first, second = map(
        parse,
        writer.lines((), [room_point("in_use", people=3), room_point("unknown", people=None)]),
    )

    assert first.measurement == "room"
    assert first.tags == {"centre": "hongmei", "building": "main", "floor": "4", "room": "gym"}
    assert first.fields == {"status": "in_use", "code": 2.0, "people": 3.0}
    assert second.fields == {"status": "unknown", "code": 0.0}


def test_every_status_has_a_number() -> None:
    assert CODES.keys() == {status.value for status in Status}
    assert len(set(CODES.values())) == len(CODES)


def test_the_time_in_which_the_hub_was_down_is_a_gap_of_the_room() -> None:
    point = room_point()
    down = type(point)("gym", type(point.row)(9, NOON_MS, "free", None, NOON_MS - 60_000))
    gap, status = map(parse, LineWriter(CENTRE).lines((), [down]))

    assert (gap.measurement, gap.tags["channel"], gap.fields["seconds"]) == ("gap", "status", 60.0)
    assert status.measurement == "room"


@pytest.mark.parametrize("channel", [item.name for item in CHANNELS.values() if item.personal])
def test_a_personal_channel_goes_nowhere_and_is_counted(channel: str) -> None:
    writer = LineWriter(CENTRE)

    assert writer.lines([change(128, channel=channel, gap_from_ms=NOON_MS - 1)]) == []
    assert writer.personal == 1


def test_no_tag_is_about_a_person() -> None:
    lines = LineWriter(CENTRE).lines([change()], [room_point()])

    known = {"centre", "building", "floor", "room", "device", "part", "door", "channel"}
    assert {key for line in lines for key in parse(line).tags} <= known


@given(NAMES, CHANNEL_NAMES, NAMES, VALUES, st.text(max_size=20), st.integers(0, 999_999))
def test_whatever_is_written_is_read_back(
    device: str, channel: str, part: str, value: float | str | None, reason: str, tie: int
) -> None:
    made = change(value, device=device, channel=channel, part=part, reason=reason, tie=tie)
    writer = LineWriter(CENTRE)
    lines = writer.lines([made])

    point = parse(lines[0])
    assert point.measurement == safe(channel)
    assert (point.tags["device"], point.tags["part"]) == (safe(device), safe(part))
    assert point.at_ns == NOON_MS * 1_000_000 + tie
    if isinstance(value, str):
        assert point.fields["text"] == value.encode("utf-8", "backslashreplace").decode()
    elif isinstance(value, float) and math.isfinite(value):
        assert point.fields["value"] == value
    assert bool(reason) == ("reason" in point.fields)
    told = writer.point(made)
    assert (told.measurement, told.tags, told.at_ns) == (point.measurement, point.tags, point.at_ns)
    assert told.fields == point.fields


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=6))
def test_lines_stay_apart_in_one_request(rows: list[tuple[str, float | str | None]]) -> None:
    made = [change(value, device=name, tie=at) for at, (name, value) in enumerate(rows)]
    lines = LineWriter(CENTRE).lines(made)

    assert lines_of("\n".join(lines)) == lines
    assert "\n".join(lines).encode()


def test_the_same_change_is_always_the_same_line() -> None:
    made = [change(gap_from_ms=NOON_MS - 5), change("x"), change(None)]

    assert LineWriter(CENTRE).lines(made) == LineWriter(CENTRE).lines(made)
