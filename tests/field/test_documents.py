"""The documents, held against what Home Assistant documents of MQTT discovery.

Facts of https://www.home-assistant.io/integrations/mqtt/ (device discovery, birth message) and of
the pages of its MQTT sensor and binary sensor: required are device with an identifier, origin with
a name, and components of which each has a platform and a unique_id; ``options`` needs device class
enum and stands beside neither unit nor state class; the text ``None`` means not known.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub.domain.centre import Building, Centre, Device, Door, Placement, Room
from hub.domain.room import Crowding, People, Presence, RoomState, Status, Text
from hub.domain.series import SeriesKey
from hub.field.discovery import config_document, counted_rooms, state_document
from hub.field.memory import Memory
from hub.field.session import REFRESH_S
from hub.field.topics import Topics
from hub.settings import parse
from tests.settings.samples import changed, problems

HERE = Topics("homeassistant", "hongmei")
GYM = Room("gym", {"zh-CN": "健身房", "en": "Gym"}, "main", 4, "gym", 20)
CELLAR = Room("cellar", {"en": "Cellar"}, "main", -1, "storage", None)
DEVICES = (
    Device("counter", "zigbee2mqtt", {"": Placement(door="front")}, "tested", 1, 1),
    Device("radar", "ld2410", {"": Placement(room="cellar")}, "tested", 1, 1),
    Device("io", "modbus", {"di1": Placement(room="cellar")}, "tested", 1, 1),
)
MAIN = Building("main", {"zh-CN": "主楼", "en": "Main house"})
CENTRE = Centre(
    "hongmei",
    {"zh-CN": "红梅邻里中心", "en": "Hongmei Centre"},
    "Asia/Shanghai",
    (MAIN,),
    (GYM, CELLAR),
    (Door("front", ("outside", "gym")),),
    DEVICES,
)
STATE = RoomState(
    "gym",
    Status.IN_USE,
    Presence.PRESENT,
    Crowding.HIGH,
    People(16, 17, 18),
    0.98,
    1_700_000_000_000,
    1_700_000_060_000,
    None,
    (
        Text("looked_people", {"author": "Frau Li", "people": 17, "time": 1_700_000_000_000}),
        Text("motion", {"device": "gym-pir"}),
        Text("motion", {"device": "gym-pir-2"}),
    ),
)


def config(room: Room = GYM, *, counted: bool = True, centre: Centre = CENTRE) -> Any:
    return json.loads(config_document(centre, room, HERE, counted=counted))


def shown(entity: str, **changed: Any) -> str:
    """What Home Assistant makes of a state, by its template."""
    return rendered(config()["components"][entity]["value_template"], **changed)


def rendered(template: str, **changed: Any) -> str:
    """By an environment as Home Assistant's: nothing can be changed, the result is a text."""
    state = msgspec.structs.replace(STATE, **changed)
    document = json.loads(state_document(state))
    return ImmutableSandboxedEnvironment().from_string(template).render(value_json=document)


def test_a_document_has_what_home_assistant_requires() -> None:
    document = config()
    assert document["device"]["identifiers"] == ["linli_hongmei_gym"]
    assert document["origin"]["name"]
    assert document["availability_topic"] == "linli/hongmei/status"
    assert document["state_topic"] == "linli/hongmei/rooms/gym/state"
    for name, entity in document["components"].items():
        assert entity["platform"] in ("sensor", "binary_sensor")
        assert entity["unique_id"] == f"linli_hongmei_gym_{name}"
        assert entity["expire_after"] >= 3 * REFRESH_S
        if "options" in entity:
            assert entity["device_class"] == "enum"
            assert not entity.keys() & {"unit_of_measurement", "state_class"}


def test_names_are_in_the_centres_first_language() -> None:
    document = config()
    assert document["device"]["name"] == "健身房"
    assert document["device"]["suggested_area"] == "4 楼"
    assert document["components"]["people"]["name"] == "人数"
    english = msgspec.structs.replace(CENTRE, name={"en": "Hongmei", "zh-CN": "红梅"})
    assert config(centre=english)["device"]["name"] == "Gym"
    assert config(CELLAR, centre=english)["device"]["suggested_area"] == "Basement 1"


def test_an_area_names_its_building_where_there_are_several() -> None:
    two = msgspec.structs.replace(CENTRE, buildings=(MAIN, Building("annex", {"en": "Annex"})))
    assert config(centre=two)["device"]["suggested_area"] == "主楼 4 楼"


def test_entities_are_only_of_what_can_be_known() -> None:
    assert config(counted=False)["components"].keys() == {"status", "presence"}
    assert config(CELLAR)["components"].keys() == {"status", "presence", "people"}
    assert config()["components"].keys() == {"status", "presence", "people", "crowding"}


@pytest.mark.parametrize("status", Status)
def test_every_status_is_an_option(status: Status) -> None:
    assert shown("status", status=status) == status.value
    assert status.value in config()["components"]["status"]["options"]


@pytest.mark.parametrize(
    ("presence", "expected"),
    [(Presence.PRESENT, "ON"), (Presence.ABSENT, "OFF"), (Presence.UNKNOWN, "None")],
)
def test_an_unknown_presence_is_never_nobody(presence: Presence, expected: str) -> None:
    assert shown("presence", presence=presence) == expected


def test_people_and_crowding_are_numbers_and_options_or_not_known() -> None:
    assert (shown("people"), shown("crowding")) == ("17", "high")
    assert shown("people", people=People(0, 0, 0)) == "0"
    assert shown("people", people=None) == "None"
    assert shown("crowding", crowding=None) == "None"


def test_the_attributes_say_why_and_since_when() -> None:
    template = config()["components"]["status"]["json_attributes_template"]
    assert json.loads(rendered(template)) == {
        "since": "2023-11-14T22:13:20.000Z",
        "reasons": ["looked_people", "motion"],
    }


def test_a_state_has_codes_and_nobodys_name() -> None:
    document = json.loads(state_document(STATE))
    assert document["reasons"] == ["looked_people", "motion"]
    assert document["as_of"] == "2023-11-14T22:14:20.000Z"
    assert "Li" not in state_document(STATE).decode()
    assert "pir" not in state_document(STATE).decode()


def test_who_counts_at_a_door_counts_the_rooms_behind_it() -> None:
    counter = SeriesKey("counter", "people.in")
    assert counted_rooms(CENTRE, [counter, SeriesKey("radar", "presence")]) == {"gym"}
    assert counted_rooms(CENTRE, [SeriesKey("io", "people.count", "di1")]) == {"cellar"}
    assert counted_rooms(CENTRE, [SeriesKey("gone", "people.count")]) == set()


def test_topics_of_two_centres_never_meet() -> None:
    east, east_gym = Topics("homeassistant", "east"), Topics("homeassistant", "east-gym")
    assert east.config("gym-hall") != east_gym.config("hall")
    assert east.unique("gym-hall") != east_gym.unique("hall")


def test_memory_survives_and_a_broken_one_counts_as_empty(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    Memory(tmp_path).keep((HERE,))
    assert Memory(tmp_path).places == (HERE,)
    (tmp_path / "published.json").write_text("{")
    assert Memory(tmp_path).places == ()
    assert "is not used" in caplog.text
    Memory(tmp_path).keep(())


def test_a_device_below_home_assistants_prefix_would_be_the_hub_itself() -> None:
    topic = "homeassistant/device/x"
    with_device = changed("mqtt: zigbee2mqtt/seat", f"mqtt: {topic}")
    assert parse(with_device).publish is None
    assert [item.code for item in problems(f"publish: {{homeassistant: }}\n{with_device}")] == [
        "own_topic"
    ]
