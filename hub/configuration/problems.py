"""What is wrong with a configuration, where, and what to do about it.

A problem is a code with parameters (the wording is in words/*.toml, one file per language), so the
terminal, `--json` and later a page can all say it in their own way.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import NamedTuple

LANGUAGES = ("en", "zh-CN", "zh-TW")
Param = str | int


class Place(NamedTuple):
    """Where something stands; line and column count from 1, and are 0 for a whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    code: str
    place: Place
    params: dict[str, Param] = field(default_factory=dict)
    guess: str = ""
    """What was probably meant."""

    def what(self, language: str = "en") -> str:
        """What is wrong, and what that means."""
        return wording(language)[self.code]["what"].format_map(self.params)

    def remedy(self, language: str = "en") -> str:
        """What to do."""
        if self.guess:
            return wording(language)["did_you_mean"]["remedy"].format(guess=self.guess)
        return wording(language)[self.code]["remedy"].format_map(self.params)

    def text(self, language: str = "en") -> str:
        """The problem in one line, as a compiler would print it."""
        space = " " if language == "en" else ""
        return f"{self.place}: {self.what(language)}{space}{self.remedy(language)}"

    def __str__(self) -> str:
        return self.text()


class SettingsError(ValueError):
    """The configuration cannot be used; nothing was started. Carries every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@cache
def wording(language: str) -> dict[str, dict[str, str]]:
    """Code to its two sentences; English for a language we do not speak."""
    tag = language if language in LANGUAGES else "en"
    path = Path(__file__).with_name("words") / f"{tag}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def near(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing.

    >>> near("bauds", ["baud", "parity"])
    'baud'
    """
    found = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""
