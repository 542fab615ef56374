"""How far back the readings reach."""

from __future__ import annotations

from hub.store.reader import Question


def oldest_ms(question: Question) -> int | None:
    """When the oldest reading that is kept was observed; None for an empty history."""
    sql = (
        "SELECT min(first_ms) FROM"
        " (SELECT first_ms FROM chapters UNION ALL SELECT first_ms FROM log)"
    )
    return next((at_ms for (at_ms,) in question.rows(sql, ())), None)
