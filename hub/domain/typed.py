"""What people type, before it is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

MAX_NAME = 40
_NAME = re.compile(r"[^\W_][\w.-]*")

Offered = Callable[[], Iterable[str]]
"""Names of people who may be given something to do."""


def one_line(text: str) -> str:
    """The words of a text, with one blank between them.

    Control characters go, and the marks that turn the order of what follows: they would reach
    pages, records and terminals far from where they were typed.

    >>> one_line(" wet\\n floor\\x1b[31m \\u202e")
    'wet floor [31m'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def clean_name(text: str) -> str | None:
    """The one spelling of a name, or None where it cannot be one.

    Letters of any script, digits, dots, hyphens and underscores. A colon never: tokens and screens
    are told apart from people by one.

    >>> clean_name(" Li.Na "), clean_name("王芳"), clean_name("token:x"), clean_name("")
    ('li.na', '王芳', None, None)
    """
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    return name if len(name) <= MAX_NAME and _NAME.fullmatch(name) else None


def somebody(text: str, offered: Iterable[str]) -> str:
    """Whose name was typed: one that is offered in its one spelling, another one as it is.

    >>> somebody(" Li.Na", ["li.na"]), somebody("Mr Wu of the electricians", ["li.na"])
    ('li.na', 'Mr Wu of the electricians')
    """
    name = clean_name(text)
    return name if name is not None and name in offered else one_line(text)
