"""When which fault begins, and for how long: drawn before a game is played.

A fault begins at any hour, and lasts until it is repaired. None begins where it could not be seen
for as long as its bound allows: while what it hangs on is out, or on days without people where
only people can show it. A device has one fault at a time, and for those that are told from a
room's other sensors a room has only one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from hub.domain.fault import FaultKind as K
from simulator.faults import Fault
from tests.bench.weeks import ailments
from tests.bench.weeks.ailments import Mend, Patient
from tests.bench.weeks.calendar import DAY_MS, HOUR_MS, Hours, Season
from tests.bench.weeks.games import Faults, Mishaps, Parameters, Span
from tests.bench.weeks.labels import Label
from tests.bench.weeks.network import BASES, MQTT_LINK, Outage, What, behind, lines, usb
from tests.bench.weeks.place import BATTERY, PLACES, TASMOTA, ZIGBEE, Kind, Thing, things
from tests.bench.weeks.sensors import is_spare

MINUTE_MS = 60_000
TRIES = 4000
WEDGED_H = {False: 22.2, True: 9.0}  # floors are washed at night, or on days off
HUB = "hub"


class Recipe(NamedTuple):
    """``bound``: a fault counts as found within so many of the sensor's intervals, or so many
    hours, whichever is later; it lasts at least half as long again."""

    kinds: frozenset[Kind]
    begin: Callable[[Patient], Mend]
    lasts_h: Span
    bound: tuple[float, float]
    needs_people: bool = False
    suits: Callable[[Thing], bool] = lambda _: True
    alone: bool = False


def _kinds(*kinds: Kind) -> frozenset[Kind]:
    return frozenset(kinds)


def _has(room: str, *kinds: Kind) -> bool:
    place = next(place for place in PLACES if place.id == room)
    return any(kind in kinds for kind, _ in place.things)


def _one_door(thing: Thing) -> bool:
    place = next(place for place in PLACES if place.id == thing.room)
    return len(place.doors) == 1 and _has(thing.room, Kind.RADAR, Kind.COUNTER, Kind.MOTION)


def _is_seen_beside(thing: Thing) -> bool:
    """Another sensor of the room tells of people: a radar, a counter, or for a radar a PIR."""
    if thing.kind is Kind.RADAR:
        return True
    return _has(thing.room, Kind.RADAR, Kind.COUNTER)


WITNESSES = _kinds(Kind.CONTACT, Kind.SWITCH, Kind.MOTION, Kind.RADAR, Kind.COUNTER)
"""What tells of people: of these at most one of a room is broken where others must tell."""
SPEAKING = ZIGBEE | TASMOTA | {Kind.RADAR}
CLIMATE, RADAR = _kinds(Kind.CLIMATE), _kinds(Kind.RADAR)
RECIPES: dict[K, Recipe] = {
    K.SILENT: Recipe(SPEAKING, ailments.silence, (5, 20), (5, 0.2)),
    K.GARBLED: Recipe(SPEAKING, ailments.garble, (6, 30), (20, 0.5)),
    K.WEAK_LINK: Recipe(ZIGBEE, ailments.weaken, (30, 60), (24, 12)),
    K.STUCK: Recipe(
        _kinds(Kind.CLIMATE, Kind.AIR, Kind.LIGHT),
        ailments.break_down(Fault.STUCK),
        (54, 80),
        (0, 36),
        needs_people=True,
    ),
    K.STUCK_ON: Recipe(
        _kinds(Kind.CONTACT, Kind.MOTION, Kind.RADAR),
        ailments.break_down(Fault.STUCK_AT_1),
        (54, 80),
        (0, 36),
        alone=True,
    ),
    K.FLAPPING: Recipe(_kinds(Kind.CONTACT, Kind.MOTION), ailments.flap, (2, 6), (0, 0.34)),
    K.OUT_OF_RANGE: Recipe(_kinds(Kind.CLIMATE, Kind.AIR), ailments.impossible, (10, 24), (6, 0.5)),
    K.JUMP: Recipe(CLIMATE, ailments.jump, (10, 24), (6, 0.5)),
    K.DOOR_CONTRADICTED: Recipe(
        _kinds(Kind.CONTACT),
        ailments.break_down(Fault.STUCK_AT_0),
        (48, 72),
        (0, 30),
        needs_people=True,
        suits=_one_door,
        alone=True,
    ),
    K.SENSORS_DISAGREE: Recipe(
        _kinds(Kind.MOTION, Kind.RADAR),
        ailments.break_down(Fault.STUCK_AT_0),
        (48, 72),
        (0, 30),
        needs_people=True,
        suits=_is_seen_beside,
        alone=True,
    ),
    K.COUNTER_IMBALANCE: Recipe(
        _kinds(Kind.COUNTER), ailments.miscount, (72, 80), (0, 48), needs_people=True, alone=True
    ),
    K.CLOCK_WRONG: Recipe(TASMOTA, ailments.misdate, (4, 12), (6, 0.5)),
    K.DEVICE_ERROR: Recipe(RADAR, ailments.fail, (2, 6), (0, 0.34), alone=True),
    K.DRIFT: Recipe(CLIMATE, ailments.drift, (170, 180), (0, 144)),
    K.NOISE: Recipe(CLIMATE, ailments.shake, (36, 60), (0, 24)),
    K.DUPLICATE: Recipe(_kinds(Kind.CLIMATE, Kind.CONTACT), ailments.double, (36, 60), (0, 24)),
    K.TAMPER: Recipe(_kinds(Kind.CONTACT, Kind.MOTION), ailments.tamper, (3, 8), (2, 0.1)),
}
PARENTS: dict[K, tuple[tuple[What, ...], Span, float]] = {
    K.LINK_DOWN: ((What.LINE,), (0.5, 5), 0.1),
    K.USB_DOWN: ((What.USB,), (0.5, 4), 0.1),
    K.GATEWAY_DOWN: ((What.GATEWAY, What.GATEWAY, What.HANG), (3, 8), 2),
    K.BROKER_DOWN: ((What.BROKER,), (0.3, 3), 0.1),
}
"""What is out, for how many hours, and within how many it must be found."""
OVERLOADED_H, OVERLOADED_BOUND_H = (0.7, 3), 0.25
NEVER_BOUND_H, MOUNTED_H = 24, (30, 90)


class Case(NamedTuple):
    """A fault of one device, with everything that is drawn for it."""

    thing: Thing
    begin: Callable[[Patient], Mend]
    label: Label
    labels: tuple[Label, ...]


class Plan:
    """All that will happen in a game beside people and weather."""

    def __init__(
        self, parameters: Parameters, seed: int, intervals: dict[str, int], hours: Hours
    ) -> None:
        self.season: Season = parameters.season
        self.outages: list[Outage] = []
        self.labels: list[Label] = []
        self.cases: list[Case] = []
        self.lags: list[tuple[int, int, float]] = []
        self.mounted_ms: dict[str, int] = {}
        self.wedges: list[tuple[int, int, str]] = []
        self.calibrations: list[tuple[int, int, str]] = []
        self._random = Random(f"plan/{seed}")
        self._intervals = intervals
        self._hours = hours
        self._taken: list[tuple[str, str, int, int, bool]] = []
        self._mishaps(parameters.mishaps)
        if parameters.faults is not None:
            self._plant(parameters.faults)
        self._mount(parameters.faults.each if parameters.faults else 0)

    # -- what is no fault --------------------------------------------------------------------

    def _mishaps(self, often: Mishaps) -> None:
        for what, times, lasts_s in (
            (What.GATEWAY, often.gateway_restarts, often.gateway_s),
            (What.BROKER, often.broker_restarts, often.broker_s),
            (What.LINE, often.line_blips, often.blip_s),
            (What.USB, often.usb_blips, often.blip_s),
            (What.HUB, often.hub_restarts, often.hub_s),
            (What.HUB_CUT, often.hub_cuts, _seconds(often.hub_cut_h)),
            (What.HOUSE_CUT, often.house_cuts, _seconds(often.house_cut_h)),
        ):
            for at_ms in self._moments(times):
                lasts_ms = round(self._random.uniform(*lasts_s) * 1000)
                self._add_outage(what, at_ms, at_ms + lasts_ms)
        for at_ms in self._moments(often.wedges):
            begins_h = WEDGED_H[self._hours.is_off(at_ms)]
            begins_ms = at_ms - (at_ms - self.season.begin_ms) % DAY_MS + _ms(begins_h)
            until_ms = begins_ms + _ms(self._random.uniform(*often.wedge_h))
            door = self._random.choice([t.door or "" for t in things() if t.kind is Kind.CONTACT])
            self.wedges.append((begins_ms, until_ms, door))
        for at_ms in self._moments(often.calibrations):
            lasts_ms = round(self._random.uniform(*often.calibration_s) * 1000)
            radar = self._random.choice([t.id for t in things() if t.kind is Kind.RADAR])
            self.calibrations.append((at_ms, at_ms + lasts_ms, radar))
        for at_ms in self._moments(often.lags):
            self.lags.append((at_ms, at_ms + 20_000, self._random.uniform(*often.lag_s)))

    def _moments(self, a_week: float) -> Iterator[int]:
        wanted = a_week * self.season.days / 7
        number = int(wanted) + (self._random.random() < wanted % 1)
        for _ in range(number):
            yield self._random.randrange(
                self.season.begin_ms + HOUR_MS, self.season.end_ms - DAY_MS
            )

    def _add_outage(self, what: What, from_ms: int, until_ms: int) -> Outage | None:
        """One at a time: None where another one is near."""
        near = 10 * MINUTE_MS
        if any(outage.overlaps(from_ms - near, until_ms + near) for outage in self.outages):
            return None
        base = self._random.choice(BASES)
        devices: dict[What, frozenset[str]] = {
            What.GATEWAY: behind(base),
            What.HANG: behind(base),
            What.LINE: frozenset({self._random.choice(lines()).id}),
            What.USB: usb(),
        }
        outage = Outage(what, from_ms, until_ms, base=base)
        if what in devices:
            outage = Outage(what, from_ms, until_ms, devices[what], base)
        self.outages.append(outage)
        return outage

    def _mount(self, never: int) -> None:
        """Spares: some are mounted in the first hours, the others late, or not at all."""
        begin_ms = self.season.begin_ms
        for number, thing in enumerate(t for t in things() if is_spare(t)):
            if number >= never:
                self.mounted_ms[thing.id] = begin_ms + round(self._random.uniform(0.1, 2) * HOUR_MS)
                continue
            end_ms = begin_ms + round(self._random.uniform(*MOUNTED_H) * HOUR_MS)
            self.mounted_ms[thing.id] = end_ms
            self.labels.append(
                Label(
                    K.NEVER_HEARD,
                    frozenset({thing.id}),
                    begin_ms,
                    end_ms,
                    self._intervals[thing.id],
                    round(NEVER_BOUND_H * HOUR_MS),
                )
            )

    # -- faults ------------------------------------------------------------------------------

    def _plant(self, faults: Faults) -> None:
        for kind, (whats, lasts_h, bound_h) in PARENTS.items():
            for number in range(faults.each):
                self._plant_outage(kind, whats[number % len(whats)], lasts_h, bound_h)
        for _ in range(faults.each):
            self._plant_overload(faults)
        rarest_first = sorted(
            RECIPES.items(), key=lambda item: (not item[1].alone, -item[1].bound[1])
        )
        for kind, recipe in rarest_first:
            for _ in range(faults.each):
                self._plant_case(kind, recipe)
        for _ in range(faults.each):
            self._plant_battery(faults)

    def _draw(self, lasts_h: Span) -> tuple[int, int]:
        lasts_ms = round(self._random.uniform(*lasts_h) * HOUR_MS)
        first_ms = self.season.begin_ms + self.season.warm_up * DAY_MS
        begins_ms = self._random.randrange(first_ms, self.season.end_ms - lasts_ms)
        return begins_ms, begins_ms + lasts_ms

    def _plant_outage(self, kind: K, what: What, lasts_h: Span, bound_h: float) -> None:
        for _ in range(TRIES):
            from_ms, until_ms = self._draw(lasts_h)
            outage = self._add_outage(what, from_ms, until_ms)
            if outage is not None:
                self.labels.append(
                    Label(
                        kind,
                        _subjects(outage),
                        from_ms,
                        until_ms,
                        0,
                        round(bound_h * HOUR_MS),
                        children=outage.devices,
                    )
                )
                return
        raise SystemExit(f"bench_weeks: no room for {kind}")

    def _plant_overload(self, faults: Faults) -> None:
        for _ in range(TRIES):
            from_ms, until_ms = self._draw(OVERLOADED_H)
            if self._out_ms(from_ms - HOUR_MS, until_ms, None) or any(
                from_ms - HOUR_MS < until and at < until_ms + HOUR_MS
                for at, until, _ in self.lags
                if until - at > HOUR_MS / 2
            ):
                continue
            self.lags.append((from_ms, until_ms, self._random.uniform(*faults.lag_s)))
            bound_ms = round(OVERLOADED_BOUND_H * HOUR_MS)
            label = Label(K.HUB_OVERLOADED, frozenset({HUB}), from_ms, until_ms, 0, bound_ms)
            self.labels.append(label)
            return
        raise SystemExit("bench_weeks: no room for an overload")

    def _plant_battery(self, faults: Faults) -> None:
        """One battery falls, and is empty for two days: two labels."""
        things_ = [t for t in things() if t.kind in BATTERY and not is_spare(t)]
        for _ in range(TRIES):
            days = self._random.uniform(*faults.drain_days)
            thing = self._random.choice(things_)
            from_ms, until_ms = self._draw((24 * (days + 2), 24 * (days + 2) + 1))
            dead_ms = from_ms + round(days * DAY_MS)
            interval_ms = self._intervals[thing.id]
            low_ms, bound_ms = dead_ms - 2 * DAY_MS, 5 * interval_ms
            is_seen = not self._out_ms(dead_ms - HOUR_MS, dead_ms + bound_ms, thing.id)
            if not is_seen or not self._take(thing, from_ms, until_ms, alone=False):
                continue
            named = frozenset({thing.id})
            low = Label(K.BATTERY_LOW, named, low_ms, dead_ms, interval_ms, 2 * DAY_MS, from_ms)
            dead = Label(K.BATTERY_DEAD, named, dead_ms, until_ms, interval_ms, bound_ms)
            whole = Label(K.BATTERY_LOW, named, from_ms, until_ms, interval_ms, 0)
            self.labels += [low, dead]
            self.cases.append(
                Case(thing, lambda p, days=days: ailments.drain(p, days), whole, (low, dead))  # type: ignore[misc]
            )
            return
        raise SystemExit("bench_weeks: no room for a battery")

    def _plant_case(self, kind: K, recipe: Recipe) -> None:
        suiting = [
            t for t in things() if t.kind in recipe.kinds and recipe.suits(t) and not is_spare(t)
        ]
        for _ in range(TRIES):
            thing = self._random.choice(suiting)
            interval_ms = self._intervals[thing.id]
            intervals, hours = recipe.bound
            bound_ms = max(round(intervals * interval_ms), round(hours * HOUR_MS))
            least_h = 1.5 * bound_ms / HOUR_MS
            from_ms, until_ms = self._draw(
                (max(least_h, recipe.lasts_h[0]), max(least_h + 1, recipe.lasts_h[1]))
            )
            if recipe.needs_people and self._is_deserted(from_ms, from_ms + bound_ms):
                continue
            if not self._is_seen(thing, from_ms, bound_ms):
                continue
            if not self._take(thing, from_ms, until_ms, alone=recipe.alone):
                continue
            label = Label(
                kind, frozenset({thing.id}), from_ms, until_ms, interval_ms, bound_ms,
                room=_beside(thing),
            )  # fmt: skip
            self.labels.append(label)
            self.cases.append(Case(thing, recipe.begin, label, (label,)))
            return
        raise SystemExit(f"bench_weeks: no room for {kind}")

    def _is_seen(self, thing: Thing, from_ms: int, bound_ms: int) -> bool:
        """At most a tenth of the time in which it must be found is lost to outages."""
        return self._out_ms(from_ms, from_ms + bound_ms, thing.id) <= 0.1 * bound_ms

    def _out_ms(self, from_ms: int, until_ms: int, device: str | None) -> int:
        return sum(
            outage.overlaps(from_ms, until_ms)
            for outage in self.outages
            if device is None or device in outage.devices
        )

    def _is_deserted(self, from_ms: int, until_ms: int) -> bool:
        return any(
            self._hours.is_off(at) for at in (*range(from_ms, until_ms, HOUR_MS * 6), until_ms)
        )

    def _take(self, thing: Thing, from_ms: int, until_ms: int, *, alone: bool) -> bool:
        """Is the device free then, and its room if it must be?"""
        near = 6 * HOUR_MS
        room = thing.room if thing.kind in WITNESSES else ""
        for name, other, begins, ends, is_alone in self._taken:
            is_shared = bool(room) and other == room and (alone or is_alone)
            is_then = from_ms - near < ends and begins < until_ms + near
            if is_then and (name == thing.id or is_shared):
                return False
        self._taken.append((thing.id, room, from_ms, until_ms, alone))
        return True


def _ms(hours: float) -> int:
    return round(hours * HOUR_MS)


def _seconds(hours: Span) -> Span:
    return hours[0] * 3600, hours[1] * 3600


def _subjects(outage: Outage) -> frozenset[str]:
    if outage.what in (What.GATEWAY, What.HANG):
        return frozenset({f"{outage.base}/bridge/state"})
    if outage.what is What.BROKER:
        return frozenset({MQTT_LINK})
    named = frozenset(t.line for t in lines() if t.id in outage.devices and t.line)
    return named | {"usb"} if outage.what is What.USB else named


def _beside(thing: Thing) -> frozenset[str]:
    return frozenset(t.id for t in things() if t.room == thing.room) - {thing.id}
