"""A real InfluxDB 2.x or 3.x, where one is given:

    LINLI_TEST_INFLUX_URL=http://10.0.0.5:8086 LINLI_TEST_INFLUX_TOKEN=... \\
    LINLI_TEST_INFLUX_ORG=... LINLI_TEST_INFLUX_BUCKET=... make test ARGS="-k real_influxdb"

The token needs to read and write that bucket. Points are written under a centre of their own name
and stay there. Debian has no such server, so without it these tests are skipped, and say so.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from hub.mirror.inquiry import Inquiry, Range
from hub.mirror.lines import LineWriter
from hub.mirror.service import Mirror, State
from hub.mirror.sink import Sink
from hub.store.outbox import MirrorCursor
from tests.mirror.making import (
    CENTRE,
    NOON_MS,
    MemorySource,
    change,
    changes,
    mirror_settings,
    room_point,
)
from tests.mirror.trial import NOW

NAMES = ("URL", "TOKEN", "ORG", "BUCKET")
GIVEN = {name: os.environ.get(f"LINLI_TEST_INFLUX_{name}", "") for name in NAMES}
MISSING = [f"LINLI_TEST_INFLUX_{name}" for name in NAMES if not GIVEN[name]]

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"no real InfluxDB 2 or 3 was tried: set {', '.join(MISSING)}"
)


async def test_everything_arrives_also_when_it_is_sent_twice(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(GIVEN["TOKEN"])
    settings = mirror_settings(
        GIVEN["URL"], org=GIVEN["ORG"], bucket=GIVEN["BUCKET"], token_file=str(token_file)
    )
    name = f"linli-test-{secrets.token_hex(4)}"
    centre = type(CENTRE)(
        name, CENTRE.name, CENTRE.timezone, CENTRE.buildings, CENTRE.rooms, CENTRE.doors,
        CENTRE.devices,
    )  # fmt: skip
    odd = [change(1, tie=1), change('a "b" \\c', channel="mode"), change(None, channel="co2")]
    told = [*changes(3_000), *odd]
    source = MemorySource(told)
    source.commits.append(((), (room_point("in_use", people=2),)))
    sink = Sink(settings)
    mirror = Mirror(settings, centre, source, NOW, sink)
    for _ in range(2):
        source.cursor = MirrorCursor()
        while source.cursor.commit < len(source.commits):
            await mirror.step()
            assert mirror.state in (State.OK, State.CATCHING_UP), mirror.trouble
    await mirror.close()

    writer = LineWriter(centre)
    points = [writer.point(item) for item in told]
    inquiry, within = Inquiry(settings, GIVEN["TOKEN"]), Range(name, NOON_MS - 1, NOON_MS + 10**7)
    version = inquiry.version()
    for measurement in {point.measurement for point in points}:
        wanted: dict[int, dict[str, float | str]] = {
            point.at_ns: point.fields for point in points if point.measurement == measurement
        }
        (found,) = inquiry.series(version, measurement, within).values()
        assert found == wanted
    assert source.rejected == []
