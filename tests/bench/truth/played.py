"""Plays days: people, sensors, wires and the hub's rooms, from one moment at which something
happens to the next, and keeps the score. Nothing waits, and nothing happens between two moments.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from random import Random

import msgspec

from hub.domain.room import RoomState
from simulator.habits import Habits, Imperfections
from simulator.mqtt_device import MqttDevice
from simulator.mqtt_devices import kind_of
from simulator.serial_devices import SERIAL, SerialDevice
from simulator.stay import HOUR
from simulator.wires import zigbee2mqtt
from simulator.world import SECOND, DoorMoved, Entered, Fact, Moved, World
from tests.bench.truth.carrier import Carrier
from tests.bench.truth.offline import OfflineHub
from tests.bench.truth.place import BASE, Rig, Watched, configured, rigs, simulated
from tests.bench.truth.score import Scorer, Tally

FIRST_DAY = "2026-11-16T00:00:00+08:00"  # a Monday
DAY_MS = 86_400_000
RADAR_EVERY_MS = 4 * SECOND
RADAR_NOTICES_MS = 100
"""A real one reports ten times a second, which would be most of the work and tell nothing new:
ours repeats itself as often as its proof needs (five seconds), and shows who enters as fast as a
real one does. Who leaves is noticed up to four seconds later than that."""

Simulated = MqttDevice | SerialDevice


class Game(msgspec.Struct, frozen=True):
    """What is played. The same game has the same result, to the millisecond."""

    seed: int
    days: int
    habits: Habits
    imperfections: Imperfections
    warm_up_days: int = 1
    """A hub that has just started knows little of rooms that nobody enters; starts are a row of
    their own among the failures."""
    from_hour: int = 0
    scored_hour: int = 0
    until_hour: int = 24
    """Of the first day, and of the last one: nights cost time and show an empty house."""


@dataclass
class Played:
    """What came of it."""

    tallies: dict[tuple[str, str], Tally]
    """By kind of room and sensor set."""
    reports: int
    days: int


class Play:
    def __init__(self, game: Game, watched: tuple[Watched, ...]) -> None:
        self.game = game
        first_ms = int(datetime.fromisoformat(FIRST_DAY).timestamp() * SECOND)
        first_ms += (game.seed % 50) * 7 * DAY_MS
        self.begin_ms = first_ms + game.from_hour * HOUR * SECOND
        self.midnight_ms = first_ms + game.warm_up_days * DAY_MS
        scored_ms = self.midnight_ms + game.scored_hour * HOUR * SECOND
        self.scored_ms = max(self.begin_ms, scored_ms)
        self.end_ms = self.midnight_ms + (game.days - 1) * DAY_MS + game.until_hour * HOUR * SECOND
        self.now_ms = self.begin_ms
        self.rigs = {rig.id: rig for rig in rigs(watched)}
        place = simulated(watched)
        people_only = msgspec.structs.replace(place, devices=())
        self.world = World(people_only, game.seed, self.begin_ms, habits=game.habits)
        self._scorers: dict[str, Scorer] = {}
        self.hub = OfflineHub(configured(watched), self._on_state, self.begin_ms)
        self.carrier = Carrier(self.hub, self.begin_ms)
        self._of_room: defaultdict[str, list[Scorer]] = defaultdict(list)
        for rig in self.rigs.values():
            scorer = Scorer(self.scored_ms, self.hub.watch.states[rig.id])
            self._scorers[rig.id] = scorer
            self._of_room[rig.room].append(scorer)
        self.devices: dict[str, Simulated] = {}
        self._near: defaultdict[str, list[MqttDevice]] = defaultdict(list)
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._radars: defaultdict[str, list[SerialDevice]] = defaultdict(list)
        self._ticks: dict[str, int] = {}
        self._install()

    def _install(self) -> None:
        self.carrier.publish(zigbee2mqtt.bridge(BASE, online=True))
        for rig in self.rigs.values():
            for device in rig.devices:
                if device.serial is not None:
                    self._add_radar(rig, device.id)
                    continue
                kind = kind_of(device)
                assert kind is not None, device.id
                item = kind(
                    device,
                    self.world,
                    self.carrier.publish,
                    self.game.seed,
                    self.game.imperfections,
                )
                self.devices[device.id] = item
                self._near[device.room or ""].append(item)
                self._near[device.door or ""].append(item)
                item.announce()
                item.start(self.now_ms)
                self.plan(item)

    def _add_radar(self, rig: Rig, name: str) -> None:
        device = next(d for d in rig.devices if d.id == name)
        line = self.carrier.line(name)
        radar = SERIAL[device.driver](
            device, self.world, self.game.seed, self.game.imperfections, line
        )
        self.devices[name] = radar
        radar.start(self.now_ms)
        phase_ms = Random(f"{name}/{self.game.seed}").randrange(RADAR_EVERY_MS)
        self.at(self.now_ms + phase_ms, partial(self._stream, radar))
        self._radars[rig.room].append(radar)

    def _stream(self, radar: SerialDevice) -> None:
        radar.stream(self.now_ms)
        self.at(self.now_ms + RADAR_EVERY_MS, partial(self._stream, radar))

    def _stream_soon(self, place: str) -> None:
        for radar in self._radars.get(place, ()):
            self.at(self.now_ms + RADAR_NOTICES_MS, partial(self._report_once, radar))

    def _report_once(self, radar: SerialDevice) -> None:
        radar.stream(self.now_ms)

    # -- time --------------------------------------------------------------------------------

    def at(self, ms: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (ms, next(self._order), act))

    def run(self) -> Played:
        """Play it all, and give the score."""
        due, world, end_ms = self._due, self.world, self.end_ms
        while True:
            next_ms = min(due[0][0] if due else end_ms, world.due_ms)
            late_ms = self.carrier.due_ms
            if late_ms is not None:
                next_ms = min(next_ms, late_ms)
            if next_ms >= end_ms:
                break
            self.now_ms = next_ms
            self.carrier.advance(next_ms)
            if world.due_ms <= next_ms:
                self._happen(world.advance(next_ms))
            while due and due[0][0] <= next_ms:
                heapq.heappop(due)[2]()
        self.now_ms = end_ms
        self.carrier.advance(end_ms)
        return self._result()

    def _happen(self, facts: Iterable[Fact]) -> None:
        """Truth first, then every sensor that could notice."""
        for fact in facts:
            if isinstance(fact, Entered):
                self._count(fact.place)
                self._count(fact.left)
                self._stream_soon(fact.place)
                near = [*self._near[fact.place], *self._near[fact.left]]
            elif isinstance(fact, Moved):
                near = self._near[fact.place]
            elif isinstance(fact, DoorMoved):
                near = self._near[fact.door]
            else:
                continue
            for item in near:
                item.react(fact, self.now_ms)
                self.plan(item)

    def _count(self, place: str) -> None:
        occupied = self.world.people_in(place) > 0
        for scorer in self._of_room.get(place, ()):
            if occupied and not scorer.occupied:
                scorer.enter(self.now_ms)
            elif scorer.occupied and not occupied:
                scorer.empty(self.now_ms)

    def plan(self, item: MqttDevice) -> None:
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
            self.plan(item)

    # -- the score ---------------------------------------------------------------------------

    def _on_state(self, state: RoomState) -> None:
        scorer = self._scorers.get(state.room)
        if scorer is not None:  # the first states are told before anybody keeps a score
            scorer.says(self.hub.clock.at_ms - self.carrier.off_ms, state)

    def scorers(self) -> Iterable[tuple[Rig, Scorer]]:
        return [(rig, self._scorers[name]) for name, rig in self.rigs.items()]

    def _result(self) -> Played:
        tallies: dict[tuple[str, str], Tally] = {}
        for name, scorer in self._scorers.items():
            rig = self.rigs[name]
            tally = tallies.setdefault((rig.kind, rig.sensors), Tally())
            tally.add(scorer.finish(self.now_ms))
        return Played(tallies, self.hub.reports, self.game.days)
