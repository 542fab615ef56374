"""Blood pressure monitors: when a measurement may be believed, and what is said when not."""

from __future__ import annotations

from datetime import datetime

import pytest

from device_drivers.catalogue import and_tm265x, omron_hbp9020
from device_drivers.contract import Discard, Message, Quality, Sample, SerialDriver
from tests.drivers.vectors import line_bytes, messages, read, vectors

# What the health kiosk can explain to a person; another name would leave him without a word.
REASONS = {
    *("cuff_loose", "cuff_fit", "movement", "position", "weak_signal", "overpressure", "leak"),
    *("stopped", "timeout", "implausible", "stale", "low_battery", "device_fault"),
}


def result(*fields: str, stamp: str = "2607110905") -> dict[str, Sample]:
    """Samples of an A&D result with these tagged fields, by channel."""
    return {sample.channel: sample for sample in message(*fields, stamp=stamp).samples}


def message(*fields: str, stamp: str = "2607110905") -> Message:
    text = "\x1e".join(["TM2657", stamp, "RB", "M", *fields, ""])
    decoded = and_tm265x.decode(text.encode("ascii"))
    assert isinstance(decoded, Message)
    return decoded


def omron(line: str) -> dict[str, Sample]:
    decoded = omron_hbp9020.decode(line.encode("ascii"))
    assert isinstance(decoded, Message)
    return {sample.channel: sample for sample in decoded.samples}


@pytest.mark.parametrize("code", [f"{code:02}" for code in range(1, 100)])
def test_any_error_but_e00_makes_every_figure_bad_and_keeps_it(code: str) -> None:
    found = result(f"E{code}", "S120", "M 95", "D 80", "P 70")
    assert [sample.value for sample in found.values()] == [120, 95, 80, 70]
    assert {sample.quality for sample in found.values()} == {Quality.BAD}
    assert {sample.reason for sample in found.values()} <= REASONS


def test_all_error_reasons_are_known_to_the_kiosk() -> None:
    assert set(and_tm265x.ERRORS.values()) <= REASONS


@pytest.mark.parametrize("error", ["E  ", "E0", "Exx", "E000"])
def test_an_error_field_that_is_not_e00_is_an_error(error: str) -> None:
    found = result(error, "S120", "D 80")
    assert {sample.reason for sample in found.values()} == {"device_fault"}


def test_a_later_field_can_not_overrule_an_error() -> None:
    assert result("E44", "S120", "D 80", "E00")["bp.systolic"].reason == "movement"


def test_a_result_without_an_error_field_is_not_believed() -> None:
    text = "TM2657\x1e2607110905\x1eRB\x1eM\x1eS120\x1eD 80"
    assert isinstance(and_tm265x.decode(text.encode()), Discard)


def test_small_tags_are_other_fields() -> None:
    found = result("E00", "S120", "D 80", "p199", "m0", "d 55", "s 44")
    assert {channel: sample.value for channel, sample in found.items()} == {
        "bp.systolic": 120,
        "bp.diastolic": 80,
    }


def test_a_pulse_that_was_not_found_leaves_the_pressures_good() -> None:
    found = result("E00", "S120", "D 80", "P   ")
    assert found["bp.systolic"].quality is Quality.GOOD
    assert found["pulse.rate"].value is None
    assert found["pulse.rate"].quality is Quality.BAD


@pytest.mark.parametrize("missing", ["S   ", "S12x", "z"])
def test_a_systolic_that_is_blank_odd_or_absent_is_bad_and_not_invented(missing: str) -> None:
    found = result("E00", missing, "D 80")["bp.systolic"]
    assert (found.value, found.quality) == (None, Quality.BAD)


def test_movement_during_a_good_measurement_makes_it_uncertain() -> None:
    found = result("E00", "S120", "D 80", "m2")
    assert {sample.quality for sample in found.values()} == {Quality.UNCERTAIN}
    assert {sample.reason for sample in found.values()} == {"movement"}


@pytest.mark.parametrize(
    ("channel", "low", "high"),
    [
        ("bp.systolic", 60, 280),
        ("bp.diastolic", 30, 200),
        ("pulse.rate", 30, 220),
    ],
)
def test_the_limits_of_what_is_plausible_belong_to_it(channel: str, low: int, high: int) -> None:
    tag = {"bp.systolic": "S", "bp.diastolic": "D", "pulse.rate": "P"}[channel]
    figures = {"S": 279, "D": 31, "P": 70}
    for value, is_good in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
        fields = (f"{t}{v:3}" for t, v in (figures | {tag: value}).items())
        sample = result("E00", *fields)[channel]
        assert (sample.value, sample.quality is Quality.GOOD) == (value, is_good)
        assert sample.reason == ("" if is_good else "implausible")


def test_diastolic_at_or_over_systolic_spoils_both() -> None:
    found = result("E00", "S 80", "M 80", "D 80", "P 70")
    spoiled = {channel for channel, sample in found.items() if sample.reason == "implausible"}
    assert spoiled == {"bp.systolic", "bp.diastolic", "bp.mean"}


@pytest.mark.parametrize("stamp", ["2602310905", "2607112405", "260711090", "26071109xx", ""])
def test_an_impossible_time_costs_only_the_time(stamp: str) -> None:
    found = message("E00", "S120", "D 80", stamp=stamp)
    assert found.device_time is None
    assert found.samples[0].quality is Quality.GOOD


def test_the_time_is_the_centres_local_time() -> None:
    assert message("E00", "S120", "D 80").device_time == datetime(2026, 7, 11, 9, 5)  # noqa: DTZ001


@pytest.mark.parametrize("digit", [chr(code) for code in range(0x20, 0x7F)])
def test_omrons_last_character_never_rejects(digit: str) -> None:
    found = omron(f"bp,{'9' * 20},2026/07/11,09:05,120,095,080,070,{digit}")
    assert {sample.quality for sample in found.values()} == {Quality.GOOD}


def test_omrons_mean_comes_before_the_diastolic() -> None:
    found = omron(f"bp,{'9' * 20},2026/07/11,09:05,120,095,080,070,0")
    assert (found["bp.mean"].value, found["bp.diastolic"].value) == (95, 80)


@pytest.mark.parametrize(
    "line",
    [
        f"bp,{'9' * 19},2026/07/11,09:05,120,095,080,070,0",
        f"bp,{'9' * 20},2026/07/11,09:05,+20,095,080,070,0",
        f"bp,{'9' * 20},2026/07/11,09:05,120,095,080,070",
        f"bp,{'9' * 20},2026/07/11,09:05,120,095,080,0700,0",
        f"bp,{'9' * 20},26/07/11,09:05,120,095,080,070,0",
    ],
)
def test_an_omron_line_of_another_form_is_refused_whole(line: str) -> None:
    assert isinstance(omron_hbp9020.decode(line.encode()), Discard)


@pytest.mark.parametrize("driver", [and_tm265x.DRIVER, omron_hbp9020.DRIVER], ids=lambda d: d.name)
def test_a_monitor_is_only_listened_to(driver: SerialDriver) -> None:
    assert driver.polls == ()
    said = [read(driver, [line_bytes(case)]) for case in vectors()[driver.name]]
    answers = {message.after_store for events in said for message in messages(events)}
    assert answers == {None}
