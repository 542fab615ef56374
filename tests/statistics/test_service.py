"""From what a real hub found to figures, a table and an answer."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.hub_in_haste import HastyHub

CENTRE = """
buildings:
  - {id: main, name: {en: "=Main", zh-CN: 主楼}}
rooms:
  - {id: gym, name: {en: Gym, zh-CN: 健身房}, floor: 4, kind: gym, capacity: 20}
devices:
  - {id: eye, driver: ld2410, room: gym, link: {serial: "socket://127.0.0.1:9"}}
"""


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[HastyHub]:
    async with HastyHub(tmp_path, CENTRE, None, 200.0) as running:
        yield running


async def test_a_lost_port_is_counted_in_its_building(hub: HastyHub) -> None:
    async def is_counted() -> Any:
        return (await hub.get("/api/v1/statistics", days=90))["whole"]["found"]

    await hub.until(is_counted, 20)
    found = await hub.get("/api/v1/statistics", days=90)
    (kind,), (building,), (cell,) = found["by_kind"], found["by_building"], found["cells"]
    assert (kind["kind"], building["building"]) == ("link_down", "main")
    assert (cell["kind"], cell["building"]) == ("link_down", "main")
    assert (cell["found"], cell["solved"], cell["repaired_after_s"]) == (1, 0, None)
    assert cell["detected_after_s"] >= 30, "it is held for as long"
    assert found["reports"] == {"answered": 0, "unanswered": 0, "answered_after_s": None}

    table = await hub.client.get("/statistics.csv?days=90&lang=en")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    head, row = csv.reader(io.StringIO(table.text.removeprefix("\ufeff")))
    assert head[:3] == ["Building", "Kind", "Found"]
    assert row[:4] == ["'=Main", "Connection lost", "1", "0"], "a name is no formula"
    assert row[-1] == ""


async def test_other_spans_are_refused(hub: HastyHub) -> None:
    assert (await hub.client.get("/statistics?days=31")).status_code == 404
    assert (await hub.client.get("/statistics.csv?days=x")).status_code == 404
    assert (await hub.client.get("/api/v1/statistics?days=31")).status_code == 422
