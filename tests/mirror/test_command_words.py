"""What `linli mirror` prints, in every language of the hub."""

from __future__ import annotations

import re
import unicodedata

import pytest

from hub.commands.mirror_words import rewound, status, table
from hub.mirror.service import State
from hub.mirror.verify import Tally
from hub.texts import LANGUAGES

TALLIES = {
    "temperature": Tally(3, 1200, 1199, 1, 0, 0, 4, 0, ["missing: room=gym 1767225600000000000"]),
    "co2": Tally(1, 7, 7, 0, 0, 0, 0, 0),
}


def mirror(state: str | None, behind: int) -> dict[str, object]:
    return {
        "id": "copy",
        "url": "http://influx",
        "state": state,
        "commits_behind": behind,
        "last_success": "2026-11-20T08:00:00Z",
        "last_error": None,
        "set_aside": [{"at_ms": 0, "line": "co2 value=1", "reason": "too old"}],
    }


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_stands_in_columns(language: str) -> None:
    head, first, example, second, verdict = table("copy", TALLIES, language)
    assert columns(head) == columns(first) == columns(second)
    assert re.findall(r"\d+", first) == ["3", "1200", "1199", "1", "0", "0", "4", "0"]
    assert example.strip().startswith("missing")
    assert "linli mirror rewind" in verdict


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", [None, *(state.value for state in State)])
def test_no_code_is_left_in_what_is_said(language: str, state: str | None) -> None:
    said = [
        *status("hub", [mirror(state, 2)], language),
        *status("database", [mirror(state, 1)], language),
        *table("copy", TALLIES, language),
        *table("copy", {"co2": TALLIES["co2"]}, language),
        *table("copy", {}, language),
        rewound("copy", None, language),
        rewound("copy", "2026-11-20T08:00:00Z", language),
    ]
    assert not [line for line in said if re.search(r"mirror\.[a-z]+\.|\{", line)]


def test_each_language_says_it_in_its_own_words() -> None:
    for what in (
        lambda language: status("hub", [mirror("waiting", 2)], language),
        lambda language: table("copy", TALLIES, language)[0],
        lambda language: table("copy", TALLIES, language)[-1],
        lambda language: rewound("copy", None, language),
    ):
        assert len({str(what(language)) for language in LANGUAGES}) == len(LANGUAGES)


def test_english_counts_one_as_one() -> None:
    said = "\n".join(status("hub", [mirror(None, 1)], "en"))
    assert "1 commit not sent" in said
    assert "1 line set aside" in said
    assert "state not known" in said
