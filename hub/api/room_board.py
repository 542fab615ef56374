"""The document of each room, encoded once for whoever asks: REST, the event stream, the status.

They cannot disagree, because they send the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.api.documents import encode, room_document
from hub.domain.centre import Room
from hub.domain.opening import Slot
from hub.domain.room import RoomState, Text
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.web.naming import DEVICE_PARAMS, full_names, renamed

AT_MOST_MS = 10_000
"""A new day changes how a time is written, and a device's first word what it is called: nobody
tells us, so a document is written again after this time."""


class _Written(NamedTuple):
    state: RoomState
    slot: Slot
    at_ms: int
    body: bytes


class RoomBoard:
    def __init__(self, rooms: RoomsView, devices: DevicesView, hub: HubView) -> None:
        self.centre = rooms.centre
        self._rooms = rooms
        self._devices = devices
        self._hub = hub
        self._known = {device.id for device in rooms.centre.devices}
        self._by_id = {room.id: room for room in rooms.rooms()}
        self._written: dict[tuple[str, str], _Written] = {}
        self._names: dict[tuple[str, str], tuple[int, Mapping[str, str]]] = {}

    def document(self, room: str, language: str) -> bytes:
        """
        Raises:
            UnknownRoomError
        """
        state, slot = self._rooms.state(room), self._rooms.slot(room)
        now_ms = self._hub.now_ms()
        written = self._written.get((room, language))
        if (
            written is None
            or written.state is not state
            or written.slot is not slot
            or not 0 <= now_ms - written.at_ms < AT_MOST_MS
        ):
            body = self._write(self._by_id[room], state, slot, language, now_ms)
            written = self._written[room, language] = _Written(state, slot, now_ms, body)
        return written.body

    def documents(self, language: str) -> list[bytes]:
        """Of all rooms, in the order of the configuration."""
        return [self.document(room, language) for room in self._by_id]

    def _write(self, room: Room, state: RoomState, slot: Slot, language: str, now_ms: int) -> bytes:
        said = self._said(state.reasons, language, now_ms)
        return encode(room_document(room, state, slot, said, self._rooms.centre, language, now_ms))

    def _said(self, reasons: Sequence[Text], language: str, now_ms: int) -> list[Text]:
        """The reasons as people read them: devices by what they are."""
        ids = {str(r.params[name]) for r in reasons for name in DEVICE_PARAMS if name in r.params}
        names: dict[str, str] = {}
        for device in ids & self._known:
            names.update(self._named(device, language, now_ms))
        return [Text(reason.code, renamed(reason.params, names)) for reason in reasons]

    def _named(self, device: str, language: str, now_ms: int) -> Mapping[str, str]:
        known = self._names.get((device, language))
        if known is None or not 0 <= now_ms - known[0] < AT_MOST_MS:
            names = full_names([self._devices.device(device)], language)
            known = self._names[device, language] = (now_ms, names)
        return known[1]
