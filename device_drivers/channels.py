"""The one catalogue of channels: what a value means, in which unit, and what is plausible.

A channel is named once, here, and every driver uses its unit. Codes are given where a standard
has one for exactly this quantity: LOINC and IEEE 11073 (MDC) for people, Brick for buildings.

Ranges say what the quantity can be, not what is usual: outside them a value is kept, marked bad
and called ``implausible``. Those of blood pressure are the accepted ranges of the health kiosk.

An event is a change that matters at once (a door, a person); telemetry may be kept a minute later.
What is personal belongs to a human being: it never enters the data of the building.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

NONE = "1"  # UCUM for a number without a unit: counts, and 0 or 1 for no and yes
TEXT = ""  # a token has no unit at all
SYMBOLS = MappingProxyType(
    {"mm[Hg]": "mmHg", "Cel": "°C", "[ppm]": "ppm", "dB{mW}": "dBm", NONE: "", TEXT: ""}
)


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity."""

    name: str
    meaning: str
    unit: str = NONE
    low: float | None = None
    high: float | None = None
    event: bool = False
    personal: bool = False
    whole: bool = False
    """Only whole numbers make sense (a count, yes or no)."""
    loinc: str = ""
    mdc: int | None = None
    brick: str = ""

    @property
    def symbol(self) -> str:
        """The unit as people write it (``mmHg`` for ``mm[Hg]``)."""
        return SYMBOLS.get(self.unit, self.unit)

    @property
    def is_flag(self) -> bool:
        """Yes (1) or no (0)."""
        return self.whole and (self.low, self.high) == (0, 1)


def _flag(name: str, meaning: str, brick: str = "") -> Channel:
    """Yes or no, and an event when it changes."""
    return Channel(name, meaning, NONE, 0, 1, event=True, whole=True, brick=brick)


def _count(name: str, meaning: str, high: float, brick: str = "") -> Channel:
    return Channel(name, meaning, NONE, 0, high, event=True, whole=True, brick=brick)


def _pressure(name: str, meaning: str, low: float, high: float, loinc: str, mdc: int) -> Channel:
    return Channel(name, meaning, "mm[Hg]", low, high, True, True, loinc=loinc, mdc=mdc)


_ALL = (
    _flag("contact", "a door, window or input: 1 is open", "Contact_Sensor"),
    _flag("motion", "something moved (passive infrared)", "Motion_Sensor"),
    _flag("presence", "a person is there, also a still one (radar)", "Occupancy_Sensor"),
    _flag("occupancy", "another system's verdict that does not say how it knows"),
    _flag("online", "the device, or what it depends on, is reachable"),
    _flag("relay", "an output is switched on"),
    _flag("tamper", "the housing was opened"),
    _count("people.count", "people inside now", 10_000, "Occupancy_Count_Sensor"),
    _count("people.in", "people who came in, ever growing", 2**32),
    _count("people.out", "people who went out, ever growing", 2**32),
    _pressure("bp.systolic", "systolic blood pressure", 60, 280, "8480-6", 150021),
    _pressure("bp.diastolic", "diastolic blood pressure", 30, 200, "8462-4", 150022),
    # A mean lies between its two pressures, so their outer limits are its own.
    _pressure("bp.mean", "mean arterial pressure", 30, 280, "8478-0", 150023),
    Channel("pulse.rate", "pulse", "/min", 30, 220, True, True, loinc="8867-4", mdc=149546),
    Channel("card.token", "the number a card carries", TEXT, event=True, personal=True),
    Channel("battery.level", "charge left", "%", 0, 100),
    Channel("battery.voltage", "voltage of the battery", "V", 0, 24),
    Channel("battery.low", "the device asks for a new battery", NONE, 0, 1, whole=True),
    Channel("link.quality", "how well the radio is heard, 100 is best", "%", 0, 100),
    Channel("link.rssi", "received signal strength", "dB{mW}", -130, 20),
    Channel("temperature", "air temperature", "Cel", -40, 85, brick="Air_Temperature_Sensor"),
    Channel("humidity", "relative humidity", "%", 0, 100, brick="Humidity_Sensor"),
    Channel("co2", "carbon dioxide in the air", "[ppm]", 200, 40_000, brick="CO2_Sensor"),
    Channel("illuminance", "light on the sensor", "lx", 0, 200_000, brick="Illuminance_Sensor"),
)

CHANNELS = MappingProxyType({channel.name: channel for channel in _ALL})
_PERSONAL = frozenset(channel.name for channel in _ALL if channel.personal)
_EVENTS = frozenset(channel.name for channel in _ALL if channel.event)


def is_personal(channel: str) -> bool:
    """Does it belong to a human being? Then only the health subject may see it."""
    return channel in _PERSONAL


def is_event(channel: str) -> bool:
    """Must a change be kept within a second?"""
    return channel in _EVENTS
