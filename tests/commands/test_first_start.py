"""What the console of a new hub shows."""

from __future__ import annotations

import pytest

from hub.commands.first_start import notice, reachable
from hub.texts import LANGUAGES

CODE = "AB2D-EF3H"


@pytest.mark.parametrize(("locale", "times"), [("en_GB.UTF-8", 1), ("zh_TW", 1), ("", 3), ("C", 3)])
def test_it_says_where_to_go_and_what_to_type(locale: str, times: int) -> None:
    text = "\n".join(notice("http://127.0.0.1:8080", CODE, [], {"LANG": locale}))
    assert text.count(CODE) == text.count("http://127.0.0.1:8080/set-up") == times
    assert text.count("linli user add NAME --role admin") == times
    assert "setup." not in text
    assert max(map(len, text.splitlines())) <= 80


def test_where_no_language_is_said_each_is_spoken() -> None:
    lines = notice("http://127.0.0.1:8080", CODE, [], {})
    assert len({line for line in lines if line and CODE not in line}) == 3 * len(LANGUAGES) + 1


@pytest.mark.parametrize(
    ("address", "names", "said"),
    [
        ("https://0.0.0.0:8443", ["hub.example:443"], "https://hub.example:443"),
        ("http://::1:8080", [], "http://[::1]:8080"),
        ("http://10.0.0.9:80", [], "http://10.0.0.9:80"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(
    address: str, names: list[str], said: str
) -> None:
    assert reachable(address, names, "10.0.0.5") == said
