"""The parameters of the labelled weeks: one set to tune detectors with, another for what is
published. Nobody changes a detector by looking at the published seeds and parameters."""

from __future__ import annotations

import msgspec

from simulator.habits import Habits, Imperfections
from tests.bench.weeks.calendar import Season

Span = tuple[float, float]


class Sensing(msgspec.Struct, frozen=True):
    """How sensors are while they are well."""

    imperfections: Imperfections
    loses: float  # share of messages that a well radio loses
    radio_usual: Span  # link quality of well sensors, 0 to 255: some have always been poor
    battery_used: float  # at most so much of a healthy battery's life is over
    battery_shakes: float  # per cent of noise in its level
    battery_floor: Span  # what they say at most when they are empty, for one in three
    battery_idles: float  # share of batteries that say little for months, and are well
    garbles: float  # share of frames that a well device garbles
    glitches: float  # impossible values in a day of a device that measures


class Mishaps(msgspec.Struct, frozen=True):
    """What happens to a well-kept house, in times a week; none of it is a fault of a sensor."""

    gateway_restarts: float = 2.0
    gateway_s: Span = (12, 45)
    broker_restarts: float = 2.0
    broker_s: Span = (2, 15)
    line_blips: float = 1.5  # a serial adapter, or the USB hub, is there again at once
    usb_blips: float = 0.7
    blip_s: Span = (2, 12)
    wedges: float = 1.0  # a door is wedged open while the floor dries, in a shut house
    wedge_h: Span = (3, 7.5)
    calibrations: float = 2.0  # a radar measures its background
    calibration_s: Span = (20, 150)
    hub_restarts: float = 1.5
    hub_s: Span = (20, 180)
    hub_cuts: float = 0.4  # its plug is pulled; the house goes on
    hub_cut_h: Span = (0.3, 9)
    house_cuts: float = 0.4  # no power in the house
    house_cut_h: Span = (0.1, 5)
    lags: float = 20.0  # the hub is busy for a moment (a backup)
    lag_s: Span = (0.5, 4)


class Faults(msgspec.Struct, frozen=True):
    """How bad the faults are that are planted."""

    each: int  # onsets of each kind in a game
    garbled: Span = (0.35, 0.9)  # share of frames
    impossible: Span = (0.3, 0.9)  # share of messages
    errors: Span = (0.6, 1.0)  # share of messages
    flaps_s: Span = (6, 35)  # at most so many seconds between two changes
    weak_factor: Span = (0.12, 0.3)
    weak_loses: Span = (0.35, 0.6)
    drain_days: Span = (5, 9)
    jump: Span = (7, 14)  # degrees
    drift: Span = (0.8, 1.5)  # degrees a day
    noise: Span = (1.5, 3)  # degrees
    misses_out: Span = (0.4, 0.8)  # share of those who leave and are not counted
    clock_h: Span = (0.75, 9)
    lag_s: Span = (3, 12)


class Parameters(msgspec.Struct, frozen=True):
    name: str
    seeds: tuple[int, ...]
    season: Season
    habits: Habits
    sensing: Sensing
    mishaps: Mishaps = Mishaps()
    faults: Faults | None = None


TUNED = Sensing(
    Imperfections(
        pir_misses=0.2, pir_blind=0.05, radar_loses=2, counter_misses=0.01, counter_doubles=0.005
    ),
    loses=0.004,
    radio_usual=(45, 220),
    battery_used=0.7,
    battery_shakes=0.7,
    battery_floor=(22, 38),
    battery_idles=0.06,
    garbles=0.0005,
    glitches=0.03,
)
TUNED_HABITS = Habits(
    wanders=0.1, forgets=0.05, stays_behind=0.1, pairs=0.1, props=0.01, peeks=3, draughts=0.05
)
TUNING = (
    Parameters(
        "faults, tuning",
        (3, 4),
        Season("2026-11-16", 21, heat=(12, 4)),
        TUNED_HABITS,
        TUNED,
        faults=Faults(5),
    ),
    Parameters(
        "healthy, tuning",
        (5,),
        Season("2027-01-18", 28, closure=(16, 8)),
        TUNED_HABITS,
        TUNED,
        Mishaps(hub_cuts=1, house_cuts=1),
    ),
    Parameters(
        "healthy heat, tuning",
        (6,),
        Season("2027-07-05", 21, heat=(9, 7)),
        TUNED_HABITS,
        TUNED,
    ),
)

SEEN = Sensing(
    Imperfections(
        pir_misses=0.15,
        pir_blind=0.08,
        pir_clears_s=90,
        radar_loses=3,
        counter_misses=0.015,
        counter_doubles=0.01,
    ),
    loses=0.006,
    radio_usual=(38, 230),
    battery_used=0.75,
    battery_shakes=0.9,
    battery_floor=(20, 42),
    battery_idles=0.08,
    garbles=0.0008,
    glitches=0.05,
)
SEEN_HABITS = Habits(
    wanders=0.15, forgets=0.08, stays_behind=0.2, pairs=0.15, props=0.015, peeks=4, draughts=0.06
)
PUBLISHED = (
    Parameters(
        "faults",
        (101, 102, 103, 104),
        Season("2026-10-12", 21, heat=(13, 3)),
        SEEN_HABITS,
        SEEN,
        Mishaps(gateway_s=(10, 50), hub_restarts=2),
        Faults(
            5,
            garbled=(0.4, 1.0),
            impossible=(0.35, 1.0),
            errors=(0.55, 1.0),
            flaps_s=(5, 40),
            weak_factor=(0.1, 0.33),
            drain_days=(4, 8),
            jump=(6, 16),
            drift=(0.7, 1.8),
            noise=(1.2, 3.5),
            clock_h=(0.6, 11),
        ),
    ),
    Parameters(
        "healthy, Spring Festival",
        (201,),
        Season("2028-01-10", 28, closure=(15, 8)),
        SEEN_HABITS,
        SEEN,
        Mishaps(hub_cuts=1, house_cuts=1, hub_cut_h=(0.2, 14), house_cut_h=(0.1, 7)),
    ),
    Parameters(
        "healthy, heat",
        (202,),
        Season("2027-06-21", 21, heat=(8, 9)),
        SEEN_HABITS,
        SEEN,
        Mishaps(gateway_restarts=4, broker_restarts=3),
    ),
)
