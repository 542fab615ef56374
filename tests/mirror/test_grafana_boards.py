"""Each query of the boards in config/grafana, run against InfluxDB 1.6.7 on what a mirror wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from device_drivers.channels import CHANNELS
from device_drivers.contract import Quality
from hub.mirror.lines import PROBE, LineWriter
from tests.influxd import Influxd, new
from tests.mirror.making import CENTRE, NOON_MS, change, room_point
from tests.test_house import ROOT

BOARDS = sorted((ROOT / "config/grafana").glob("*.json"))
HOUR_MS = 3_600_000
MACROS = {
    "$timeFilter": f"time >= {NOON_MS - HOUR_MS}ms and time <= {NOON_MS + HOUR_MS}ms",
    "$__interval": "30s",
    "${centre:regex}": "hongmei",
    "${room:regex}": "(gym|hall)",
    "${device:regex}": "(climate|door|io8)",
    "${channel}": "temperature",
}
"""What Grafana fills in before it asks."""


def boards() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in BOARDS}


def queries(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Title and query of every panel, variable and annotation."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["query"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], annotation["query"]


CASES = [
    pytest.param(query, id=f"{name}: {title}")
    for name, board in boards().items()
    for title, query in queries(board)
]


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Generator[Influxd, None, None]:
    """An hour in the life of a centre."""
    told = [
        change(20 + at / 10, NOON_MS + at * 60_000, channel=channel.name)
        for channel in CHANNELS.values()
        if not channel.personal
        for at in range(20)
    ]
    told += [change(at % 2, NOON_MS + at, device="door", channel="contact") for at in range(9)]
    told += [
        change(at % 2, NOON_MS + at, device="io8", channel="contact", part="di2") for at in range(9)
    ]
    told.append(change(900, NOON_MS + 5, quality=Quality.BAD, reason="implausible"))
    told.append(change(21, NOON_MS + 1_800_000, gap_from_ms=NOON_MS + 1_300_000))
    rooms = [room_point("free"), room_point("in_use", NOON_MS + 60_000, 3, "hall")]
    down = room_point("unknown", NOON_MS + 900_000, None)
    rooms.append(type(down)("gym", type(down.row)(9, NOON_MS + 900_000, "free", 0, NOON_MS)))
    body = "\n".join(LineWriter(CENTRE).lines(told, rooms)).encode()
    with new(tmp_path_factory.mktemp("boards")) as running:
        assert running.request("POST", "/write?db=linli", body)[0] == 204
        yield running


@pytest.mark.parametrize("query", CASES)
def test_the_query_is_understood_and_finds_something(influxd: Influxd, query: str) -> None:
    for macro, text in MACROS.items():
        query = query.replace(macro, text)
    assert "$" not in re.sub(r"\$(?=/)", "", query), f"a macro that was not filled in: {query}"

    series = influxd.ask(query)

    assert sum(len(item["values"]) for item in series) > 0


def test_a_gap_is_shown_as_a_stretch_and_not_only_as_a_point(influxd: Influxd) -> None:
    (annotation,) = boards()["devices"]["annotations"]["list"]
    query = annotation["query"]
    for macro, text in MACROS.items():
        query = query.replace(macro, text)
    (series,) = influxd.ask(query)
    (row,) = [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]

    assert row["time"] == (NOON_MS + 1_300_000) * 1_000_000
    assert row[annotation["timeEndColumn"]] == NOON_MS + 1_800_000
    assert row[annotation["textColumn"]] == 500


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_can_be_imported_on_any_grafana(path: Path) -> None:
    board = json.loads(path.read_text(encoding="utf-8"))

    assert board["schemaVersion"] >= 36  # Grafana 9 and later
    assert "id" not in board
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    first = board["templating"]["list"][0]
    assert (first["name"], first["type"], first["query"]) == (
        "datasource",
        "datasource",
        "influxdb",
    )
    sources = re.findall(r'"uid": "(?!linli)([^"]*)"', path.read_text(encoding="utf-8"))
    assert set(sources) == {"${datasource}"}
    assert PROBE not in {panel["title"] for panel in board["panels"]}


def test_panels_do_not_overlap() -> None:
    for board in boards().values():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert not taken & cells
            assert max(x for x, _ in cells) < 24
            taken |= cells


def test_no_query_averages_changes_as_if_they_were_samples() -> None:
    """A value that held for an hour and one that held for a second are one change each."""
    assert [
        query for board in boards().values() for _, query in queries(board) if "mean(" in query
    ] == []
