"""The status of the whole centre as bytes: put together once for each change and language."""

from __future__ import annotations

import secrets
from typing import NamedTuple

import msgspec
from starlette.types import Scope

from hub.api.answers import REVALIDATED
from hub.api.documents import AlertCounts, CentreDocument, DeviceCounts, encode, rfc3339
from hub.api.ready import Prepared, Reply, asked
from hub.api.room_board import RoomBoard
from hub.domain.centre import pick
from hub.domain.device import Health
from hub.domain.fault import AlertState
from hub.domain.views import DevicesView, FaultsView, HubView, RoomsView

FRESH_MS = 1_000  # an unchanged status is put together this often, for its ``as_of``


class _Said(NamedTuple):
    rooms: list[bytes]
    counts: DeviceCounts
    alerts: AlertCounts


class _Built(NamedTuple):
    at_ms: int
    changes: int
    said: _Said
    number: int
    """Of different things said, for the ETag."""
    answer: Prepared


class StatusBoard:
    """``rooms`` holds the documents of the rooms, which other routes answer with as well."""

    def __init__(
        self,
        board: RoomBoard,
        rooms: RoomsView,
        devices: DevicesView,
        faults: FaultsView,
        hub: HubView,
    ) -> None:
        self.rooms = board
        self._centre = rooms.centre
        self._devices = devices
        self._faults = faults
        self._hub = hub
        self._boot = secrets.token_hex(4)
        self._changes = 0
        self._built: dict[str, _Built] = {}

    def forget(self) -> None:
        """Something changed."""
        self._changes += 1

    def ready(self, scope: Scope) -> Reply | None:
        """The answer before the router; None where it asks for some rooms only."""
        found = asked(scope)
        if found is None:
            return None
        return self.answer(found.language).reply(found.known)

    def answer(self, language: str) -> Prepared:
        now_ms = self._hub.now_ms()
        built = self._built.get(language)
        if (
            built is None
            or built.changes != self._changes
            or not 0 <= now_ms - built.at_ms < FRESH_MS
        ):
            built = self._built[language] = self._build(language, now_ms, built)
        return built.answer

    def of(self, rooms: list[bytes], language: str) -> bytes:
        """The status with these rooms only."""
        return self._encoded(
            _Said(rooms, self._counts(), self._alerts()), language, self._hub.now_ms()
        )

    def _build(self, language: str, now_ms: int, before: _Built | None) -> _Built:
        said = _Said(self.rooms.documents(language), self._counts(), self._alerts())
        number = 1 if before is None else before.number + (before.said != said)
        body = self._encoded(said, language, now_ms)
        tag = f"{self._boot}-{language}-{number}"
        return _Built(now_ms, self._changes, said, number, Prepared(body, tag, REVALIDATED))

    def _counts(self) -> DeviceCounts:
        counts = self._devices.counts()
        return DeviceCounts(
            ok=counts[Health.OK],
            faulty=counts[Health.FAULTY],
            silent=counts[Health.SILENT],
            new=counts[Health.NEW],
        )

    def _alerts(self) -> AlertCounts:
        counts = self._faults.counts()
        raised, taken = (
            counts.get(state, 0) for state in (AlertState.RAISED, AlertState.ACKNOWLEDGED)
        )
        return AlertCounts(raised, taken)

    def _encoded(self, said: _Said, language: str, now_ms: int) -> bytes:
        """A ``StatusDocument`` whose rooms are bytes already."""
        return encode(
            {
                "centre": CentreDocument(self._centre.id, pick(self._centre.name, language)),
                "as_of": rfc3339(now_ms),
                "rooms": [msgspec.Raw(room) for room in said.rooms],
                "alerts": said.alerts,
                "devices": said.counts,
            }
        )
