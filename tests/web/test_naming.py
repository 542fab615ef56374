"""Devices by what they are; the id stays wherever the kind alone is not clear."""

from __future__ import annotations

import msgspec

from hub.domain.device import DeviceState
from hub.domain.room import Params
from hub.web.naming import full_names, kind, renamed, short_names
from tests.web.sample_centre import SampleHub


def like(channels: dict[str, float], name: str) -> DeviceState:
    some = SampleHub().devices()[0]
    state = next(c for d in SampleHub().devices() for c in d.channels.values())
    return msgspec.structs.replace(some, id=name, channels=dict.fromkeys(channels, state))


RADAR = like({"presence": 1, "motion": 1}, "gym-radar")
PIR = like({"motion": 0}, "gym-pir")
SECOND = like({"motion": 0}, "gym-pir-2")
DOORS = like({"contact.di1": 0}, "io8")
NEVER_HEARD = like({}, "gym-door")


def test_a_device_is_what_it_has_sent() -> None:
    kinds = [kind(d) for d in (RADAR, PIR, DOORS, NEVER_HEARD)]
    assert kinds == ["presence", "motion", "contact", ""]


def test_the_full_name_keeps_the_id_and_nothing_is_guessed() -> None:
    names = full_names([RADAR, NEVER_HEARD], "en")
    assert names == {"gym-radar": "radar gym-radar"}


def test_a_card_leaves_the_id_out_only_where_the_kind_is_clear() -> None:
    names = short_names([RADAR, PIR, SECOND], "en")
    assert names["gym-radar"] == "the radar"
    assert names["gym-pir"] == "motion sensor gym-pir"


def test_only_parameters_that_name_a_device_are_renamed() -> None:
    names = {"gym-pir": "motion sensor gym-pir"}
    params: Params = {"a": "gym-pir", "link": "gym-pir", "device": "other", "time": 5}
    assert renamed(params, names) == params | {"a": "motion sensor gym-pir"}
