"""``/healthz``: the process lives. ``/readyz``: it can serve. ``/metrics``: for Prometheus.

Metrics carry device ids and counts, never a value that a sensor said.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from typing import Protocol

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from hub.api.answers import answer, documented
from hub.domain.access import NOBODY, Permission
from hub.domain.device import Health
from hub.domain.views import StorageState
from hub.vitals import Vitals


class Alive(msgspec.Struct):
    status: str = "alive"


class Readiness(msgspec.Struct):
    """``ready`` or ``starting``, and what works only in part."""

    status: str
    storage: str
    links_up: list[str]
    links_down: list[str]
    clock: str = "trusted"
    """``trusted`` or ``untrusted``: nobody has set it since the machine was switched on."""


class Counts(Protocol):
    def counts(self) -> dict[Health, int]: ...


class HubCollector:
    """Reads the hub's counters when somebody asks for them."""

    def __init__(self, vitals: Vitals, devices: Counts) -> None:
        self._vitals = vitals
        self._devices = devices

    def collect(self) -> Iterator[Metric]:
        yield from self._heard()
        health = GaugeMetricFamily("linli_devices", "Devices by health.", labels=["health"])
        for verdict, count in self._devices.counts().items():
            health.add_metric([verdict.value], count)
        yield health
        yield from self._machine()

    def _heard(self) -> Iterator[Metric]:
        intake = self._vitals.intake
        yield CounterMetricFamily("linli_messages", "Messages understood.", value=intake.messages)
        personal = CounterMetricFamily(
            "linli_personal_dropped", "Messages with personal channels, counted and dropped."
        )
        personal.add_metric([], intake.personal_dropped)
        yield personal
        yield CounterMetricFamily(
            "linli_readings_refused",
            "Readings of a device that has too many channels.",
            value=intake.refused,
        )
        discards = CounterMetricFamily(
            "linli_discards", "Frames that could not be read.", labels=["device", "reason"]
        )
        for (device, reason), count in intake.discards.items():
            discards.add_metric([device, reason], count)
        yield discards

    def _machine(self) -> Iterator[Metric]:
        vitals = self._vitals
        state = vitals.storage()
        yield GaugeMetricFamily(
            "linli_storage_failing", "1 while nothing can be written.", _flag(state)
        )
        yield GaugeMetricFamily(
            "linli_storage_in_memory", "Changes that wait for the disk.", state.in_memory
        )
        yield CounterMetricFamily(
            "linli_storage_commits", "Transactions written.", value=vitals.commits()
        )
        yield CounterMetricFamily("linli_storage_lost", "Changes dropped.", value=state.lost)
        trusted = int(vitals.is_time_trusted())
        yield GaugeMetricFamily("linli_clock_trusted", "0 until the time is known.", trusted)
        yield CounterMetricFamily(
            "linli_clock_set", "Times the clock was set by over 2 s.", value=vitals.clock_set
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        yield GaugeMetricFamily("linli_memory_peak_bytes", "Largest resident size.", peak)


def _flag(state: StorageState) -> int:
    return int(state.failing_since_ms is not None)


def routes(vitals: Vitals) -> APIRouter:
    router = APIRouter(tags=["probes"])

    @router.get("/healthz", responses=documented(Alive))
    async def healthz() -> Response:
        """The process lives and its event loop turns."""
        return answer(Alive())

    @router.get(
        "/readyz", responses=documented(Readiness, on_503="It starts up, or is going down.")
    )
    async def readyz(request: Request) -> Response:
        """It can serve. A full disk or a lost broker is told here and does not make it unready.

        Which links are up or down is told to who may see devices; to others the lists are empty.
        """
        principal = getattr(request.state, "principal", NOBODY)
        may_see = principal.may(Permission.DEVICES) or principal.may(Permission.OPERATION)
        links_up, links_down = vitals.intake.links_up, vitals.links_down()
        failing = vitals.storage().failing_since_ms is not None
        document = Readiness(
            "ready" if vitals.is_ready else "starting",
            "failing" if failing else "ok",
            sorted(links_up) if may_see else [],
            sorted(links_down) if may_see else [],
            "trusted" if vitals.is_time_trusted() else "untrusted",
        )
        response = answer(document)
        response.status_code = 200 if vitals.is_ready else 503
        return response

    @router.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Counters in Prometheus' text format."""
        return Response(generate_latest(vitals.registry), media_type=CONTENT_TYPE_LATEST)

    return router
