"""What a configuration file may say. The strings under the fields become docs/configuration.md."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from edge.settings import DeviceSettings, Identifier, MqttSettings, Section
from hub.configuration.keeping import (
    BackupSection,
    ClockSection,
    MirrorSettings,
    StorageSection,
)
from hub.configuration.notify import NotifySection
from hub.configuration.publish import PublishSection
from hub.configuration.small_types import Count, HostName, LeftOpen, Name
from hub.configuration.timetable import TimetableSection

Kind = Literal[
    "health_cabin", "canteen", "reading_room", "lecture_hall", "gym", "children", "day_care",
    "meeting", "living_room", "service_hall", "workshop", "music", "dance", "games", "office",
    "kitchen", "lobby", "corridor", "toilet", "refuse", "storage", "other",
]  # fmt: skip


class CentreSection(Section):
    """The centre itself."""

    id: Identifier
    """A short name, unique in the district; it appears in MQTT topics."""
    name: Name
    """What people call it, by language: zh-CN, zh-TW, en; at least one."""
    timezone: str
    """A name of the time zone database, for example Asia/Shanghai."""


class TlsSection(Section):
    """A certificate of the hub's own. Without it the pages are plain HTTP."""

    certificate: str = Field(min_length=1)
    """A file in PEM form, with the certificates between it and its root."""
    key: str = Field(min_length=1)
    """The file of its key, readable by the hub alone."""


class HttpSection(Section):
    """Where the web pages and the API are served."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """An address of this machine; 127.0.0.1 is this machine only, 0.0.0.0 is every network."""
    port: int = Field(default=8080, strict=True, ge=0, le=65535)
    """0 takes any free port."""
    names: Annotated[list[HostName], LeftOpen] = Field(default_factory=list)
    """Names that people may type beside the address: `linli.local`, `hub.example:8081`; and
    `https://hub.example` for one that a TLS proxy on this machine answers to."""
    tls: TlsSection | None = None
    """Serve HTTPS instead of HTTP."""


class AccessSection(Section):
    """Who may look."""

    open: bool = Field(default=False, strict=True)
    """True lets everybody on this machine in, without an account. For trials, on loopback only."""


class BuildingSettings(Section):
    """A house of the centre. Without any, one is implied."""

    id: Identifier
    """A short name, unique in the centre."""
    name: Name
    """What people call it, by language."""


class ZoneSettings(Section):
    """An open bay inside a room."""

    id: Identifier
    """A short name, unique in the room."""
    name: Name | None = None
    """What people call it, by language; the id if left out."""
    capacity: Count | None = None
    """How many people it is made for."""


class RoomSettings(Section):
    """A room."""

    id: Identifier
    """A short name, unique in the centre; `outside` is taken."""
    name: Name
    """What people call it, by language."""
    building: Identifier | None = None
    """Its building; may be left out where there is only one."""
    floor: int = Field(default=1, strict=True, ge=-20, le=200)
    """The storey: 1 is the ground floor, -1 the first basement."""
    kind: Kind
    """What it is for; it decides which sensors can prove that it is free."""
    capacity: Count | None = None
    """How many people it is made for; without it nothing is said about crowding."""
    zones: Annotated[list[ZoneSettings], LeftOpen] = Field(default_factory=list)
    """Open bays inside the room."""


class DoorSettings(Section):
    """A door ties two places. A room whose doors are all named here can be proven empty."""

    id: Identifier
    """A short name, unique in the centre."""
    between: tuple[str, str]
    """Two room ids, or a room id and `outside`."""


class PlanSettings(Section):
    """A floor as the centre drew it: an SVG in which each room's shape has the room's id."""

    building: Identifier | None = None
    """Its building; may be left out where there is only one."""
    floor: int = Field(default=1, strict=True, ge=-20, le=200)
    """The storey, as with rooms."""
    file: str = Field(min_length=1)
    """The drawing; its path starts at the folder of this file."""


class CentreSettings(Section):
    """A whole centre: one file, and beside it `devices.d/*.yaml` with further devices."""

    centre: CentreSection
    """The centre itself."""
    storage: StorageSection = StorageSection()
    """Where history is kept, and how long."""
    mirrors: Annotated[list[MirrorSettings], LeftOpen] = Field(default_factory=list)
    """Copies of the history on other servers."""
    backup: BackupSection | None = None
    """Copies of the whole state; none are made without it."""
    clock: ClockSection = ClockSection()
    """When the time of this machine is believed."""
    http: HttpSection = HttpSection()
    """Where the web pages and the API are served."""
    access: AccessSection = AccessSection()
    """Who may look."""
    mqtt: MqttSettings = MqttSettings()
    """The broker; connected to only where a device needs it or rooms are published."""
    publish: PublishSection | None = None
    """Rooms given back to the field; without it they are not."""
    buildings: Annotated[list[BuildingSettings], LeftOpen] = Field(default_factory=list)
    """Houses; one is implied."""
    rooms: Annotated[list[RoomSettings], LeftOpen] = Field(default_factory=list)
    """Rooms."""
    doors: Annotated[list[DoorSettings], LeftOpen] = Field(default_factory=list)
    """Doors, where they are known."""
    plans: Annotated[list[PlanSettings], LeftOpen] = Field(default_factory=list)
    """Floor plans that somebody drew; for a floor without one a plain one is made."""
    devices: Annotated[list[DeviceSettings], LeftOpen] = Field(default_factory=list)
    """Monitors, sensors, readers."""
    timetable: TimetableSection | None = None
    """When rooms are open, and what for; without it, always."""
    notify: NotifySection | None = None
    """Who is told of alerts, and how; without it nobody is."""

    @model_validator(mode="before")
    @classmethod
    def _sections_left_open(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        sections = {"storage", "backup", "clock", "http", "access", "mqtt", "publish"}
        sections |= {"timetable", "notify"}
        return {k: v for k, v in data.items() if not (v is None and k in sections)}
