"""Debian's VictoriaMetrics, which takes InfluxDB 2's write request too, in its own way.

It keeps milliseconds and numbers only, drops bad lines without a word, checks no token, and its 204
comes before anything is on disk: what it acknowledged in its last seconds is gone after a kill.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from tests.serving import Server, executable


class Victoria(Server):
    """A single node that takes equal samples of one millisecond for one."""

    ready = "/health"

    def command(self) -> Sequence[str]:
        return (
            executable("victoria-metrics", "victoria-metrics"),
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={self.folder / 'data'}",
            "-dedup.minScrapeInterval=1ms",
            "-retentionPeriod=100y",
        )

    def values(self, metric: str) -> dict[int, float]:
        """Milliseconds to value, of all series of one name."""
        self.get("/internal/force_flush")
        match = quote(f'{{__name__="{metric}"}}')
        status, body = self.get(f"/api/v1/export?match[]={match}&start=0&end=4102444800")
        assert status == 200, body
        found: dict[int, float] = {}
        for line in body.decode().splitlines():
            series = json.loads(line)
            rows = dict(zip(series["timestamps"], series["values"], strict=True))
            assert len(rows) == len(series["timestamps"])
            found |= rows
        return found
