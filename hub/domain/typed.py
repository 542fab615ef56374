"""What people type, before it is kept."""

from __future__ import annotations


def one_line(text: str) -> str:
    """The words of a text, with one blank between them.

    Control characters go, and the marks that turn the order of what follows: they would reach
    pages, records and terminals far from where they were typed.

    >>> one_line(" wet\\n floor\\x1b[31m \\u202e")
    'wet floor [31m'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
