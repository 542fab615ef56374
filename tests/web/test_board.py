"""The board says the whole in one sentence, blames one thing a card, and costs next to nothing."""

from __future__ import annotations

import time

import msgspec
import pytest

from hub.domain.centre import Room
from hub.domain.device import Health
from hub.domain.room import Presence, Status, Text
from hub.web.board import Board, faults
from hub.web.page import Frame
from tests.web.sample_centre import CENTRE, DEVICES, ROOMS, STATES, SampleHub


@pytest.fixture
def hub() -> SampleHub:
    return SampleHub()


@pytest.fixture
def board(hub: SampleHub) -> Board:
    return Board(Frame(hub.centre, hub), hub, hub)


def card(board: Board, room: str, language: str = "en") -> str:
    return next(c for c in board.cards(language) if f'id="room-{room}"' in c)


def test_one_sentence_for_the_centre(board: Board) -> None:
    assert board.summary("en") == "12 rooms: 5 free, 3 in use, 1 full, 1 closed, 2 unknown"
    assert board.summary("zh-CN").startswith("12 个房间：5 间空闲")


def test_rooms_stand_by_building_and_floor(board: Board) -> None:
    houses = [(str(h.title), [(r.title, len(r.cards)) for r in h.rows]) for h in board.houses("en")]
    assert houses == [
        ("Main house", [("Floor 1", 3), ("Floor 2", 2), ("Floor 3", 2), ("Floor 4", 1)]),
        ("East annex", [("Basement 1", 1), ("Floor 1", 1), ("Floor 2", 2)]),
    ]


def test_a_card_is_rendered_again_only_when_it_changes(board: Board, hub: SampleHub) -> None:
    before = card(board, "gym")
    hub.change("gym", as_of_ms=hub.now + 5000)  # nothing that a card shows
    assert card(board, "gym") is before
    hub.change("gym", status=Status.UNKNOWN, reasons=(Text("no_sensor"),))
    assert "No sensor here" in card(board, "gym")


def test_yesterdays_time_gets_its_date(board: Board, hub: SampleHub) -> None:
    assert "since 12:55" in card(board, "gym")
    hub.now += 24 * 3_600_000
    assert "since 22 Nov 12:55" in card(board, "gym")


def test_the_card_names_what_a_person_can_mend(board: Board, hub: SampleHub) -> None:
    reasons = (Text("would_help_door"), Text("stale"), Text("link_lost", {"link": "mqtt"}))
    hub.change("gym", status=Status.UNKNOWN, reasons=reasons)
    shown = card(board, "gym")
    assert "Connection to the MQTT broker lost" in shown
    assert "too long ago" not in shown


def test_a_plain_status_needs_no_reason(board: Board) -> None:
    assert "reason" not in card(board, "meeting")


def test_someone_in_a_closed_room_is_said(board: Board, hub: SampleHub) -> None:
    hub.change("lecture", presence=Presence.PRESENT)
    assert "Outside opening hours, someone is inside" in card(board, "lecture")


def test_a_door_that_is_broken_counts_for_both_its_rooms_and_not_for_the_street() -> None:
    door = next(d for d in DEVICES if d.door == "front")
    broken = msgspec.structs.replace(door, health=Health.SILENT)
    assert faults(CENTRE, [broken]) == {"hall": 1}


def test_names_cannot_carry_markup() -> None:
    evil = Room("gym", {"en": "<script>alert(1)</script>"}, "main", 4, "gym", 20)
    hub = SampleHub(msgspec.structs.replace(CENTRE, rooms=(evil,)))
    shown = card(Board(Frame(hub.centre, hub), hub, hub), "gym")
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_a_name_in_another_language_is_marked_as_such() -> None:
    room = Room("gym", {"zh-CN": "健身房"}, "main", 4, "gym", 20)
    hub = SampleHub(msgspec.structs.replace(CENTRE, rooms=(room,)))
    board = Board(Frame(hub.centre, hub), hub, hub)
    assert '<span lang="zh-CN">健身房</span>' in card(board, "gym")
    assert "<span lang=" not in card(board, "gym", "zh-CN")


def test_a_hundred_rooms_cost_under_five_milliseconds() -> None:
    names = [f"room-{number}" for number in range(100)]
    rooms = tuple(msgspec.structs.replace(ROOMS[0], id=name) for name in names)
    hub = SampleHub(msgspec.structs.replace(CENTRE, rooms=rooms))
    hub.state_of = {name: msgspec.structs.replace(STATES[0], room=name) for name in names}
    board = Board(Frame(hub.centre, hub), hub, hub)
    board.houses("en")

    took = []
    for number in range(20):
        hub.change("room-7", since_ms=hub.now - number)
        start = time.perf_counter()
        board.houses("en")
        board.summary("en")
        took.append(time.perf_counter() - start)
    assert min(took) < 0.005
