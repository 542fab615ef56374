"""A centre of twelve rooms held in memory: all statuses, faults, zones, long names.

It stands in for the services behind the pages, so that a page can be put into any situation.
Its time stands still at 14:31 unless a test moves it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from device_drivers.contract import Quality
from hub.domain.centre import Building, Centre, Door, Room, Zone
from hub.domain.device import ChannelState, DeviceState, Health
from hub.domain.opening import OPEN, Slot
from hub.domain.room import People, Presence, RoomState, Status, Text, ZoneState
from hub.domain.views import CopyState, RoomStep, StorageState

NOW_MS = 1_795_329_060_000  # 2026-11-22 14:31 in Shanghai
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def name(simplified: str, traditional: str, english: str) -> dict[str, str]:
    return {"zh-CN": simplified, "zh-TW": traditional, "en": english}


BUILDINGS = (
    Building("main", name("主楼", "主樓", "Main house")),
    Building("annex", name("东配楼", "東配樓", "East annex")),
)
ROOMS = (
    Room(
        "hall",
        name("社区客厅", "社區客廳", "Living room"),
        "main",
        1,
        "living_room",
        60,
        (
            Zone("tea", name("茶座", "茶座", "Tea corner"), 12),
            Zone("chess", name("棋牌区", "棋牌區", "Chess tables"), 16),
            Zone("stage", name("小舞台", "小舞台", "Small stage"), 20),
        ),
    ),
    Room(
        "service",
        name("便民服务大厅", "便民服務大廳", "Service hall"),
        "main",
        1,
        "service_hall",
        30,
    ),
    Room("canteen", name("社区食堂", "社區食堂", "Canteen"), "main", 1, "canteen", 48),
    Room("reading", name("阅览室", "閱覽室", "Reading room"), "main", 2, "reading_room", 24),
    Room(
        "children",
        name("儿童活动室", "兒童活動室", "Children's play and story room"),
        "main",
        2,
        "children",
        18,
    ),
    Room("cabin", name("健康小屋", "健康小屋", "Health cabin"), "main", 3, "health_cabin", 2),
    Room(
        "care",
        name(
            "长者日间照料与康复训练中心（三楼东侧）",
            "長者日間照料與康復訓練中心（三樓東側）",
            "Day care and rehabilitation training for older residents (east wing)",
        ),
        "main",
        3,
        "day_care",
        20,
    ),
    Room("gym", name("健身房", "健身房", "Gym"), "main", 4, "gym", 20),
    Room(
        "lecture",
        name("多功能报告厅", "多功能演講廳", "Lecture hall"),
        "annex",
        1,
        "lecture_hall",
        120,
    ),
    Room("meeting", name("议事厅", "議事廳", "Meeting room"), "annex", 2, "meeting", 14),
    Room("workshop", name("木工坊", "木工坊", "Wood workshop"), "annex", 2, "workshop", 8),
    Room("storage", name("储藏室", "儲藏室", "Storage"), "annex", -1, "storage", None),
)


def at(hours: int, minutes: int = 0) -> int:
    """A time of today on the centre's clocks."""
    return NOW_MS + ((hours - 14) * 60 + minutes - 31) * MINUTE_MS


def state(
    room: str,
    status: Status,
    since: int,
    *reasons: Text,
    people: int | None = None,
    zones: tuple[ZoneState, ...] = (),
) -> RoomState:
    presence = {
        Status.FREE: Presence.ABSENT,
        Status.IN_USE: Presence.PRESENT,
        Status.FULL: Presence.PRESENT,
    }.get(status, Presence.UNKNOWN)
    return RoomState(
        room=room,
        status=status,
        presence=presence,
        crowding=None,
        people=None if people is None else People(people, people, people),
        confidence=None,
        since_ms=since,
        as_of_ms=NOW_MS,
        valid_until_ms=None,
        reasons=reasons,
        zones=zones,
    )


STATES = (
    state(
        "hall",
        Status.IN_USE,
        at(8, 12),
        Text("radar_present", {"device": "hall-radar-1", "time": at(14, 30)}),
        Text("count", {"people": 23, "time": at(14, 30)}),
        people=23,
        zones=(
            ZoneState("tea", Status.IN_USE, Presence.PRESENT),
            ZoneState("chess", Status.FREE, Presence.ABSENT),
            ZoneState("stage", Status.UNKNOWN, Presence.UNKNOWN),
        ),
    ),
    state(
        "service",
        Status.IN_USE,
        at(13, 30),
        Text("count", {"people": 9, "time": at(14, 29)}),
        people=9,
    ),
    state("canteen", Status.FREE, at(13, 48), Text("count_zero", {"time": at(13, 48)}), people=0),
    state(
        "reading",
        Status.IN_USE,
        at(14, 5),
        Text("still_person", {"device": "reading-pir", "time": at(14, 11)}),
        Text("door_shut", {"device": "reading-door", "time": at(14, 5)}),
    ),
    state(
        "children",
        Status.FULL,
        at(14, 2),
        Text("count", {"people": 19, "time": at(14, 28)}),
        Text("over_capacity", {"people": 19, "capacity": 18}),
        people=19,
    ),
    state(
        "cabin",
        Status.FREE,
        at(14, 20),
        Text("radar_clear", {"device": "cabin-radar", "time": at(14, 19)}),
    ),
    state(
        "care",
        Status.UNKNOWN,
        at(11, 40),
        Text("silent", {"device": "care-radar", "time": at(11, 29)}),
        Text("would_help_door"),
    ),
    state("gym", Status.FREE, at(12, 55), Text("count_zero", {"time": at(12, 55)}), people=0),
    state("lecture", Status.CLOSED, at(12, 0), Text("closed_hours")),
    state(
        "meeting",
        Status.FREE,
        at(10, 15),
        Text("door_opened_after_motion", {"time": at(10, 14)}),
        Text("no_motion", {"device": "meeting-pir", "time": at(10, 3)}),
    ),
    state(
        "workshop",
        Status.UNKNOWN,
        at(14, 24),
        Text("disagree", {"a": "workshop-pir", "b": "workshop-radar"}),
        Text("motion", {"device": "workshop-pir", "time": at(14, 27)}),
    ),
    state(
        "storage",
        Status.FREE,
        at(9, 3) - 1440 * MINUTE_MS,
        Text("no_motion", {"device": "storage-pir", "time": at(9, 3) - 1440 * MINUTE_MS}),
    ),
)


def channel(
    value: float | None, unit: str = "", since: int = NOW_MS, *, reason: str = ""
) -> ChannelState:
    quality = Quality.BAD if reason else Quality.GOOD
    return ChannelState(value, unit, quality, reason, since, NOW_MS)


def device(
    id_: str,
    driver: str,
    room: str | None,
    health: Health = Health.OK,
    heard: int | None = NOW_MS,
    door: str | None = None,
    **channels: ChannelState,
) -> DeviceState:
    renamed = {key.replace("__", "."): value for key, value in channels.items()}
    return DeviceState(id_, driver, room, None, door, "built", health, heard, renamed)


DEVICES = (
    device("hall-radar-1", "ld2410", "hall", presence=channel(1, since=at(8, 12))),
    device("hall-counter", "zigbee2mqtt", "hall", people__count=channel(23, "{people}")),
    device(
        "hall-climate",
        "tasmota",
        "hall",
        temperature=channel(21.5, "Cel"),
        humidity=channel(48, "%"),
    ),
    device("front-door", "zigbee2mqtt", None, door="front", contact=channel(1, since=at(14, 30))),
    device("service-counter", "zigbee2mqtt", "service", people__count=channel(9, "{people}")),
    device("canteen-counter", "zigbee2mqtt", "canteen", people__count=channel(0, "{people}")),
    device("reading-pir", "zigbee2mqtt", "reading", motion=channel(0, since=at(14, 11))),
    device("reading-door", "zigbee2mqtt", "reading", contact=channel(0, since=at(14, 5))),
    device("children-counter", "zigbee2mqtt", "children", people__count=channel(19, "{people}")),
    device(
        "children-climate",
        "tasmota",
        "children",
        Health.FAULTY,
        temperature=channel(85.0, "Cel", reason="out_of_range"),
    ),
    device("cabin-bp", "and_tm265x", "cabin", heard=at(14, 16)),
    device("cabin-radar", "ld2410", "cabin", presence=channel(0, since=at(14, 19))),
    device(
        "care-radar",
        "ld2410",
        "care",
        Health.SILENT,
        at(11, 29),
        presence=channel(0, since=at(11, 2)),
    ),
    device("care-door", "zigbee2mqtt", "care", Health.SILENT, at(9, 0) - 1440 * MINUTE_MS),
    device("gym-counter", "zigbee2mqtt", "gym", people__count=channel(0, "{people}")),
    device("meeting-pir", "zigbee2mqtt", "meeting", motion=channel(0, since=at(10, 3))),
    device("workshop-pir", "zigbee2mqtt", "workshop", motion=channel(1, since=at(14, 27))),
    device("workshop-radar", "ld2410", "workshop", presence=channel(0, since=at(14, 24))),
    device("storage-pir", "zigbee2mqtt", "storage", motion=channel(0)),
    device("storage-lock", "zigbee2mqtt", "storage", Health.NEW, None),
)

CENTRE = Centre(
    id="hongmei",
    name=name("红梅邻里中心", "紅梅鄰里中心", "Hongmei Neighbourhood Centre"),
    timezone="Asia/Shanghai",
    buildings=BUILDINGS,
    rooms=ROOMS,
    doors=(Door("front", ("hall", "outside")),),
    devices=(),
)


class SampleHub:
    """Rooms, devices and the hub itself; a test changes what it needs."""

    def __init__(self, centre: Centre = CENTRE) -> None:
        self.centre = centre
        self.state_of = {state.room: state for state in STATES}
        self.device_of = {device.id: device for device in DEVICES}
        self.now = NOW_MS
        self.stored = StorageState()
        self.untaken = 0
        self.down: dict[str, str] = {}
        self.factor = 1.0
        self.trusted = True
        self.copied: Sequence[CopyState] = ()
        self.slots: dict[str, Slot] = {}

    def rooms(self) -> Sequence[Room]:
        return self.centre.rooms

    def state(self, room: str) -> RoomState:
        return self.state_of[room]

    def states(self) -> Sequence[RoomState]:
        return list(self.state_of.values())

    async def steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        """Plausible days of every status; nothing is recorded from 9:40 to 10:30, or later."""
        day = [
            (0, 7, Status.CLOSED, None),
            (7, 8.2, Status.FREE, 0),
            (8.2, 8.7, Status.IN_USE, 3),
            (8.7, 9.3, Status.IN_USE, 11),
            (9.3, 9.66, Status.IN_USE, 7),
            (10.5, 11, Status.UNKNOWN, None),
            (11, 12.4, Status.FULL, 20),
            (12.4, 13, Status.IN_USE, 9),
            (13, 14.5, self.state_of[room].status, 4),
        ]
        steps = []
        for nth, begin in enumerate(range(from_ms, to_ms, DAY_MS)):
            busy = 1 if begin == from_ms else 1 + nth % 5 / 10  # no two days are quite the same
            for a, b, status, people in day:
                if begin > from_ms and nth % 7 == 5 and status is not Status.CLOSED:
                    continue
                at, end = (begin + min(round(x * busy * HOUR_MS), DAY_MS) for x in (a, b))
                if end <= to_ms or begin == from_ms:
                    steps.append(RoomStep(at, end, status, people))
        return steps

    def devices(self) -> Sequence[DeviceState]:
        return list(self.device_of.values())

    def device(self, device: str) -> DeviceState:
        return self.device_of[device]

    def counts(self) -> dict[Health, int]:
        return dict(Counter(device.health for device in self.device_of.values()))

    def in_room(self, room: str) -> Sequence[DeviceState]:
        return [d for d in self.device_of.values() if d.room == room]

    def now_ms(self) -> int:
        return self.now

    def speed(self) -> float:
        return self.factor

    def is_time_trusted(self) -> bool:
        return self.trusted

    def slot(self, room: str) -> Slot:
        return self.slots.get(room, OPEN)

    def alerts(self) -> int:
        return self.untaken

    def unknown_year(self) -> int | None:
        return None

    def copies(self) -> Sequence[CopyState]:
        return self.copied

    def storage(self) -> StorageState:
        return self.stored

    def links_down(self) -> Mapping[str, str]:
        return self.down

    def change(self, room: str, **changed: object) -> None:
        """Give a room another state."""
        self.state_of[room] = msgspec.structs.replace(self.state_of[room], **changed)
