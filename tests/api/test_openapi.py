"""The OpenAPI document: every route of the API is in it, and real answers fit what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.api import documents
from hub.api.probes import Alive, Readiness
from hub.backup.api import BackupsDocument
from hub.storage.api import StorageDocument
from tests.running_hub import RunningHub

CENTRE = """
rooms:
  - {id: gym, name: {en: Gym}, floor: 4, kind: gym, capacity: 20, zones: [{id: bay}]}
devices:
  - {id: eye, driver: ld2410, room: gym, zone: bay, link: {serial: /dev/serial/by-id/none}}
"""
ANSWERS: dict[str, Any] = {
    "/healthz": Alive,
    "/readyz": Readiness,
    "/api/v1/status": documents.StatusDocument,
    "/api/v1/rooms": documents.Page[documents.RoomDocument],
    "/api/v1/rooms/{room}": documents.RoomDocument,
    "/api/v1/rooms/{room}/history": documents.Page[documents.HistoryDocument],
    "/api/v1/devices": documents.Page[documents.DeviceDocument],
    "/api/v1/devices/{device}": documents.DeviceDocument,
    "/api/v1/storage": StorageDocument,
    "/api/v1/backups": BackupsDocument,
    "/api/v1/mirrors": documents.Page[documents.MirrorDocument],
    "/api/v1/readings": documents.Page[documents.ReadingDocument],
}
SUMS: dict[str, Any] = {
    "/api/v1/rooms/gym/history?step=hour": documents.Page[documents.HistoryDocument],
    "/api/v1/readings?device=eye&channel=presence&step=day": documents.Page[
        documents.SummaryDocument
    ],
}
NO_DOCUMENT = {"/metrics", "/api/v1/events"}


@pytest.mark.parametrize("path", ANSWERS)
def test_a_document_refuses_what_is_not_declared(path: str) -> None:
    """The decoder below is strict enough to find a missing field."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b"[]", type=ANSWERS[path])


async def test_every_route_is_described_and_answers_as_described(tmp_path: Path) -> None:
    async with RunningHub(tmp_path, CENTRE) as hub:
        schema = await hub.get("/openapi.json")
        assert set(schema["paths"]) == ANSWERS.keys() | NO_DOCUMENT
        for path, document in (ANSWERS | SUMS).items():
            response = await hub.client.get(path.format(room="gym", device="eye"))
            assert response.status_code == 200, path
            found = msgspec.json.decode(response.content, type=document)
            assert msgspec.json.decode(msgspec.json.encode(found)) == response.json(), path
        known = set(schema["components"]["schemas"])
        used = set(
            re.findall(r"#/components/schemas/([\w.-]+)", msgspec.json.encode(schema).decode())
        )
        assert used <= known, "every shape that is named is described"
