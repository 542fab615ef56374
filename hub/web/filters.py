"""Which rooms the board shows: by building, floor, kind and status, as a plain GET form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request

from hub.domain.centre import Room, pick
from hub.domain.views import RoomsView
from hub.web.board import ORDER
from hub.web.page import Translate, floor, translator, word

VIEWS = ("list", "plan")
FIELDS = ("building", "floor", "kind", "status")


class Wanted(NamedTuple):
    """What the address asks for; empty means all."""

    building: str = ""
    floor: str = ""
    kind: str = ""
    status: str = ""
    view: str = "list"

    @property
    def is_all(self) -> bool:
        return not any(self[: len(FIELDS)])

    def address(self, **changed: str) -> str:
        """
        >>> Wanted(kind="gym").address(view="plan"), Wanted(kind="gym").address(kind="")
        ('/?kind=gym&view=plan', '/')
        """
        pairs = self._asdict() | changed
        if pairs["view"] == VIEWS[0]:
            pairs["view"] = ""
        query = urlencode({key: value for key, value in pairs.items() if value})
        return f"/?{query}" if query else "/"


class Choice(NamedTuple):
    """One list of the form, with what is chosen in it."""

    field: str
    label: str
    any: str
    chosen: str
    options: list[tuple[str, str]]


def wanted(request: Request, rooms: RoomsView) -> Wanted | None:
    """None where the address names something that there is not."""
    query = request.query_params
    view = query.get("view", VIEWS[0])
    asked = Wanted(**{field: query.get(field, "") for field in FIELDS}, view=view)
    known = {choice.field: dict(choice.options) for choice in choices(asked, rooms, "en", False)}
    fits = all(
        not value or value in known[field] for field, value in zip(FIELDS, asked, strict=False)
    )
    return asked if fits and asked.view in VIEWS else None


def shown(asked: Wanted, rooms: RoomsView) -> frozenset[str]:
    """The ids of the rooms that are asked for."""
    return frozenset(
        room.id
        for room in rooms.rooms()
        if asked.building in ("", room.building)
        and asked.floor in ("", str(room.floor))
        and asked.kind in ("", room.kind)
        and asked.status in ("", rooms.state(room.id).status)
    )


def choices(asked: Wanted, rooms: RoomsView, language: str, is_short: bool = True) -> list[Choice]:
    """The lists of the form; one that has nothing to choose is left out."""
    t, here = translator(language), rooms.rooms()
    houses = {house.id: pick(house.name, language) for house in rooms.centre.buildings}
    options: dict[str, list[tuple[str, str]]] = {
        "building": [(id_, name) for id_, name in houses.items() if _any(here, id_)],
        "floor": _each(sorted({room.floor for room in here}), lambda n: floor(n, language)),
        "kind": _each(
            dict.fromkeys(room.kind for room in here), lambda k: word(f"kind.{k}", language, k)
        ),
        "status": _each(ORDER, lambda status: t(f"status.{status}")),
    }
    found = [
        Choice(field, *_words(field, t), chosen, options[field])
        for field, chosen in zip(FIELDS, asked, strict=False)
    ]
    return [one for one in found if len(one.options) > 1] if is_short else found


def _any(rooms: Sequence[Room], building: str) -> bool:
    return any(room.building == building for room in rooms)


def _each(values: Iterable[int | str], name: Callable[..., str]) -> list[tuple[str, str]]:
    return [(str(value), name(value)) for value in values]


def _words(field: str, t: Translate) -> tuple[str, str]:
    """What the list is called, and what choosing nothing in it is called."""
    return {
        "building": (t("ui.building"), t("ui.any_building")),
        "floor": (t("ui.storey"), t("ui.any_storey")),
        "kind": (t("ui.room_kind"), t("ui.any_kind")),
        "status": (t("ui.status"), t("ui.any_status")),
    }[field]
