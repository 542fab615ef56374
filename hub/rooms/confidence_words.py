"""How sure an answer is, as a sentence of a page."""

from __future__ import annotations

from hub.rooms.confidence import PRECAUTION
from hub.web.page import translator


def confidence_words(share: float | None, language: str) -> str:
    """How often such an answer was right; empty where nobody measured it."""
    if share is None:
        return ""
    percent = f"{100 * share:.1f}".removesuffix(".0")
    code = "ui.precaution" if share < PRECAUTION else "ui.confidence"
    return translator(language)(code, percent=percent)
