"""Every code has a sentence in every language, with the same parameters, and is used."""

from __future__ import annotations

import ast
import logging
import re
import string
from pathlib import Path

import pytest

from hub import texts
from hub.configuration.problems import wording
from hub.domain.device import Health
from hub.domain.room import Status, Text
from hub.texts import LANGUAGES, catalogue, clock, negotiate, render

HUB = Path(texts.__file__).parent
SHANGHAI = "Asia/Shanghai"
NOON_MS = 1_795_320_000_000  # 2026-11-22 12:00 in Shanghai

REASONS = [
    "door_open",
    "door_shut",
    "motion",
    "no_motion",
    "still_person",
    "radar_present",
    "radar_clear",
    "count",
    "count_zero",
    "count_not_rezeroed",
    "door_opened_after_motion",
    "no_sensor",
    "no_proof_kind",
    "doors_unknown",
    "not_heard_since_start",
    "stale",
    "silent",
    "bad",
    "retained",
    "queued",
    "link_lost",
    "parent_down",
    "sensor_out",
    "disagree",
    "over_capacity",
    "waiting_for_proof",
    "closed_hours",
    "would_help_door",
    "would_help_radar",
    "saw_nobody_pass",
    "part_not_covered",
    "doors_uncounted",
    "count_adrift",
    "counter_zeroed",
    "present_while_closed",
    "open_while_closed",
    "would_help_look",
    "would_help_repair",
    "would_help_whole_room",
    "looked_empty",
    "looked_people",
    "override_closed",
]
KINDS = [
    "health_cabin",
    "canteen",
    "reading_room",
    "lecture_hall",
    "gym",
    "children",
    "day_care",
    "meeting",
    "living_room",
    "service_hall",
    "workshop",
    "corridor",
    "refuse",
    "storage",
]
LINKS = [
    "gone",
    "held",
    "refused_settings",
    "refused",
    "not_authorised",
    "unreachable",
    "heartbeat_lost",
]

NEEDED = [
    *REASONS,
    *(f"status.{status}" for status in Status),
    *(f"health.{health}" for health in Health),
    *(f"quality.{quality}" for quality in ("good", "uncertain", "bad")),
    *(f"kind.{kind}" for kind in KINDS),
    *(f"link.{link}" for link in LINKS),
]


def holes(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def codes_made() -> set[str]:
    """Every ``Text("...")`` and ``doubt("...")`` in the hub's own code."""
    found = set()
    for path in HUB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in ("Text", "doubt"):
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_needed_code_lacks_a_sentence(language: str) -> None:
    missing = {code for code in NEEDED if not catalogue(language).get(code, ("",))[0].strip()}
    assert missing == set()


def test_all_languages_have_the_same_codes() -> None:
    first, *others = (set(catalogue(language)) for language in LANGUAGES)
    for other in others:
        assert other ^ first == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_parameter_is_lost_or_added_in_translation(language: str) -> None:
    for code, forms in catalogue(language).items():
        expected = holes(catalogue("en")[code][-1])
        assert all(holes(form) == expected for form in forms), code


def test_every_code_the_hub_makes_has_a_sentence() -> None:
    made = codes_made()
    assert {"over_capacity", "silent"} <= made  # the search itself works
    assert made - set(catalogue("en")) == set()


def test_no_sentence_of_the_pages_is_dead() -> None:
    sources = [*HUB.rglob("*.html"), *HUB.rglob("*.py")]
    used = "\n".join(path.read_text() for path in sources)
    dead = {
        code
        for code in catalogue("en")
        if code.startswith("ui.")
        and f'"{code}"' not in used
        and f"'{code}'" not in used
        and not code.startswith(("ui.summary.", "ui.view_"))
        and code not in ("ui.board", "ui.devices", "ui.wall")  # the menu builds these
    }
    assert dead == set()


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW"])
def test_chinese_sentences_are_chinese(language: str) -> None:
    plain = {
        code: forms[0]
        for code, forms in catalogue(language).items()
        if not re.search(r"[\u4e00-\u9fff]", forms[0])
    }
    assert set(plain) <= {
        "ui.people_of",
        "ui.comma",
        "ui.colon",
        "ui.pair",
        "ui.device_named",
        "ui.device_alone",
        "ui.room_at",
        "ui.link_why",
    }


@pytest.mark.parametrize(
    ("language", "hub", "gateway"), [("zh-CN", "中枢", "网关"), ("zh-TW", "中樞", "閘道")]
)
def test_the_hub_has_one_name_and_a_gateway_is_something_else(
    language: str, hub: str, gateway: str
) -> None:
    """A gateway stands between a wire and us; who is told to restart it must find the right box."""
    spoken = said(language)
    for code, english in said("en").items():
        assert (gateway in spoken[code]) == ("gateway" in english.lower()), code
        if hub in spoken[code]:
            assert re.search(r"\bhub\b", english.lower()), code


def said(language: str) -> dict[str, str]:
    """Every sentence of pages, of commands and of the check of a configuration."""
    pages = {code: " ".join(forms) for code, forms in catalogue(language).items()}
    return pages | {code: " ".join(words.values()) for code, words in wording(language).items()}


def test_a_time_is_the_centres_own() -> None:
    motion = Text("motion", {"device": "gym-pir", "time": NOON_MS})
    assert render(motion, "en", SHANGHAI, NOON_MS) == "Motion, 12:00 (gym-pir)"
    assert render(motion, "en", "Europe/Berlin", NOON_MS) == "Motion, 05:00 (gym-pir)"


def test_a_time_of_another_day_says_which() -> None:
    silent = Text("silent", {"device": "gym-pir", "time": NOON_MS})
    tomorrow = NOON_MS + 24 * 3_600_000
    assert render(silent, "en", SHANGHAI, tomorrow) == "gym-pir silent since 22 Nov 12:00"
    assert "11月22日 12:00" in render(silent, "zh-CN", SHANGHAI, tomorrow)


def test_a_time_of_another_year_says_which() -> None:
    """Closed until 22 Nov would read as today, a year before."""
    until = NOON_MS + 365 * 24 * 3_600_000
    assert clock(until, "en", SHANGHAI, NOON_MS) == "22 Nov 2027 12:00"
    assert clock(until, "zh-TW", SHANGHAI, NOON_MS) == "2027年11月22日 12:00"


def test_never_is_not_1970() -> None:
    silent = Text("silent", {"device": "gym-pir", "time": 0})
    assert render(silent, "en", SHANGHAI, NOON_MS) == "gym-pir silent since the start"


def test_english_counts() -> None:
    assert render(Text("ui.people", {"people": 1}), "en") == "1 person"
    assert render(Text("ui.people", {"people": 2}), "en") == "2 people"


def test_the_reason_inside_a_reason_is_translated() -> None:
    bad = Text("bad", {"device": "d", "reason": "out_of_range"})
    assert render(bad, "zh-TW") == "d 的資料不可用：超出範圍"


def test_an_unknown_code_costs_one_log_line_and_not_the_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert render(Text("never_heard_of_it"), "en") == "never_heard_of_it"
        render(Text("never_heard_of_it"), "en")
    assert len([r for r in caplog.records if "never_heard_of_it" in r.getMessage()]) == 1


def test_a_missing_parameter_reads_as_a_dash() -> None:
    assert render(Text("link_lost"), "en") == "Connection to – lost"


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "language"),
    [
        (None, None, None, "zh-CN"),
        ("en", "zh-TW", "zh-CN", "en"),
        (None, "zh-TW", "en", "zh-TW"),
        (None, None, "en-US,en;q=0.9", "en"),
        (None, None, "zh-HK", "zh-TW"),
        (None, None, "zh-Hans-HK", "zh-CN"),
        (None, None, "de, en;q=0.5, zh;q=0.4", "en"),
        (None, None, "en;q=0, zh-TW", "zh-TW"),
        (None, None, "en;q=x, ,;;", "zh-CN"),
        ("klingon", "elvish", "en", "en"),
    ],
)
def test_the_reader_gets_the_language_he_asked_for(
    asked: str | None, cookie: str | None, accepted: str | None, language: str
) -> None:
    assert negotiate(asked, cookie, accepted) == language
