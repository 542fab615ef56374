"""What the configuration may say about links: the part of it the edge reads."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from edge.durations import parse_duration

ID = r"^[a-z0-9][a-z0-9-]{0,39}$"
Identifier = Annotated[str, Field(pattern=ID)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SerialLink(Section):
    """A device on a serial line. What is left out is the driver's default."""

    serial: str
    """A stable name such as /dev/serial/by-id/..., or socket://host:port."""
    baud: int | None = Field(default=None, gt=0, le=4_000_000)
    """Bits per second."""
    parity: Literal["none", "even", "odd"] | None = None
    """Parity bit."""
    stop_bits: Literal[1, 2] | None = None
    """Stop bits."""
    data_bits: Literal[7, 8] | None = None
    """Data bits."""


class MqttLink(Section):
    """A device on MQTT."""

    mqtt: str = Field(min_length=1)
    """What fills the hole of the driver's topics, for example zigbee2mqtt/gym_door."""
    pattern: str | None = None
    """Another topic layout, with one {device} hole."""


class Tls(Section):
    """Encryption to the broker."""

    ca_file: str | None = None
    """Certificates to trust; without it the system's."""
    cert_file: str | None = None
    """Our own certificate."""
    key_file: str | None = None
    """Its key."""


class MqttSettings(Section):
    """The broker."""

    host: str = "127.0.0.1"
    """Where it listens."""
    port: int = Field(default=1883, gt=0, lt=65536)
    """1883 plain, 8883 with TLS."""
    username: str | None = None
    """Our account there."""
    password_file: str | None = None
    """A file that holds the password and nothing else."""
    tls: Tls | None = None
    """Present: TLS."""
    inflight: int = Field(default=20, ge=1, le=65535)
    """The broker's max_inflight_messages (20 unless it was changed; 1000 in our broker file)."""


class MapEntry(Section):
    """Where one part of a device with several inputs belongs."""

    room: Identifier | None = None
    """The room it watches."""
    door: Identifier | None = None
    """The door it watches."""
    zone: Identifier | None = None
    """The zone inside the room."""
    channel: str | None = None
    """What the value means here, for example presence instead of motion."""
    invert: bool = Field(default=False, strict=True)
    """Swap 0 and 1."""


class CalibrationSettings(Section):
    """When it is to be calibrated."""

    last: date | None = None
    """When it last was; a newer day that somebody entered on its page counts more."""
    every: Duration = timedelta(days=365)
    """How often; 30 days before, it is on the list of what is to be done."""


class DeviceSettings(Section):
    """One device: what it is, where it is, how it is reached."""

    id: Identifier
    """A short name, unique in the centre."""
    driver: str
    """One of `linli drivers`."""
    room: Identifier | None = None
    """The room it watches."""
    door: Identifier | None = None
    """The door it watches."""
    map: dict[str, MapEntry] | None = None
    """For a device with several inputs: part (or channel) to place."""
    zone: Identifier | None = None
    """The zone inside the room."""
    link: SerialLink | MqttLink
    """How it is reached."""
    silent_after: Duration | None = None
    """Silent after this long without a word; the driver's default if left out."""
    calibration: CalibrationSettings | None = None
    """How often it is calibrated; monitors of blood pressure are every year, also without it."""
