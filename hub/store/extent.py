"""How far back the readings reach."""

from __future__ import annotations

from hub.store.reader import Question


def damaged_places(question: Question) -> int:
    """How many places cannot be read any more."""
    return next((count for (count,) in question.rows("SELECT count(*) FROM damaged", ())), 0)


def oldest_ms(question: Question) -> int | None:
    """When the oldest reading that is kept was observed; None for an empty history."""
    sql = (
        "SELECT min(first_ms) FROM"
        " (SELECT first_ms FROM chapters UNION ALL SELECT first_ms FROM log)"
    )
    return next((at_ms for (at_ms,) in question.rows(sql, ())), None)
