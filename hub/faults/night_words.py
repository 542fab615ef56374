"""A night in one paragraph, in the reader's words."""

from __future__ import annotations

from datetime import date, timedelta

from hub.domain.centre import Centre, pick
from hub.domain.room import Params, Text
from hub.faults.night import Night
from hub.texts import render

MOST_NOTES = 8


def paragraph(night: Night, centre: Centre, language: str) -> str:
    """Night of 21 to 22 November: 12 rooms quiet; hall: a door open from 22:10 to 06:30."""
    zone = centre.timezone
    names = {room.id: pick(room.name, language) for room in centre.rooms}

    def say(code: str, **params: str | int) -> str:
        return render(Text(code, dict(params)), language, zone)

    said = [say("night.quiet", count=len(night.quiet))]
    for note in night.notes[:MOST_NOTES]:
        params: Params = note.params | {"room": names.get(str(note.params["room"]), "")}
        said.append(render(Text(note.code, params), language, zone))
    if len(night.notes) > MOST_NOTES:
        said.append(say("night.more", count=len(night.notes) - MOST_NOTES))
    if night.unsure:
        rooms = say("ui.comma").join(names.get(room, room) for room in night.unsure)
        said.append(say("night.unsure", names=rooms))
    if night.watched_ms is not None:
        said.append(say("night.short", time=night.watched_ms))
    days = _days(date.fromisoformat(night.day), language)
    return say("night.of", said=say("ui.comma").join(said), **days)


def _days(morning: date, language: str) -> dict[str, str]:
    """The evening, and the morning after."""

    def words(day: date) -> str:
        month = render(Text(f"month.{day.month}"), language)
        return render(Text("time.date", {"month": month, "day": day.day}), language)

    return {"first": words(morning - timedelta(days=1)), "last": words(morning)}
