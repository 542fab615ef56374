"""The web application: routes of every subject behind one guard."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import NamedTuple

from fastapi import APIRouter, FastAPI

from hub import __version__, drawings
from hub.access import api as access_api
from hub.access import office_pages, pages
from hub.access.audit import Audit
from hub.access.cookies import Cookies
from hub.access.guard import Guard
from hub.access.hosts import Hosts
from hub.access.refusals import Refusals
from hub.access.routes import RULES, require_rules
from hub.access.service import Access
from hub.api import docs, events, probes
from hub.api.answers import handle_errors
from hub.api.openapi import describe
from hub.api.ready import ReadyAnswers
from hub.api.stream import Broadcaster
from hub.attending import Attended
from hub.backup import api as backup_api
from hub.backup.service import BackupsService
from hub.configuration.models import CentreSettings
from hub.devices import api as devices_api
from hub.devices import pages as devices_pages
from hub.devices.service import DevicesService
from hub.domain.access import Permission
from hub.domain.centre import Centre
from hub.faults import api as faults_api
from hub.faults import night_api
from hub.faults import pages as faults_pages
from hub.maintenance import api as maintenance_api
from hub.maintenance import life_pages, report_pages
from hub.maintenance import pages as maintenance_pages
from hub.mirror import api as mirror_api
from hub.mirror.service import Mirrors
from hub.notify import answer_pages
from hub.notify import api as notify_api
from hub.notify import pages as notify_pages
from hub.planning import Plans
from hub.rooms import api as rooms_api
from hub.rooms import availability as availability_api
from hub.rooms import (
    closing_pages,
    explain_api,
    override_api,
    override_pages,
    public_pages,
    room_page,
)
from hub.rooms import pages as rooms_pages
from hub.rooms.availability import Availability
from hub.rooms.beside import Beside
from hub.rooms.explained import explained
from hub.rooms.service import RoomsService
from hub.rooms.status import StatusBoard
from hub.statistics import api as statistics_api
from hub.statistics import pages as statistics_pages
from hub.statistics.service import StatisticsService
from hub.storage import api as storage_api
from hub.storage import pages as storage_pages
from hub.storage.service import Storage
from hub.store.store import Store
from hub.timetable import api as timetable_api
from hub.timetable import pages as timetable_pages
from hub.vitals import Vitals
from hub.web import assets, page

DESCRIPTION = (
    "Which room is free, full or in trouble, and why; which device is silent. "
    "Times are UTC. Every list is `{items, next}`. Errors are `application/problem+json`."
)


class Subjects(NamedTuple):
    """What people and programs may ask."""

    place: Centre
    store: Store
    rooms: RoomsService
    plans: Plans
    devices: DevicesService
    attended: Attended
    storage: Storage
    mirrors: Mirrors
    backups: BackupsService | None
    access: Access
    audit: Audit
    vitals: Vitals


def build(
    config: CentreSettings,
    of: Subjects,
    broadcaster: Broadcaster,
    board: StatusBoard,
    port: int,
) -> Guard:
    """Routes, pages and metrics of every subject, behind the guard.

    Raises:
        NoRuleError: a route that nobody decided about.
    """
    vitals, frame = of.vitals, page.Frame(of.place, of.vitals)
    _measure(of)
    availability = Availability(of.rooms, vitals)
    routers = [
        probes.routes(vitals),
        events.routes(broadcaster),
        rooms_api.routes(of.rooms, board, vitals),
        explain_api.routes(of.store, of.place, vitals),
        availability_api.routes(availability),
        devices_api.routes(of.devices, of.store, vitals, of.place),
        storage_api.routes(of.storage),
        mirror_api.routes(of.mirrors),
        backup_api.routes(of.backups, of.place.timezone, vitals),
        *_shown(config, of),
        *_planned(of),
        devices_pages.pages(of.devices, of.rooms, of.attended.faults, vitals, of.store),
        faults_api.routes(of.attended.faults),
        night_api.routes(of.attended.nights),
        *_told(of),
        *_mended(config, of),
        _inbox(config, of),
        storage_pages.pages(of.storage, of.place, vitals),
        access_api.routes(of.audit),
        pages.pages(of.access, frame, port),
        office_pages.pages(of.access, of.audit, frame),
        assets.routes(page.assets()),
    ]
    is_tls = config.http.tls is not None
    web = _application(routers, frame, Cookies(port).name(is_secure=is_tls))
    ready = {"/api/v1/status": board.ready, "/api/v1/availability": availability.ready}
    hosts = Hosts(config.http.names, port, is_tls=is_tls)
    return Guard(ReadyAnswers(web, ready), of.access, hosts, port, Refusals(frame.error))


def _inbox(config: CentreSettings, of: Subjects) -> APIRouter:
    """Alerts, and what the last night showed."""
    faults, nights = of.attended.faults, of.attended.nights
    shown = (of.rooms, of.devices, of.vitals, of.store)
    return faults_pages.pages(faults, nights, *shown, partial(_assignable, config, of.access))


def _measure(of: Subjects) -> None:
    """What ``/metrics`` reads."""
    registry = of.vitals.registry
    registry.register(probes.HubCollector(of.vitals, of.devices))
    registry.register(storage_api.WrittenCollector(of.store.wear))
    registry.register(mirror_api.MirrorCollector(of.mirrors))
    if of.backups is not None:
        registry.register(backup_api.BackupCollector(of.backups))


def _told(of: Subjects) -> list[APIRouter]:
    """Who is told of alerts, and how he answers."""
    notify, faults = of.attended.notify, of.attended.faults
    return [
        notify_api.routes(notify, of.vitals),
        notify_pages.pages(notify, of.vitals),
        answer_pages.pages(notify, faults, of.vitals),
    ]


def _mended(config: CentreSettings, of: Subjects) -> list[APIRouter]:
    """What is done about faults, and what people report at doors."""
    (orders, reports, lives), faults = of.attended.repairs, of.attended.faults
    outside = config.notify.public_url if config.notify else None
    offered = partial(_assignable, config, of.access)
    statistics = StatisticsService(of.place, of.store, of.vitals)
    return [
        maintenance_api.routes(orders, reports),
        maintenance_pages.pages(orders, reports, lives, faults, of.vitals, offered),
        life_pages.pages(lives, orders, faults, of.devices, of.vitals),
        report_pages.pages(reports, of.rooms, of.devices, of.vitals, outside),
        statistics_api.routes(statistics),
        statistics_pages.pages(statistics, of.vitals),
    ]


def _assignable(config: CentreSettings, access: Access) -> set[str]:
    """Accounts that may repair, and whoever can be told."""
    told = {person.id for person in config.notify.people} if config.notify else set()
    return told | access.directory.holders(Permission.REPAIR)


def _shown(config: CentreSettings, of: Subjects) -> list[APIRouter]:
    """The screens about rooms."""
    rooms, plans, vitals = of.rooms, of.plans, of.vitals
    maps = drawings.load(config, of.place)
    why = partial(explained, of.store, of.place)
    beside = Beside(plans.overrides, plans.timetable, maps, rooms.watch.zeroings, why)
    return [
        rooms_pages.pages(rooms, of.devices, vitals, beside),
        public_pages.routes(rooms, plans.timetable, vitals),
        room_page.pages(rooms, of.devices, vitals, beside),
    ]


def _planned(of: Subjects) -> list[APIRouter]:
    """What is planned for rooms, and what staff say of them."""
    rooms, (timetable, overrides), vitals = of.rooms, of.plans, of.vitals
    return [
        timetable_api.routes(timetable, vitals),
        timetable_pages.pages(timetable, vitals),
        override_api.routes(overrides, vitals),
        override_pages.pages(rooms, overrides, vitals),
        closing_pages.pages(rooms, overrides, of.devices, vitals),
    ]


def _application(routers: list[APIRouter], frame: page.Frame, cookie: str) -> FastAPI:
    """All routes, the error handlers and the OpenAPI document.

    Raises:
        NoRuleError: a route that nobody decided about.
    """
    app = FastAPI(
        title="Linli",
        version=__version__,
        description=DESCRIPTION,
        redoc_url=None,
        docs_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    routers = [*routers, docs.pages(app, frame)]
    routes = list(chain.from_iterable(router.routes for router in routers))
    require_rules([*app.routes, *routes])
    for router in routers:
        app.include_router(router)
    handle_errors(app, frame.error)
    describe(app, routes, RULES, cookie)
    return app
