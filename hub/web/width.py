"""How wide a text is, before anything has drawn it: Chinese characters take two columns."""

from __future__ import annotations

from unicodedata import east_asian_width

MOST_LINES = 3


def wrapped(text: str, most: int) -> list[str]:
    """A name in up to three lines; empty where that is not enough.

    >>> wrapped("Day care and rehabilitation", 16), wrapped("社区食堂", 4), wrapped("Gymnastics", 4)
    (['Day care and', 'rehabilitation'], ['社区', '食堂'], [])
    """
    lines = [""]
    for piece in _pieces(text):
        if columns(piece.strip()) > most:
            return []
        if columns((lines[-1] + piece).strip()) > most:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines] if len(lines) <= MOST_LINES else []


def columns(text: str) -> int:
    """How wide a text is: Chinese characters take two columns."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _pieces(text: str) -> list[str]:
    """Words, and single Chinese characters: what a line may end after."""
    found, word = [], ""
    for character in text:
        word += character
        if character == " " or east_asian_width(character) in "WF":
            found.append(word)
            word = ""
    return [*found, word] if word else found
