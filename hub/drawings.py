"""Floor plans from their files: what is wrong with one costs its floor the drawing, and no more.

A room's status is worth more than its picture: the hub starts without a drawing that cannot be
read, and draws a plain one. ``linli check-config`` and the log say what to mend.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hub.configuration.models import CentreSettings, PlanSettings
from hub.configuration.problems import Place, Problem
from hub.domain.centre import Centre
from hub.web.drawing import MAX_BYTES, Drawing, DrawingError, read
from hub.web.plan import Drawings

log = logging.getLogger(__name__)


class Found(NamedTuple):
    drawings: Drawings
    notes: list[Problem]


def load(config: CentreSettings, place: Centre) -> Drawings:
    """For the running hub: what is wrong goes to its log."""
    drawings, notes = examine(config, place)
    for note in notes:
        log.warning("%s", note)
    return drawings


def examine(config: CentreSettings, place: Centre) -> Found:
    """Every plan that can be drawn, and all that is to be said about them."""
    drawings: dict[tuple[str, int], Drawing] = {}
    notes: list[Problem] = []
    for plan in config.plans:
        building = plan.building or place.buildings[0].id
        rooms = [r.id for r in place.rooms if (r.building, r.floor) == (building, plan.floor)]
        try:
            drawing = read(_bytes(plan), rooms)
        except DrawingError as error:
            notes.append(Problem(error.code, Place(plan.file), {**error.params}))
        else:
            drawings[building, plan.floor] = drawing
            notes += _remarks(plan, drawing, rooms)
    return Found(drawings, notes)


def _bytes(plan: PlanSettings) -> bytes:
    """
    Raises:
        DrawingError: it is not there, or may not be read.
    """
    try:
        with Path(plan.file).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise DrawingError("plan_unreadable", detail=detail) from error


def _remarks(plan: PlanSettings, drawing: Drawing, rooms: list[str]) -> Iterator[Problem]:
    missing = [room for room in rooms if room not in drawing.boxes]
    if missing:
        yield Problem("plan_room_missing", Place(plan.file), {"rooms": ", ".join(missing)})
    if drawing.strangers:
        names = ", ".join(drawing.strangers[:20])
        yield Problem("plan_shape_unknown", Place(plan.file), {"names": names})
