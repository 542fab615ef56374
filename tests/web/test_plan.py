"""The board as a plan: every room in its place with words that fit, and the rest in a list."""

from __future__ import annotations

import pytest

from hub.domain.centre import Door, Room
from hub.domain.room import Status, Text
from hub.web.outline import Box
from hub.web.page import Frame
from hub.web.plan import NEVER, Level, Plan
from hub.web.schematic import FORMS, schematic
from tests.web.sample_centre import ROOMS, SampleHub
from tests.web.sample_plans import SamplePlans

EVERYTHING = frozenset(room.id for room in ROOMS)


@pytest.fixture
def hub() -> SampleHub:
    return SampleHub()


@pytest.fixture
def plan(hub: SampleHub) -> Plan:
    return Plan(Frame(hub.centre, hub), hub, hub, SamplePlans(hub).drawings)


def room(name: str, kind: str = "meeting", capacity: int | None = 10) -> Room:
    return Room(name, {"en": name}, "main", 1, kind, capacity)


def level(plan: Plan, title: str, shown: frozenset[str] = EVERYTHING) -> Level:
    return next(one for one in plan.levels(shown, "en") if one.title == title)


def test_every_floor_has_its_sheet_drawn_or_made(plan: Plan) -> None:
    titles = {
        one.title: [sheet.kind for sheet in one.sheets] for one in plan.levels(EVERYTHING, "en")
    }
    assert titles.pop("Main house Floor 1") == ["drawn"]
    assert set(titles) == {
        "Main house Floor 2", "Main house Floor 3", "Main house Floor 4",
        "East annex Basement 1", "East annex Floor 1", "East annex Floor 2",
    }  # fmt: skip
    assert all(kinds == ["wide", "narrow"] for kinds in titles.values())


def test_a_room_has_icon_word_and_name_and_an_unknown_one_says_why(plan: Plan) -> None:
    wide, _ = level(plan, "East annex Floor 2").sheets
    by_id = {label.id: label for label in wide.labels}
    assert by_id["meeting"].said == "Free Meeting room"
    assert by_id["workshop"].status is Status.UNKNOWN
    assert [look for look, _ in wide.parts[:2]] == ["area is-free", "area is-unknown"]
    item = next(item for item in wide.items if item.id == "workshop")
    assert item.reason == "The motion sensor and the radar disagree"
    assert item.until == NEVER


def test_words_that_do_not_fit_are_in_the_list_until_they_do(plan: Plan) -> None:
    drawn = level(plan, "Main house Floor 1").sheets[0]
    fits = {label.id: int(label.fits) for label in drawn.labels}
    assert fits["hall"] < fits["canteen"]
    assert {item.id: item.until for item in drawn.items}["canteen"] == str(fits["canteen"])


def test_a_floor_is_written_again_only_where_it_says_something_else(
    plan: Plan, hub: SampleHub
) -> None:
    before = plan.written(EVERYTHING, "en")
    assert all(old is new for old, new in zip(before, plan.written(EVERYTHING, "en"), strict=True))
    hub.change("hall", status=Status.FULL)
    after = plan.written(EVERYTHING, "en")
    changed = [new for old, new in zip(before, after, strict=True) if old is not new]
    assert len(changed) == 1
    assert 'data-status="full"' in changed[0]
    assert plan.written(EVERYTHING, "zh-TW") != after


def test_a_filtered_room_is_drawn_without_a_status(plan: Plan) -> None:
    drawn = level(plan, "Main house Floor 1", frozenset({"hall"})).sheets[0]
    assert [label.id for label in drawn.labels] == ["hall"]
    assert [look for look, _ in drawn.parts].count("area is-in_use") == 1


def test_a_room_that_the_drawing_lacks_is_in_its_list(hub: SampleHub) -> None:
    drawings = dict(SamplePlans(hub).drawings)
    whole = drawings["main", 1]
    some = {name: box for name, box in whole.boxes.items() if name != "hall"}
    drawings["main", 1] = whole._replace(boxes=some)
    drawn = level(Plan(Frame(hub.centre, hub), hub, hub, drawings), "Main house Floor 1").sheets[0]
    assert {item.id: item.until for item in drawn.items}["hall"] == NEVER


def test_a_name_cannot_carry_markup_onto_a_plan(hub: SampleHub, plan: Plan) -> None:
    hub.change("workshop", reasons=(Text("bad", {"device": "<script>", "reason": "x"}),))
    item = next(i for i in level(plan, "East annex Floor 2").sheets[0].items if i.reason)
    assert "<script>" in item.reason  # the template escapes: see test_pages


def test_larger_rooms_are_wider_and_rooms_do_not_overlap() -> None:
    rooms = [room("a", capacity=60), room("b", capacity=6), room("c"), room("d"), room("e")]
    boxes = schematic(rooms, [], FORMS["wide"]).boxes
    assert boxes["a"].width > 1.5 * boxes["b"].width
    ordered = list(boxes.values())
    for nth, one in enumerate(ordered):
        for other in ordered[nth + 1 :]:
            assert not overlap(one, other)


def overlap(one: Box, other: Box) -> bool:
    return (
        min(one.right, other.right) - max(one.left, other.left) > 0.1
        and min(one.bottom, other.bottom) - max(one.top, other.top) > 0.1
    )


def test_a_door_is_drawn_where_two_rooms_touch_and_to_the_outside() -> None:
    rooms = [room("a"), room("b"), room("lane", "corridor"), room("c")]
    doors = [
        Door("a-b", ("a", "b")),
        Door("a-lane", ("a", "lane")),
        Door("front", ("lane", "outside")),
        Door("far", ("c", "elsewhere")),
    ]
    parts = schematic(rooms, doors, FORMS["wide"]).parts
    assert [part.look for part in parts].count("door") == 3


def test_a_floor_of_one_room_is_small() -> None:
    assert schematic([room("a")], [], FORMS["wide"]).width == FORMS["wide"].cell


def test_a_corridor_lies_between_the_rows() -> None:
    rooms = [room("lane", "corridor"), *(room(name) for name in "abcdefgh")]
    boxes = schematic(rooms, [], FORMS["wide"]).boxes
    assert boxes["a"].bottom == pytest.approx(boxes["lane"].top)
    assert boxes["h"].top == pytest.approx(boxes["lane"].bottom)
    assert boxes["lane"].width == 100
