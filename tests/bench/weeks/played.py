"""Plays weeks: people, weather, sensors, network and the hub's detection, from one moment at which
something happens to the next. Nothing waits; the same game has the same result."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from itertools import count
from random import Random

import msgspec

from hub.domain.centre import Centre
from hub.domain.fault import FaultKind, Finding
from hub.faults.detect.watch import Detection
from simulator.mqtt_device import MqttDevice
from simulator.serial_devices import SERIAL as SERIAL_KINDS
from simulator.serial_devices import Radar, SerialDevice
from simulator.world import CardShown, DoorMoved, Entered, Fact, Measured, Moved, World
from tests.bench.weeks import sensors
from tests.bench.weeks.ailments import Calibrating, Garble, Impossible, Patient, WrongClock
from tests.bench.weeks.calendar import DAY_MS, HOUR_MS, OPENS, Hours, Weather
from tests.bench.weeks.field import Detects, Field
from tests.bench.weeks.games import Parameters
from tests.bench.weeks.labels import Label
from tests.bench.weeks.naive import Naive
from tests.bench.weeks.nature import Indoors
from tests.bench.weeks.network import Cable, Network
from tests.bench.weeks.place import BATTERY, SERIAL, TASMOTA, Kind, configured, simulated, things
from tests.bench.weeks.plan import Case, Plan
from tests.bench.weeks.score import Result, Tally, judge
from tests.bench.weeks.sensors import RADAR_EVERY_MS, Ailment, Window, Wire

MINUTE_MS = 60_000
LAG_EVERY_MS = 10_000
CALM_LAG_S = 0.003
NETWORK_MS = 100_000  # until everything is there again after a power cut
OWN_SERIAL_MS = 8 * HOUR_MS  # a monitor speaks when somebody is measured

NOTICES: dict[Kind, tuple[type, ...]] = {
    Kind.CONTACT: (DoorMoved,),
    Kind.SWITCH: (DoorMoved,),
    Kind.MOTION: (Moved,),
    Kind.COUNTER: (Entered,),
    Kind.PRESSURE: (Measured,),
    Kind.CARD: (CardShown,),
}
"""What each kind could see."""

Simulated = MqttDevice | SerialDevice


class Play:
    def __init__(self, parameters: Parameters, seed: int, *, naive: bool = True) -> None:
        self.parameters, self.seed = parameters, seed
        self.season = parameters.season
        self.now_ms = self.season.begin_ms
        self.findings: list[Finding] = []
        self.naive: dict[str, list[Finding]] = defaultdict(list)
        self._with_naive = naive
        self._naive: Naive | None = None
        self._open: dict[tuple[object, FaultKind], Finding] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        hours = Hours(self.season)
        people = msgspec.structs.replace(simulated(), devices=())
        self.world = World(
            people,
            seed,
            self.now_ms,
            habits=parameters.habits,
            closed=self.season.closed_days(),
        )
        self._hours = hours
        self._indoors = Indoors(self.world, Weather(self.season, seed), hours, seed)
        self.field = Field(configured(), hours.is_open, self._start, self.now_ms)
        self.network = Network(self.field)
        self.network.power = self._power
        self.items: dict[str, Simulated] = {}
        self.wires: dict[str, Wire] = {}
        self._near: dict[tuple[type, str], list[Simulated]] = defaultdict(list)
        self._ticks: dict[str, int] = {}
        self._mounted: set[str] = set()
        self._make()
        intervals = {name: self._interval_ms(item) for name, item in self.items.items()}
        self.intervals = intervals
        self.plan = Plan(parameters, seed, intervals, hours)

    # -- making ------------------------------------------------------------------------------

    def _make(self) -> None:
        sensing = self.parameters.sensing
        for thing in things():
            wire = Wire(thing, self.seed, sensing, self.network.send, lambda: self.now_ms)
            wire.indoors = self._indoors
            wire.ailments.append(Garble(sensing.garbles, wire.random))
            self.wires[thing.id] = wire
            if thing.kind in SERIAL:
                cable = Cable(self.network, thing, wire.write)
                make = SERIAL_KINDS[thing.driver]
                item: Simulated = make(
                    thing.simulated(), self.world, self.seed, sensing.imperfections, cable
                )
            else:
                item = sensors.make(thing, self.world, wire, self.seed, sensing)
            self.items[thing.id] = item
            for fact in NOTICES.get(thing.kind, ()):
                self._near[fact, thing.door or thing.room].append(item)

    def _interval_ms(self, item: Simulated) -> int:
        if isinstance(item, MqttDevice):
            return sensors.interval_ms(item)
        return RADAR_EVERY_MS if isinstance(item, Radar) else OWN_SERIAL_MS

    def _start(
        self, centre: Centre, now_ms: int, kept: tuple[bytes | None, ...]
    ) -> tuple[Detects, ...]:
        """What the hub's start makes: with what was learnt, and what had been found."""
        learnt = kept[0] if kept else None
        ours = Detection(centre, now_ms, self._found, learnt, tuple(self._open.values()))
        if not self._with_naive:
            return (ours,)
        if self._naive is None:
            self._naive = Naive(centre, now_ms, self._said)
        self._naive.resume(now_ms)
        return ours, self._naive

    def _found(self, finding: Finding) -> None:
        self.findings.append(finding)
        key = (finding.subject, finding.kind)
        if finding.is_on:
            self._open[key] = finding
        else:
            self._open.pop(key, None)

    def _said(self, name: str, finding: Finding) -> None:
        self.naive[name].append(finding)

    # -- what happens ------------------------------------------------------------------------

    def _begin(self) -> None:
        self.network.start()
        for thing in things():
            mounted_ms = self.plan.mounted_ms.get(thing.id)
            if mounted_ms is None:
                self._mount(thing.id)
            else:
                self.at(mounted_ms, partial(self._mount, thing.id))
        for outage in self.plan.outages:
            self.at(outage.from_ms, partial(self.network.begin, outage))
            self.at(outage.until_ms, partial(self.network.end, outage))
        for case in self.plan.cases:
            self.at(case.label.onset_ms, partial(self._fall_ill, case))
        self._plan_house()
        self._every(HOUR_MS, self.field.keep)
        self._every(LAG_EVERY_MS, self._lag)
        self._every(HOUR_MS, self.field.tell_rooms)

    def _plan_house(self) -> None:
        """What people do with doors and windows beside coming and going."""
        for at_ms, until_ms, door in self.plan.wedges:
            self.at(at_ms, partial(self.world.open_door, door, until_ms, at_ms))
        for at_ms, until_ms, name in self.plan.calibrations:
            self.at(at_ms, partial(self._calibrate, name, until_ms))
        for number in range(self.season.days):
            day_ms = self.season.begin_ms + number * DAY_MS
            if not self._hours.is_off(day_ms + OPENS * HOUR_MS):
                self._open_windows(day_ms, Random(f"windows/{number}/{self.seed}"))

    def _mount(self, name: str) -> None:
        item = self.items[name]
        self._mounted.add(name)
        item.start(self.now_ms)
        if isinstance(item, Radar):
            phase_ms = Random(f"{name}/{self.seed}").randrange(RADAR_EVERY_MS)
            self.at(self.now_ms + phase_ms, partial(self._stream, item))
        if isinstance(item, MqttDevice):
            item.look(self.now_ms)
            if self.wires[name].thing.kind in TASMOTA:
                item.announce()
            self.plan_tick(item)
        if self.wires[name].thing.kind in (Kind.CLIMATE, Kind.AIR):
            self._glitch_later(name)

    def _glitch_later(self, name: str) -> None:
        """Once in a while a well sensor says something impossible, once."""
        wire = self.wires[name]
        a_day = self.parameters.sensing.glitches
        if not a_day:
            return
        pause_ms = round(wire.random.expovariate(a_day) * DAY_MS)

        def glitch() -> None:
            wire.ailments.append(ailment)
            self._glitch_later(name)

        ailment = Impossible(wire.random, 1.0, lambda: wire.ailments.remove(ailment))
        self.at(self.now_ms + pause_ms, glitch)

    def _stream(self, radar: Radar) -> None:
        if self.wires[radar.device.id].is_on:
            radar.stream(self.now_ms)
        self.at(self.now_ms + RADAR_EVERY_MS, partial(self._stream, radar))

    def _open_windows(self, day_ms: int, random: Random) -> None:
        for item in self.items.values():
            if isinstance(item, Window) and random.random() < 0.3:
                opens_ms = day_ms + round(random.uniform(8, 10) * HOUR_MS)
                shuts_ms = day_ms + round(random.uniform(11, 19) * HOUR_MS)
                self.at(opens_ms, lambda item=item: item.move(self.now_ms, is_open=True))  # type: ignore[misc]
                self.at(shuts_ms, lambda item=item: item.move(self.now_ms, is_open=False))  # type: ignore[misc]

    def _fall_ill(self, case: Case) -> None:
        name = case.thing.id
        item = self.items[name]

        def plan() -> None:
            if isinstance(item, MqttDevice):
                self.plan_tick(item)

        faults = self.parameters.faults
        assert faults is not None
        random = Random(f"{name}/{case.label.onset_ms}/{self.seed}")
        patient = Patient(
            item,
            self.wires[name],
            self.intervals[name],
            random,
            faults,
            lambda: self.now_ms,
            self.at,
            plan,
        )
        mend = case.begin(patient)
        self.at(case.label.end_ms, lambda: mend(self.now_ms))

    def _calibrate(self, name: str, until_ms: int) -> None:
        ailment = Calibrating(self.wires[name].random, 1.0)
        self._have(name, ailment, until_ms)

    def _have(self, name: str, ailment: Ailment, until_ms: int) -> None:
        """For a while; it is no fault."""
        wire = self.wires[name]
        wire.ailments.append(ailment)
        self.at(until_ms, lambda: wire.ailments.remove(ailment))

    def _power(self, is_on: bool) -> None:
        """Of the house: what has no battery is off, and starts anew with it."""
        for name, wire in self.wires.items():
            if wire.thing.kind in BATTERY:
                continue
            wire.is_on = is_on
            item = self.items[name]
            if is_on and isinstance(item, MqttDevice) and name in self._mounted:
                item.start(self.now_ms)
                item.look(self.now_ms)
                self.plan_tick(item)
            if is_on and wire.thing.kind in TASMOTA:
                # its clock begins in 1970, and is right once the network is there
                since = timedelta(milliseconds=-self.now_ms)
                self._have(name, WrongClock(since), self.now_ms + NETWORK_MS)
            elif is_on and wire.thing.kind is Kind.RADAR:
                self._calibrate(name, self.now_ms + NETWORK_MS)

    def _lag(self) -> None:
        now_ms = self.now_ms
        late_s = [s for begins, ends, s in self.plan.lags if begins <= now_ms < ends]
        self.field.lag(max(late_s, default=CALM_LAG_S))

    # -- time --------------------------------------------------------------------------------

    def at(self, ms: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (ms, next(self._order), act))

    def _every(self, pause_ms: int, act: Callable[[], None]) -> None:
        def again() -> None:
            act()
            self.at(self.now_ms + pause_ms, again)

        self.at(self.now_ms + pause_ms, again)

    def run(self) -> Result:
        due, world, end_ms, field = self._due, self.world, self.season.end_ms, self.field
        self._begin()
        while True:
            next_ms = min(due[0][0], world.due_ms)
            if next_ms >= end_ms:
                break
            self.now_ms = next_ms
            field.advance(next_ms)
            if world.due_ms <= next_ms:
                self._happen(world.advance(next_ms))
            while due[0][0] <= next_ms:
                heapq.heappop(due)[2]()
        self.now_ms = end_ms
        field.advance(end_ms)
        return self._result()

    def _happen(self, facts: Iterable[Fact]) -> None:
        """Every sensor that could notice does."""
        for fact in facts:
            if isinstance(fact, Entered):
                near = [*self._near[Entered, fact.place], *self._near[Entered, fact.left]]
            elif isinstance(fact, DoorMoved):
                near = self._near[DoorMoved, fact.door]
            else:
                near = self._near[type(fact), fact.place]
            for item in near:
                if item.device.id in self._mounted:
                    item.react(fact, self.now_ms)
                    if isinstance(item, MqttDevice):
                        self.plan_tick(item)

    def plan_tick(self, item: MqttDevice) -> None:
        """Let a device tick when it is due; what was planned later is left to lapse."""
        name, due_ms = item.device.id, max(item.due_ms, self.now_ms + 1)
        planned = self._ticks.get(name)
        if planned is None or due_ms < planned:
            self._ticks[name] = due_ms
            self.at(due_ms, lambda: self._tick(item, due_ms))

    def _tick(self, item: MqttDevice, due_ms: int) -> None:
        if self._ticks.get(item.device.id) == due_ms:
            del self._ticks[item.device.id]
            item.tick(self.now_ms)
            self.plan_tick(item)

    # -- the score ---------------------------------------------------------------------------

    def labels(self) -> list[Label]:
        """What was to be found; and what a falling battery explains long before."""
        return [
            *self.plan.labels,
            *(case.label for case in self.plan.cases if not case.label.bound_ms),
        ]

    def _result(self) -> Result:
        labels = self.labels()
        ours, cries, missed = judge(self.findings, labels)
        result = Result(ours, device_weeks=len(things()) * self.season.days / 7)
        result.events = self.field.events
        result.cries = [(self.seed, finding) for finding in cries]
        result.missed = [(self.seed, label) for label in missed]
        for name, findings in self.naive.items():
            for kind in {finding.kind for finding in findings}:
                only = [f for f in findings if f.kind is kind]
                tallies, _, _ = judge(only, labels, DAY_MS)
                result.naive[kind, name] = tallies.get(kind, Tally())
        return result
