"""A real hub in a process of its own, asked over HTTP like anybody else would.

    async with RunningHub(tmp_path, config) as hub:
        status = await hub.get("/api/v1/status")

``kill`` is a power cut as far as the process is concerned; ``start`` brings it back on its data.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.broker import free_port

READY_WITHIN_S = 20.0
ANSWER_WITHIN_S = 20.0


def config(port: int, broker: int | None, rest: str, inflight: int = 20) -> str:
    """A trial centre on loopback; ``rest`` adds rooms, doors and devices."""
    mqtt = f"mqtt: {{host: 127.0.0.1, port: {broker}, inflight: {inflight}}}\n" if broker else ""
    return (
        "centre: {id: trial, name: {en: Trial, zh-CN: 试用}, timezone: Asia/Shanghai}\n"
        f"http: {{host: 127.0.0.1, port: {port}}}\n"
        f"access: {{open: true}}\n{mqtt}{rest}"
    )


class RunningHub:
    """``linli run`` on a free port."""

    def __init__(
        self, folder: Path, rest: str, broker: int | None = None, inflight: int = 20
    ) -> None:
        self.port = free_port()
        self.data = folder / "data"
        self.log = folder / "hub.log"
        self._config = folder / "centre.yaml"
        self._config.write_text(config(self.port, broker, rest, inflight))
        self.command = ["-m", "hub.cli", "run", "--config", str(self._config)]
        self.command += ["--data", str(self.data)]
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", timeout=ANSWER_WITHIN_S
        )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.client.aclose()
        if self._process is not None:
            self.kill()

    async def start(self) -> None:
        """Start it and wait until it can serve."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
                [sys.executable, *self.command], stdout=log, stderr=log, env=os.environ
            )
        await self.until(self._is_ready, READY_WITHIN_S)

    async def connected(self, links: int = 1) -> None:
        """Wait until it listens to so many ports and brokers."""

        async def is_up() -> bool:
            return len((await self.get("/readyz"))["links_up"]) >= links

        await self.until(is_up)

    async def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the hub ended:\n{self.log.read_text()}"
        with contextlib.suppress(httpx.TransportError):
            return (await self.client.get("/readyz")).status_code == 200
        return False

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    async def stop(self, within_s: float = 10.0) -> float:
        """SIGTERM; how long it took, in seconds."""
        assert self._process is not None
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(self._process.wait, within_s)
        self._process = None
        assert status == 0, f"it ended with {status}:\n{self.log.read_text()}"
        return time.monotonic() - begun

    async def get(self, path: str, **params: str | int) -> Any:
        """A document of the API."""
        response = await self.client.get(path, params=params)
        assert response.status_code == 200, f"{path}: {response.status_code} {response.text}"
        return response.json()

    async def metric(self, name: str) -> float:
        """What it counts, by a name without labels."""
        lines = (await self.client.get("/metrics")).text.splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))

    async def readings(self, **params: str | int) -> list[dict[str, Any]]:
        """All pages of ``readings``."""
        items: list[dict[str, Any]] = []
        while True:
            page = await self.get("/api/v1/readings", limit=10_000, **params)
            items += page["items"]
            if page["next"] is None:
                return items
            params["cursor"] = page["next"]

    async def until(
        self, claim: Callable[[], Any], within_s: float = 10.0, every_s: float = 0.02
    ) -> Any:
        """Wait until the claim holds; what it answered."""
        end = time.monotonic() + within_s
        while True:
            found = await claim()
            if found:
                return found
            assert time.monotonic() < end, f"never within {within_s} s:\n{self.log.read_text()}"
            await asyncio.sleep(every_s)

    async def events(self, **headers: str) -> AsyncGenerator[tuple[str, str, Any], None]:
        """(name, id, document) of each server-sent event."""
        async with self.client.stream("GET", "/api/v1/events", headers=headers) as response:
            fields: dict[str, str] = {}
            async for line in response.aiter_lines():
                if not line:
                    document = json.loads(fields.get("data", "null"))
                    yield fields.get("event", ""), fields.get("id", ""), document
                    fields = {}
                    continue
                name, _, value = line.partition(": ")
                fields[name] = value
