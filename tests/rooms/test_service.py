"""The rooms over time: words, links, a restart and a clock that is set."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from device_drivers.contract import Quality
from edge.clock import Clock
from edge.reading import Reading, TimeSource
from hub.bus import Bus
from hub.domain.centre import Centre, Device, Placement, Room
from hub.domain.device import Health
from hub.domain.errors import UnknownRoomError
from hub.domain.events import ClockChanged, HealthChanged, Heard, LinkChanged, RoomChanged
from hub.domain.room import Status
from hub.domain.series import Series, SeriesKey
from hub.domain.views import RoomStep
from hub.rooms.service import RoomsService

MINUTE_S = 60.0
NOW_S = 1_800_000_000.0


class NoHistory:
    async def room_steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        return ()


class Rig:
    """A room with a radar and a counter, and two clocks that move when told."""

    def __init__(self, known: Sequence[Series] = ()) -> None:
        self.wall_s, self.passed_s = NOW_S, 0.0
        self.clock = Clock(true_time=lambda: self.wall_s, monotonic=lambda: self.passed_s)
        self.bus = Bus()
        self.told: list[Status] = []
        self.bus.subscribe(RoomChanged, lambda event: self.told.append(event.state.status))
        room = Room("gym", {"en": "Gym"}, "main", 1, "gym", 20)
        devices = tuple(
            Device(name, "zigbee2mqtt", {"": Placement(room="gym")}, "built", 86_400_000, 600_000)
            for name in ("eye", "gate")
        )
        centre = Centre("c", {"en": "C"}, "UTC", (), (room,), (), devices)
        self.service = RoomsService(centre, self.clock, self.bus, NoHistory(), known)

    def wait(self, seconds: float) -> None:
        self.wall_s += seconds
        self.passed_s += seconds

    def say(self, device: str, channel: str, value: int) -> None:
        now = self.clock.now_ms()
        reading = Reading(
            device, channel, "", value, "1", Quality.GOOD, "", now, now, TimeSource.HUB
        )
        self.bus.publish(Heard(device, (reading,), now, True, True))

    def link(self, up: bool) -> None:
        now = self.clock.now_ms()
        self.bus.publish(LinkChanged("mqtt", frozenset({"eye", "gate"}), up, "", False, now))

    def prove_free(self) -> None:
        self.say("eye", "presence", 0)
        self.wait(MINUTE_S)
        self.say("eye", "presence", 0)
        assert self.status() is Status.FREE

    def status(self) -> Status:
        return self.service.state("gym").status


async def test_each_change_of_what_is_said_goes_to_the_bus_once() -> None:
    rig = Rig()
    rig.prove_free()
    rig.say("eye", "presence", 1)
    rig.say("eye", "presence", 1)
    assert rig.told == [Status.UNKNOWN, Status.UNKNOWN, Status.FREE, Status.IN_USE]


async def test_a_broken_link_ends_the_proof_and_its_return_does_not_bring_it_back() -> None:
    rig = Rig()
    rig.prove_free()
    rig.link(up=False)
    assert rig.status() is Status.UNKNOWN
    rig.wait(1)
    rig.link(up=True)
    assert rig.status() is Status.UNKNOWN
    rig.prove_free()


async def test_a_device_that_is_faulty_proves_nothing_until_it_is_well() -> None:
    rig = Rig()
    rig.prove_free()
    now = rig.clock.now_ms()
    rig.bus.publish(HealthChanged("eye", Health.FAULTY, now))
    assert rig.status() is Status.UNKNOWN
    rig.bus.publish(HealthChanged("eye", Health.OK, now))
    assert rig.status() is Status.FREE


@pytest.mark.parametrize("moved_s", [-3600, 3600])
async def test_when_the_clock_is_set_every_room_needs_new_evidence(moved_s: int) -> None:
    rig = Rig()
    rig.prove_free()
    rig.wall_s += moved_s
    rig.bus.publish(ClockChanged(moved_s * 1000, True, rig.clock.now_ms()))
    assert rig.status() is Status.UNKNOWN
    rig.prove_free()


async def test_a_clock_that_is_not_trusted_may_be_set_and_changes_nothing() -> None:
    rig = Rig()
    rig.prove_free()
    rig.bus.publish(ClockChanged(3_600_000, False, rig.clock.now_ms()))
    assert rig.status() is Status.FREE


async def test_when_the_time_is_known_a_room_is_unknown_since_the_moment_that_was_meant() -> None:
    rig = Rig()
    began = rig.clock.now_ms()
    rig.wait(60)
    rig.wall_s += 86_400
    now = rig.clock.now_ms()
    rig.bus.publish(ClockChanged(86_400_000, True, now, moved_from_ms=began))
    assert rig.service.state("gym").since_ms == now - 60_000


async def test_a_room_found_empty_by_a_radar_proves_its_counter_right() -> None:
    rig = Rig()
    rig.say("gate", "people.count", 0)
    rig.prove_free()
    rig.wait(1)
    rig.say("gate", "people.count", 2)
    rig.say("eye", "presence", 1)
    people = rig.service.state("gym").people
    assert people is not None
    assert (people.low, people.estimate, people.high) == (2, 2, 2)


async def test_what_was_known_before_the_start_is_shown_and_proves_nothing() -> None:
    before = Series(SeriesKey("eye", "presence"), 1)
    before.value, before.quality = 0, Quality.GOOD
    before.observed_ms = before.until_ms = round(NOW_S * 1000) - 5_000
    rig = Rig([before])
    rig.wait(MINUTE_S * 2)
    state = rig.service.state("gym")
    assert state.status is Status.UNKNOWN
    assert state.as_of_ms == before.until_ms
    assert "not_heard_since_start" in {reason.code for reason in state.reasons}


async def test_nobody_knows_that_room() -> None:
    with pytest.raises(UnknownRoomError):
        Rig().service.state("attic")
