"""From a change to the right person: the loop that ties rules, book and courier.

    bus > Intake > notices > rules: who, when > rows on the disk > Courier > outcome > rows

A turn is made when something changed, and when the clock says that something is due. Before a
message goes out, its rows are on the disk as being sent; after it, what became of them is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from edge.clock import Clock
from hub.bus import Bus
from hub.configuration.notify import NotifySection
from hub.domain.centre import Centre
from hub.domain.errors import RefusedDecisionError
from hub.domain.events import AcknowledgeWanted, AlertChanged, ClockChanged, OrderChanged
from hub.domain.fault import Alert
from hub.domain.room import Text
from hub.domain.views import FaultsView
from hub.notify import chat, planned, webhook
from hub.notify.book import STORE_ERRORS, Book, Store
from hub.notify.courier import Courier, Job
from hub.notify.drills import Drills
from hub.notify.heartbeat import Heartbeat
from hub.notify.intake import Intake
from hub.notify.links import Answer, Links, key_in
from hub.notify.planner import Planner
from hub.notify.queue import Outcome, Parcel
from hub.notify.roster import DayNames, StandIn, weekday_only
from hub.notify.rows import Drill
from hub.notify.rules import DAY_MS, MINUTE_MS
from hub.notify.wording import Told, Writer

log = logging.getLogger(__name__)

BRIEF = frozenset({"sms"})
LONGEST_ABSENCE = timedelta(days=366)
MOST_STAND_INS = 500
LATER_MS = 2**62
LOOK_MS = 10 * MINUTE_MS  # for drills, and for a clock that was set
REMEMBERED_MS = 90 * DAY_MS
RETRY_S = 5.0  # a disk that does not take a change is asked again after this


class Notify:
    """Belongs to the event loop; made before the first event, and ``run`` until the end."""

    def __init__(
        self,
        section: NotifySection | None,
        place: Centre,
        store: Store,
        clock: Clock,
        bus: Bus,
        faults: FaultsView,
        folder: Path,
        *,
        days: DayNames = weekday_only,
        is_well: Callable[[], bool] = lambda: True,
    ) -> None:
        """``days`` names the lines of the roster that a day may go by; ``is_well`` is asked before
        each sign of life."""
        self.section = section or NotifySection()
        self.centre = place
        self.roster = planned.roster(self.section, place.timezone, days)
        self.ways = planned.ways(self.section)
        self.book = Book(store)
        self.planner = Planner(self.book, self.roster, planned.patience(self.section), self.ways)
        self.last_error: dict[str, tuple[int, str]] = {}
        """By channel: when a try last failed, and why."""
        self._addresses = planned.addresses(self.section)
        self._clock = clock
        self._bus = bus
        self._faults = faults
        self._links = Links(key_in(folder))
        self._writer = Writer(place, self.section.public_url)
        self._courier = Courier(self._arrived, self.wake)
        self._intake = Intake(self.book, self.roster, place, self.section.webhooks)
        self.drills = Drills(self.book, self.roster, bus, *planned.drills(self.section))
        beat = self.section.heartbeat
        self.heartbeat = Heartbeat(beat, is_well, clock.now_ms) if beat else None
        self._early: list[AlertChanged | OrderChanged] | None = []
        self._changed = asyncio.Event()
        self._pruned_ms = 0
        bus.subscribe(AlertChanged, self._on_event)
        bus.subscribe(OrderChanged, self._on_event)
        bus.subscribe(ClockChanged, self._on_clock)

    # --- what the others say --------------------------------------------------------------------

    def _on_event(self, event: AlertChanged | OrderChanged) -> None:
        if self._early is not None:
            self._early.append(event)  # the book is not open yet
            return
        now_ms = self._clock.now_ms()
        if isinstance(event, OrderChanged):
            self._intake.order_changed(event, now_ms)
        else:
            self._intake.alert_changed(event, now_ms)
            if event.alert.is_drill:
                self.drills.came(event.alert)
        self.wake()

    def _on_clock(self, _: ClockChanged) -> None:
        self.planner.begin_anew(self._clock.now_ms())
        self.wake()

    def wake(self) -> None:
        """Something changed: look at once."""
        self._changed.set()

    def answer_of(self, token: str) -> Answer | None:
        """What a link stands for; None: it is none of ours."""
        pairs = [(p.id, channel) for p in self.roster.people.values() for channel in p.channels]
        return self._links.read(token, pairs, self._clock.now_ms())

    def acknowledge(self, answer: Answer) -> None:
        """Somebody used the link that came to him."""
        now_ms = self._clock.now_ms()
        self.drills.answered(answer.alert, answer.person, answer.channel, now_ms)
        self._bus.publish(AcknowledgeWanted(answer.alert, answer.person, now_ms))
        self.wake()

    def begin_drill(self, by: str) -> Drill:
        """
        Raises:
            RefusedDecisionError: there is nobody to tell, or one has only just begun.
        """
        self.require_open()
        drill = self.drills.begin(by, self._clock.now_ms())
        self.wake()
        return drill

    async def stand_in(self, item: StandIn) -> None:
        """From now on somebody does another one's duty on some days.

        Raises:
            RefusedDecisionError: it cannot be so, or the disk did not take it.
        """
        self.require_open()
        people, today = self.roster.people, self.roster.today(self._clock.now_ms())
        if not {item.person, item.instead} <= people.keys() or item.person == item.instead:
            raise RefusedDecisionError(Text("notify.stand_in_who"))
        absence = item.last - item.first
        if item.last < today or not timedelta(0) <= absence <= LONGEST_ABSENCE:
            raise RefusedDecisionError(Text("notify.stand_in_days"))
        if len(self.book.stand_ins) >= MOST_STAND_INS:
            raise RefusedDecisionError(Text("notify.stand_in_many"))
        await _kept(self.book.stand_in(item))
        self.wake()

    async def no_stand_in(self, number: int) -> None:
        """
        Raises:
            RefusedDecisionError: the disk did not take it, so it still counts.
        """
        self.require_open()
        await _kept(self.book.no_stand_in(number))
        self.wake()

    def require_open(self) -> None:
        """
        Raises:
            RefusedDecisionError: what was on its way has not been read yet.
        """
        if self._early is not None:
            raise RefusedDecisionError(Text("notify.starting"), 503)

    # --- the loop -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled; what is on its way then has a few seconds to arrive."""
        await self._open()
        async with asyncio.TaskGroup() as group:
            if self.heartbeat is not None:
                group.create_task(self.heartbeat.run(), name="heartbeat")
            group.create_task(self._work(), name="notices")

    async def _work(self) -> None:
        try:
            while True:
                self._changed.clear()
                wait_s = await self.turn()
                try:
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
                except TimeoutError:
                    continue  # something is due by the clock
        finally:
            await self._courier.close()
            await self.book.keep()

    async def _open(self) -> None:
        """Read what was on its way, decide what was in flight, and look what changed meanwhile."""
        while True:
            try:
                await self.book.open()
                break
            except STORE_ERRORS as error:
                log.warning("Notices cannot be read (%s); it is tried again", error)
                await asyncio.sleep(RETRY_S)
        now_ms = self._clock.now_ms()
        self.planner.recover(now_ms)
        self._intake.look(self._faults, now_ms)
        early, self._early = self._early or [], None
        for event in early:
            self._on_event(event)

    async def turn(self) -> float:
        """Do all that is due; for how many true seconds there is nothing more to do."""
        now_ms = self._clock.now_ms()
        self.drills.look(now_ms)
        next_ms = min(self.planner.plan(now_ms) or LATER_MS, now_ms + LOOK_MS)
        courier = self._courier
        going = self.planner.parcels(now_ms, courier.room, courier.is_free)
        is_kept = await self.book.keep()
        for parcel in going:
            courier.send(parcel, self._job(parcel, now_ms))
        if now_ms - self._pruned_ms > DAY_MS:
            self._pruned_ms = now_ms
            await self.book.prune(now_ms - REMEMBERED_MS)
        wait_s = self._clock.real_seconds(next_ms - now_ms)
        return wait_s if is_kept else min(wait_s, RETRY_S)

    # --- out ------------------------------------------------------------------------------------

    def _job(self, parcel: Parcel, now_ms: int) -> Job:
        way = self.ways[parcel.channel]
        told = [Told(row, self.book.notices[row.notice]) for row in parcel.rows]
        if way.url:
            body = told[0].notice.body.encode()
            return partial(webhook.post, way.url, way.file, body, parcel.mark)

        def token(alert: Alert) -> str:
            return self._links.token(alert.id, parcel.person, parcel.channel, now_ms)

        language = self.roster.people[parcel.person].language
        letter = self._writer.letter(
            *(parcel.mark, told, language, now_ms, token),
            most_bytes=chat.most_bytes(way.kind),
            is_brief=way.kind in BRIEF,
        )
        to = self._addresses.get((parcel.person, parcel.channel), "")
        return partial(chat.send, way.kind, way.file, to, letter)

    def _arrived(self, parcel: Parcel, outcome: Outcome) -> None:
        """What became of a message."""
        now_ms, channel = self._clock.now_ms(), parcel.channel
        was_well = not self.planner.is_failing(channel)
        self.planner.arrived(parcel, outcome, now_ms)
        if outcome.error:
            self.last_error[channel] = (now_ms, outcome.error)
            if was_well:
                log.warning("A message over %s did not surely arrive (%s)", channel, outcome.error)
        self.wake()


async def _kept(writing: Awaitable[None]) -> None:
    """
    Raises:
        RefusedDecisionError: the disk did not take it.
    """
    try:
        await writing
    except STORE_ERRORS as error:
        log.warning("A change of the roster was not kept: %s", error)
        raise RefusedDecisionError(Text("notify.not_kept"), 503) from error
