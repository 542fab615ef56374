from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from hub.configuration.problems import LANGUAGES, wording
from tests.settings.samples import GOOD, changed, found, problems, spot

SOURCES = [*Path("hub/configuration").glob("*.py"), Path("hub/settings.py")]


CASES = [
    ("centre: {id", "https: 1\ncentre: {id", "unknown_key", "^https"),
    ("capacity: 2", "capacty: 2", "unknown_key", "^capacty"),
    ("baud: 2400", "bauds: 2400", "unknown_key", "^bauds"),
    ("capacity: 2", "capacity: two", "wrong_type_whole_number", "capacity: ^two"),
    ("capacity: 2", "capacity: true", "wrong_type_whole_number", "capacity: ^true"),
    ("centre: {id", "access: {open: 'true'}\ncentre: {id", "wrong_type_true_or_false", "^'true'"),
    ("capacity: 2", "capacity: 0", "greater_than_equal", "capacity: ^0"),
    ("baud: 2400", "baud: 0", "greater_than", "baud: ^0"),
    ("baud: 2400", "baud: 5000000", "less_than_equal", "baud: ^5"),
    ("baud: 2400", "parity: evn", "not_one_of", "parity: ^evn"),
    ("capacity: 2", "capacity: 2, kind: gym", "duplicate_key", "2, ^kind: gym"),
    ("id: seat", "id: bp", "duplicate_id", "id: ^bp, driver: zig"),
    ("id: bay2", "id: bay1", "duplicate_id", "}, {id: ^bay1"),
    ("room: cabin", "room: cabn", "unknown_room", "^cabn"),
    ("door: front,", "door: font,", "unknown_door", "^font"),
    ("zone: bay1", "zone: bay3", "unknown_zone", "^bay3"),
    ("room: hall, zone", "door: front, zone", "zone_without_room", "zone: ^bay1"),
    ("driver: and_tm265x", "driver: and_tm256x", "unknown_driver", "^and_tm256x"),
    ("serial: /dev/ttyUSB0, baud: 2400", "mqtt: a/b", "wrong_link", "^{mqtt: a/b"),
    ("mqtt: zigbee2mqtt/seat", "serial: /dev/x", "wrong_link", "^{serial: /dev/x"),
    ("serial: /dev/ttyUSB0, baud: 2400", "", "no_link", "^{}"),
    ("serial: /dev/ttyUSB0, baud: 2400", "usb: 1", "no_link", "^{usb"),
    ("baud: 2400", "mqtt: x", "no_link", "^{serial"),
    ("/dev/ttyUSB0", "COM3", "bad_port", "^COM3"),
    ("/dev/ttyUSB0", "socket://a:99999", "bad_port", "^socket"),
    ("/dev/ttyUSB0", "rfc2217://a:4001", "bad_port", "^rfc2217"),
    ("/dev/ttyUSB0", "[1]", "wrong_type_text", "^[1]"),
    ("zigbee2mqtt/seat", "zigbee2mqtt/+", "bad_topic", "^zigbee2mqtt/+"),
    ("zigbee2mqtt/seat", "a, pattern: tele/x", "bad_pattern", "^tele/x"),
    ("room: cabin, ", "", "no_place", "^{id: bp"),
    ("room: cabin", "room: cabin, door: front", "two_places", "^{id: bp"),
    ("room: cabin", "map: {}", "no_place", "^{id: bp"),
    ("room: cabin", "map: {a: {}}", "no_place_part", "a: ^{}"),
    ("room: cabin", "map: {a: {room: x}}", "unknown_room", "room: ^x"),
    ("room: cabin", "map: {a: {door: x}}", "unknown_door", "door: ^x"),
    ("room: cabin", "map: {a: {room: hall, zone: x}}", "unknown_zone", "zone: ^x"),
    ("room: cabin", "map: {a: {room: hall, door: front}}", "two_places_part", "a: ^{room"),
    ("[hall, outside]", "[hall, outsde]", "unknown_place", "^outsde"),
    ("[hall, outside]", "[hall, hall]", "door_to_itself", "^[hall, hall]"),
    ("[hall, outside]", "[hall]", "too_few_places", "^[hall]"),
    ("room: cabin", "room: cabin, silent_after: 10", "bad_duration", "after: ^10"),
    ("room: cabin", "room: cabin, silent_after: 2 hours", "bad_duration", "^2 hours"),
    ("room: cabin", f"room: cabin, silent_after: {'9' * 30}d", "bad_duration", "after: ^9"),
    ("id: front,", "id: Front, ", "bad_id", "^Front"),
    ("kind: living_room", "kind: livingroom", "not_one_of", "^livingroom"),
    ("Asia/Shanghai", "Asia/Shangai", "timezone", "^Asia/Shangai"),
    ("Asia/Shanghai", "Asia", "timezone", "^Asia"),
    ("zh-CN:", "zh_CN:", "language", "^zh_CN"),
    ("{en: Hall}", "{}", "no_name", "name: ^{}"),
    ("{en: Hall}", "Hall", "wrong_type_table", "^Hall"),
    ("{en: Hall}", "{en: ' '}", "string_too_short", "^' '"),
    ("{en: Hall}", f"{{en: {'x' * 81}}}", "string_too_long", "en: ^xx"),
    ("{en: Hall}", "{en: 7}", "wrong_type_text", "^7}"),
    ("kind: living_room", "building: east, kind: gym", "unknown_building", "^east"),
    ("centre: {id", "storage: 3\ncentre: {id", "wrong_type_table", "^3\n"),
    ("centre: {id", "buildings: 3\ncentre: {id", "wrong_type_list", "^3\n"),
    ("centre: {id", "access: {open: maybe}\ncentre: {id", "wrong_type_true_or_false", "^maybe"),
    ("centre: {id", "http: {names: [a/b]}\ncentre: {id", "bad_host_name", "^a/b"),
    (
        "centre: {id",
        "notify: {manager: li.na, people: [{id: li.na, name: Li, channels: [m]},"
        " {id: Wu W, name: Wu, channels: [m]}],"
        " channels: [{id: m, kind: ntfy, url_file: f}]}\ncentre: {id",
        "bad_account_name",
        "^Wu W",
    ),
    ("centre: {id", "publish: {homeassistant: {prefix: '#'}}\ncentre: {id", "bad_topic_prefix",
     "^'#'"),
    ("mqtt: zigbee2mqtt/seat", "mqtt: linli/hongmei/rooms/hall/state", "own_topic", "^linli/"),
    ("mqtt: zigbee2mqtt/seat", "mqtt: linli, pattern: '{device}/+/status'", "own_topic", "^linli,"),
    ("centre: {id", "http: {port: 70000}\ncentre: {id", "less_than_equal", "^70000"),
    (", timezone: Asia/Shanghai", "", "missing_key", "centre: ^{id"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "marked"), CASES)
def test_a_mistake_is_named_with_its_place(old: str, new: str, code: str, marked: str) -> None:
    text = changed(old, new)
    first = next(item for item in problems(text) if item.code == code)

    assert (first.place.line, first.place.column) == spot(text, marked)


@pytest.mark.parametrize(("old", "new", "code"), [case[:3] for case in CASES])
def test_one_mistake_gives_one_problem(old: str, new: str, code: str) -> None:
    codes = [item.code for item in problems(changed(old, new))]

    # A name that was changed where it is defined is also missing where it is used.
    assert [item for item in codes if item != "unknown_door"] == [code] or codes == [code]


@pytest.mark.parametrize(
    ("old", "new", "guess"),
    [
        ("capacity: 2", "capacty: 2", "capacity"),
        ("baud: 2400", "bauds: 2400", "baud"),
        ("room: cabin", "room: cabn", "cabin"),
        ("zone: bay1", "zone: bay11", "bay1"),
        ("driver: and_tm265x", "driver: tm265x", "and_tm265x"),
        ("kind: living_room", "kind: livingroom", "living_room"),
        ("Asia/Shanghai", "Asia/Shangai", "Asia/Shanghai"),
        ("zh-CN:", "zh_CN:", "zh-CN"),
    ],
)
def test_a_misspelling_is_answered_with_what_was_meant(old: str, new: str, guess: str) -> None:
    (problem,) = problems(changed(old, new))

    assert problem.guess == guess
    assert problem.text().endswith(f"Did you mean {guess}?")


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    wrong = GOOD
    for old, new in (
        ("Asia/Shanghai", "Asia/Shangai"),
        ("capacity: 2", "capacty: 2"),
        ("[hall, outside]", "[hal, outside]"),
        ("baud: 2400", "bauds: 2400"),
        ("room: cabin", "room: cabn"),
        ("driver: zigbee2mqtt, door", "driver: zigbe2mqtt, door"),
    ):
        wrong = wrong.replace(old, new)

    expected = [
        ("timezone", "^Asia/Shangai"),
        ("unknown_key", "^capacty"),
        ("unknown_place", "^hal,"),
        ("unknown_room", "^cabn"),
        ("unknown_key", "^bauds"),
        ("unknown_driver", "^zigbe2mqtt"),
    ]
    assert found(wrong) == [(code, *spot(wrong, marked)) for code, marked in expected]


def test_a_room_with_a_mistake_of_its_own_is_still_a_room() -> None:
    text = changed("kind: health_cabin", "kind: hut")

    assert found(text) == [("not_one_of", *spot(text, "^hut"))]


def test_two_devices_on_one_wire_are_told_of_each_other() -> None:
    more = "  - {id: again, driver: and_tm265x, room: cabin, link: {serial: /dev/ttyUSB0}}\n"
    more += "  - {id: seat2, driver: zigbee2mqtt, room: hall, link: {mqtt: zigbee2mqtt/seat}}\n"

    serial, mqtt = problems(GOOD + more)

    assert (serial.code, serial.place.line) == ("shared_serial", 11)
    assert serial.params["other"] == "bp"
    assert serial.params["first"] == "centre.yaml:8:62"
    assert (mqtt.code, mqtt.params["other"]) == ("shared_mqtt", "seat")


def test_a_room_must_say_its_building_where_there_are_several() -> None:
    houses = "buildings: [{id: a, name: {en: A}}, {id: b, name: {en: B}}]\n"

    assert found(houses + GOOD) == [("which_building", 4, 5), ("which_building", 5, 5)]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "hub.example"])
def test_open_access_is_refused_where_others_can_reach_it(host: str) -> None:
    text = f"http: {{host: '{host}'}}\naccess: {{open: true}}\n{GOOD}"

    assert found(text) == [("open_to_all", 2, 16)]
    assert host in problems(text)[0].what()


def test_an_empty_file_and_a_missing_section_say_so() -> None:
    assert found("# nothing yet\n") == [("empty", 1, 1)]
    assert found("rooms: []\n") == [("missing_section", 1, 1)]
    assert found("- a\n") == [("wrong_type_table", 1, 1)]
    assert found("text\n") == [("wrong_type_table", 1, 1)]


def test_every_code_has_words_in_every_language_with_the_same_holes() -> None:
    def holes(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english = wording("en")
    for language in LANGUAGES:
        words = wording(language)
        assert words.keys() == english.keys()
        for code, both in words.items():
            for part in ("what", "remedy"):
                assert both[part], f"{language} {code} {part}"
                assert holes(both[part]) == holes(english[code][part]), f"{language} {code}"


def test_every_code_in_the_sources_has_words() -> None:
    used = {
        code
        for source in SOURCES
        for code in re.findall(r'(?:Problem|_refuse)\(\s*"([a-z0-9_]+)"', source.read_text())
    }

    assert len(used) > 25
    assert used <= wording("en").keys()
