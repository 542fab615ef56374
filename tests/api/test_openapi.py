"""The OpenAPI document: every route of the API is in it, and real answers fit what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from hub.access.api import AuditDocument
from hub.access.routes import RULES
from hub.api import documents
from hub.api.alert_documents import AlertDocument, FaultDocument
from hub.api.examples import NoWordError, example
from hub.api.order_documents import OrderDocument
from hub.api.probes import Alive, Readiness
from hub.backup.api import BackupsDocument
from hub.devices.api import ReadingsDocument
from hub.domain.access import Permission, Role
from hub.faults.night_api import NightDocument
from hub.maintenance.api import ReportDocument
from hub.notify.api import NotificationsDocument
from hub.rooms.availability import AvailabilityDocument
from hub.rooms.explain_api import ExplainedDocument
from hub.rooms.override_api import OverrideDocument
from hub.statistics.api import StatisticsDocument
from hub.storage.api import StorageDocument
from hub.timetable.api import SlotDocument
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
    "/api/v1/availability": AvailabilityDocument,
    "/api/v1/rooms": documents.Page[documents.RoomDocument],
    "/api/v1/rooms/{room}": documents.RoomDocument,
    "/api/v1/rooms/{room}/history": documents.Page[documents.HistoryDocument],
    "/api/v1/rooms/{room}/overrides": documents.Page[OverrideDocument],
    "/api/v1/rooms/{room}/explain": ExplainedDocument,
    "/api/v1/timetable": documents.Page[SlotDocument],
    "/api/v1/devices": documents.Page[documents.DeviceDocument],
    "/api/v1/devices/{device}": documents.DeviceDocument,
    "/api/v1/faults": documents.Page[FaultDocument],
    "/api/v1/alerts": documents.Page[AlertDocument],
    "/api/v1/nights": documents.Page[NightDocument],
    "/api/v1/work-orders": documents.Page[OrderDocument],
    "/api/v1/reports": documents.Page[ReportDocument],
    "/api/v1/notifications": NotificationsDocument,
    "/api/v1/statistics": StatisticsDocument,
    "/api/v1/storage": StorageDocument,
    "/api/v1/backups": BackupsDocument,
    "/api/v1/mirrors": documents.Page[documents.MirrorDocument],
    "/api/v1/readings": ReadingsDocument,
    "/api/v1/audit": documents.Page[AuditDocument],
}
SUMS: dict[str, Any] = {
    "/api/v1/rooms/gym/history?step=hour": documents.Page[documents.HistoryDocument],
    "/api/v1/readings?device=eye&channel=presence&step=day": documents.Page[
        documents.SummaryDocument
    ],
}
NO_DOCUMENT = {
    "/metrics",
    "/api/v1/events",
    "/api/v1/rooms/{room}/overrides/{number}",
    "/api/v1/faults/{number}",
    "/api/v1/alerts/{number}",
    "/api/v1/alerts/{number}/acknowledge",
    "/api/v1/alerts/{number}/shelve",
    "/api/v1/alerts/{number}/unshelve",
    "/api/v1/alerts/{number}/assign",
    "/api/v1/work-orders/{number}",
    "/api/v1/work-orders/{number}/done",
    "/api/v1/work-orders/{number}/confirm",
    "/api/v1/work-orders/{number}/comment",
    "/api/v1/work-orders/{number}/assign",
    "/api/v1/work-orders/{number}/cancel",
}
PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")


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
        every_answer_has_an_example_that_fits(schema)
        everybody_knows_who_may_ask(schema)


def operations(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def every_answer_has_an_example_that_fits(schema: Mapping[str, Any]) -> None:
    for name, operation in operations(schema):
        for status, said in operation["responses"].items():
            for kind, content in said.get("content", {}).items():
                if "json" not in kind:
                    continue
                assert "example" in content, (name, status)
                whole = {**content["schema"], "components": schema["components"]}
                jsonschema_rs.validate(whole, content["example"])
        for parameter in operation.get("parameters", ()):
            is_plain = parameter["name"] in ("cursor",)
            assert is_plain or "example" in parameter, (name, parameter["name"])


def everybody_knows_who_may_ask(schema: Mapping[str, Any]) -> None:
    told = dict(operations(schema))
    expected = {
        f"{method} {path}": permission
        for (method, path), permission in RULES.items()
        if path.startswith(PROGRAMS)
    }
    assert told.keys() == expected.keys()
    for name, permission in expected.items():
        is_public = permission is Permission.PUBLIC
        assert bool(told[name]["security"]) is not is_public
        assert ("401" in told[name]["responses"]) is not is_public
        assert (Role.ADMIN.value in told[name]["x-roles"]) is not is_public
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "cookie"}


def test_a_new_field_needs_its_word() -> None:
    class Strange(msgspec.Struct):
        never_heard_of: int

    _, shapes = msgspec.json.schema_components([Strange])
    with pytest.raises(NoWordError, match=r"Strange\.never_heard_of"):
        example(shapes["Strange"], shapes)
