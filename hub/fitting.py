"""From settings to parts: the constructors that need more than a line."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import aiomqtt

from edge import login
from edge.clock import Clock
from edge.service import Edge
from edge.settings import MqttSettings
from edge.supervise import LinkError
from hub import settings
from hub.access.audit import Audit
from hub.access.directory import Directory
from hub.access.service import Access
from hub.backup.service import BackupsService
from hub.bus import Bus
from hub.configuration.keeping import StorageSection
from hub.domain.centre import Centre
from hub.domain.room import Text
from hub.domain.views import CopyState, RoomsView
from hub.faults.service import FaultsService
from hub.field.discovery import counted_rooms
from hub.field.memory import Memory
from hub.field.service import FieldService
from hub.field.topics import Topics
from hub.intake import Intake
from hub.mirror.rules import Trouble
from hub.mirror.service import Mirrors, State
from hub.storage.rules import Bounds
from hub.storage.service import Card, Storage
from hub.store.retention import Keep
from hub.store.store import DATABASE, Store
from hub.timetable.service import TimetableService
from hub.vitals import Vitals

FIELD_ANSWERS_S = 5.0
FIELD_KEEPALIVE_S = 30
"""A hub whose network went away is offline to Home Assistant after one and a half times this."""
FIELD_QUEUE = 10_000  # what the broker had kept comes at once; a message is a room


class Files(NamedTuple):
    """Where the history is, and the file that describes the centre."""

    data: Path
    config: Path | None


def edge(
    config: settings.CentreSettings, place: Centre, intake: Intake, store: Store, clock: Clock
) -> Edge:
    store.live.silent_after.update({item.id: item.silent_after_ms for item in place.devices})
    return Edge(
        config.devices,
        config.mqtt,
        intake,
        clock,
        ZoneInfo(place.timezone),
        f"linli-{place.id}",
        store.known_deliveries(),
        topic_root=f"linli/{place.id}/hub",
    )


def access(
    config: settings.CentreSettings, data: Path, store: Store, clock: Clock, bus: Bus
) -> tuple[Access, Audit]:
    audit = Audit(bus, store, clock)
    directory = Directory(data / DATABASE)
    return Access(directory, store, clock, bus, is_open=config.access.open), audit


def keep(section: StorageSection) -> Keep:
    age_ms, wait_ms = (
        round(span.total_seconds() * 1000) for span in (section.keep, section.wait_for_mirrors)
    )
    return Keep(age_ms, section.max_size, wait_ms)


def backups(
    config: settings.CentreSettings, files: Files, store: Store, clock: Clock
) -> BackupsService | None:
    if config.backup is None or files.config is None:
        return None
    return BackupsService(
        config.backup,
        config.centre.id,
        files.config,
        files.data,
        clock,
        is_time_known=lambda: clock.is_trusted,
        count=store.wear.of_child,
    )


def storage(
    section: StorageSection,
    store: Store,
    data: Path,
    clock: Clock,
    mirrors: Mirrors,
    backups: BackupsService | None,
) -> Storage:
    card = Card(section.card_size, section.card_rewrites)
    bounds = Bounds(section.max_size, int(section.keep.total_seconds() * 1000))
    return Storage(store, data, card, bounds, clock.now_ms, partial(copies, mirrors, backups))


def consult(
    vitals: Vitals,
    mirrors: Mirrors,
    backups: BackupsService | None,
    faults: FaultsService,
    timetable: TimetableService,
) -> None:
    """Whom the hub asks about itself, and who wants to know that it was slow."""
    vitals.list_copies = partial(copies, mirrors, backups)
    vitals.alerts, vitals.on_lag = faults.untaken, faults.lagged
    vitals.unknown_year = timetable.unknown_year


def copies(mirrors: Mirrors, backups: BackupsService | None) -> list[CopyState]:
    """Every other place that has the history."""
    found = [
        CopyState(
            "mirror",
            mirror.id,
            mirror.last_success_ms,
            _said(mirror.trouble),
            mirror.state is State.ALARM,
        )
        for mirror in mirrors.items
    ]
    if backups is not None:
        state = backups.state
        newest = next((item for item in state.items if item.is_whole), None)
        last_ms = None if newest is None else newest.made_ms
        trouble = None if state.is_ok else state.text
        found.append(CopyState("backup", "", last_ms, trouble, trouble is not None))
    return found


def field(
    config: settings.CentreSettings, data: Path, rooms: RoomsView, store: Store, bus: Bus
) -> FieldService:
    """It has work to do also where nothing is published: to take back what once was."""
    place = rooms.centre
    section = config.publish and config.publish.homeassistant
    here = Topics(section.prefix, place.id) if section else None
    counted = counted_rooms(place, store.live.series)
    connect = partial(_client, config.mqtt, f"linli-{place.id}-field")
    return FieldService(rooms, here, Memory(data), connect, bus, counted)


async def _client(mqtt: MqttSettings, client_id: str, will: aiomqtt.Will | None) -> aiomqtt.Client:
    try:
        password = await asyncio.to_thread(login.password, mqtt)
        context = await asyncio.to_thread(login.encryption, mqtt)
    except LinkError as error:
        raise OSError(str(error)) from error
    return aiomqtt.Client(
        mqtt.host,
        mqtt.port,
        username=mqtt.username,
        password=password,
        identifier=client_id,
        will=will,
        tls_context=context,
        timeout=FIELD_ANSWERS_S,
        keepalive=FIELD_KEEPALIVE_S,
        max_queued_incoming_messages=FIELD_QUEUE,
    )


def _said(trouble: Trouble | None) -> Text | None:
    return None if trouble is None else Text(trouble.code, trouble.params)
