"""Health over time, with a clock that only moves when told."""

from __future__ import annotations

import asyncio

import pytest

from device_drivers.contract import Quality
from edge.clock import Clock
from edge.reading import Reading, Report, TimeSource
from hub.bus import Bus
from hub.devices.service import DevicesService
from hub.domain.centre import Centre, Device, Door, Placement, Room
from hub.domain.device import Health
from hub.domain.errors import UnknownDeviceError
from hub.domain.events import ClockChanged, DeviceChanged, FrameDiscarded, Heard
from hub.live import LiveState

MINUTE = 60_000
NOW_S = 1_800_000_000.0


class Rig:
    """The service on a live state of its own."""

    def __init__(self, heard_ms: int | None = None, stopped_ms: int | None = None) -> None:
        self.now_s = NOW_S
        self.clock = Clock(true_time=lambda: self.now_s)
        self.bus = Bus()
        self.live = LiveState()
        if heard_ms is not None:
            self.live.heard["eye"] = heard_ms
        self.service = DevicesService(centre(), self.clock, self.bus, self.live, stopped_ms)

    def say(self, value: int, quality: Quality = Quality.GOOD) -> None:
        now = self.clock.now_ms()
        reading = Reading("eye", "presence", "", value, "1", quality, "", now, now, TimeSource.HUB)
        report = Report("eye", (reading,), now, True)
        changed = bool(self.live.apply(report))
        self.bus.publish(Heard("eye", report.readings, now, True, changed))

    def health(self) -> Health:
        return self.service.device("eye").health


def centre() -> Centre:
    room = Room("gym", {"en": "Gym"}, "main", 1, "gym", 20)
    devices = (
        Device("eye", "ld2410", {"": Placement(room="gym")}, "built", 10 * MINUTE, 5_000),
        Device("lock", "zigbee2mqtt", {"": Placement(door="front")}, "built", MINUTE, MINUTE),
    )
    door = Door("front", ("gym", "outside"))
    return Centre("c", {"en": "C"}, "UTC", (), (room,), (door,), devices)


async def test_a_device_that_falls_silent_is_noticed_by_time_alone() -> None:
    rig = Rig()
    running = asyncio.create_task(rig.service.run())
    rig.say(1)
    assert rig.health() is Health.OK
    told = asyncio.Event()
    rig.bus.subscribe(DeviceChanged, lambda event: told.set())
    rig.now_s += 600
    await asyncio.wait_for(told.wait(), 5)
    assert rig.health() is Health.SILENT
    rig.say(1)
    assert rig.health() is Health.OK
    running.cancel()


async def test_a_bad_sample_makes_it_faulty_until_a_good_one_comes() -> None:
    rig = Rig()
    rig.say(1)
    rig.say(1, Quality.BAD)
    assert rig.health() is Health.FAULTY
    rig.say(1)
    assert rig.health() is Health.OK


async def test_what_cannot_be_read_makes_it_faulty_and_is_no_word_of_its() -> None:
    rig = Rig()
    rig.say(1)
    heard = rig.service.device("eye").last_heard_ms
    rig.now_s += 1
    for _ in range(11):
        rig.bus.publish(FrameDiscarded("eye", rig.clock.now_ms()))
    assert rig.health() is Health.FAULTY
    assert rig.service.device("eye").last_heard_ms == heard


async def test_after_a_restart_the_time_it_was_down_does_not_count() -> None:
    now = round(NOW_S * 1000)
    rig = Rig(heard_ms=now - 60 * MINUTE, stopped_ms=now - 55 * MINUTE)
    assert rig.health() is Health.OK, "five minutes of silence, then nobody listened"
    assert rig.service.device("eye").last_heard_ms == now - 60 * MINUTE
    rig = Rig(heard_ms=now - 60 * MINUTE, stopped_ms=now - 50 * MINUTE)
    assert rig.health() is Health.SILENT


async def test_a_room_has_the_devices_on_its_doors_too() -> None:
    rig = Rig()
    assert [state.id for state in rig.service.in_room("gym")] == ["eye", "lock"]
    assert rig.service.counts()[Health.NEW] == 2


async def test_nobody_by_that_name() -> None:
    with pytest.raises(UnknownDeviceError):
        Rig().service.device("nobody")


@pytest.mark.parametrize("moved_s", [-3600, 3600])
async def test_a_clock_that_jumps_makes_nobody_silent_and_hides_no_silence(moved_s: int) -> None:
    rig = Rig()
    rig.say(1)
    heard_ms = rig.clock.now_ms()
    rig.now_s += moved_s
    rig.bus.publish(ClockChanged(moved_s * 1000, True, rig.clock.now_ms()))
    assert rig.health() is Health.OK
    assert rig.service.device("lock").health is Health.NEW
    assert rig.service.device("eye").last_heard_ms == heard_ms, "what was kept stays"
    running = asyncio.create_task(rig.service.run())
    rig.now_s += 599
    await asyncio.sleep(0)
    assert rig.health() is Health.OK
    told = asyncio.Event()
    rig.bus.subscribe(DeviceChanged, lambda event: told.set())
    rig.now_s += 1
    async with asyncio.timeout(5):
        await told.wait()
    running.cancel()
    assert rig.health() is Health.SILENT


async def test_when_the_time_is_known_the_last_word_moves_if_our_clock_told_it_wrongly() -> None:
    rig = Rig()
    base_ms = rig.clock.now_ms()
    rig.say(1)
    rig.now_s += 86_400
    rig.bus.publish(ClockChanged(86_400_000, True, rig.clock.now_ms(), base_ms))
    assert rig.service.device("eye").last_heard_ms == base_ms + 86_400_000
    assert rig.health() is Health.OK
    older = Rig(heard_ms=base_ms - MINUTE, stopped_ms=base_ms)
    older.now_s += 86_400
    older.bus.publish(ClockChanged(86_400_000, True, older.clock.now_ms(), base_ms))
    assert older.service.device("eye").last_heard_ms == base_ms - MINUTE
    assert older.health() is Health.OK
