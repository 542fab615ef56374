"""Failures, several times a day in every room: one sensor at a time, or what all depend on.

A failure begins at a random moment of the working day and is mended one or two hours later, often
while people are there. What may be shown wrongly is allowed for as long as nobody can know: a
sensor's ``proof_within`` after it died, or the time a late message is on its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from simulator.faults import Fault
from simulator.mqtt_device import MqttDevice
from tests.bench.truth.carrier import LATE_MS, Trouble
from tests.bench.truth.place import Rig
from tests.bench.truth.played import DAY_MS, RADAR_NOTICES_MS, Play
from tests.bench.truth.score import Scorer

MINUTE_MS = 60_000
FIRST_HOUR, LAST_HOUR = 8, 17
LASTS_MIN, PAUSES_MIN = (60, 120), (20, 60)

Failure = Fault | Trouble

EVERY: tuple[Failure, ...] = (*Fault, *Trouble)
ON_MQTT = (Fault.OFFLINE, Fault.LOW_BATTERY)
ON_CABLE = (Fault.UNPLUGGED,)
UNTOLD = (Fault.STUCK, Fault.STUCK_AT_0)
"""A sensor that goes on saying "nobody" as if it were well: only another one can tell."""


def strike(play: Play, failure: Failure) -> None:
    """Plan all failures of a game."""
    random = Random(f"failures/{play.game.seed}")
    for number, (begins_ms, ends_ms) in enumerate(_times(play, random)):
        if isinstance(failure, Trouble):
            _plan_trouble(play, failure, begins_ms, ends_ms)
        else:
            _plan_fault(play, failure, number, begins_ms, ends_ms)


def allow_reaction(play: Play) -> None:
    """A radar tells of who enters with its next report, well or not."""
    for rig, scorer in play.scorers():
        if any(device.serial for device in rig.devices):
            scorer.late_ms = RADAR_NOTICES_MS


def concerns(failure: Failure, rig: Rig) -> bool:
    """Can it happen to this set of sensors?"""
    if failure in ON_MQTT or failure in (Trouble.GATEWAY, Trouble.BROKER, Trouble.QUEUED):
        return any(device.topic for device in rig.devices)
    if failure in ON_CABLE:
        return any(device.serial for device in rig.devices)
    return bool(rig.devices)


def _times(play: Play, random: Random) -> Iterator[tuple[int, int]]:
    for day in range(play.game.days):
        midnight_ms = play.midnight_ms + day * DAY_MS
        at_ms = midnight_ms + FIRST_HOUR * 60 * MINUTE_MS
        while at_ms < midnight_ms + LAST_HOUR * 60 * MINUTE_MS:
            begins_ms = at_ms + random.randint(*PAUSES_MIN) * MINUTE_MS + random.randrange(60_000)
            ends_ms = begins_ms + random.randint(*LASTS_MIN) * MINUTE_MS
            yield begins_ms, ends_ms
            at_ms = ends_ms


def _plan_trouble(play: Play, trouble: Trouble, begins_ms: int, ends_ms: int) -> None:
    play.at(begins_ms, partial(_begin, play, trouble))
    play.at(ends_ms, partial(_end, play, trouble))


def _begin(play: Play, trouble: Trouble) -> None:
    for _, scorer in play.scorers():
        scorer.expose(play.now_ms, play.now_ms)
        if trouble is Trouble.LATE:
            scorer.late_ms += LATE_MS
    play.carrier.begin(trouble)


def _end(play: Play, trouble: Trouble) -> None:
    play.carrier.end()
    if trouble is Trouble.LATE:
        for _, scorer in play.scorers():
            scorer.late_ms -= LATE_MS


def _plan_fault(play: Play, fault: Fault, number: int, begins_ms: int, ends_ms: int) -> None:
    """One device of every rig, each in its turn."""
    proof_within_ms = {device.id: device.proof_within_ms for device in play.hub.centre.devices}
    for rig, scorer in play.scorers():
        possible = [d for d in rig.devices if _can_have(fault, is_mqtt=d.topic is not None)]
        if not possible:
            continue
        name = possible[number % len(possible)].id
        play.at(begins_ms, partial(_break, play, scorer, name, fault, proof_within_ms[name]))
        play.at(ends_ms, partial(_mend, play, name))


def _break(play: Play, scorer: Scorer, name: str, fault: Fault, unseen_ms: int) -> None:
    scorer.expose(play.now_ms, play.now_ms + unseen_ms)
    device = play.devices[name]
    device.break_down(fault, play.now_ms)
    if isinstance(device, MqttDevice):
        play.plan(device)


def _mend(play: Play, name: str) -> None:
    device = play.devices[name]
    device.repair(play.now_ms)
    if isinstance(device, MqttDevice):
        play.plan(device)


def _can_have(fault: Fault, *, is_mqtt: bool) -> bool:
    return fault not in (ON_CABLE if is_mqtt else ON_MQTT)
