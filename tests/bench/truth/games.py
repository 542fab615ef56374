"""The parameters of the proof: one set to tune rules with, another for what is published.

No rule is ever changed by looking at the published seeds and parameters. Both describe people and
sensors that are worse than usual; where they differ, neither is the other's middle.
"""

from __future__ import annotations

import msgspec

from simulator.habits import PERFECT, Habits, Imperfections


class Parameters(msgspec.Struct, frozen=True):
    name: str
    seeds: tuple[int, ...]
    habits: Habits
    imperfections: Imperfections


TUNING = Parameters(
    "tuning",
    (3, 4),
    Habits(
        naps=0.02,
        nap_minutes=(20, 60),
        wanders=0.1,
        forgets=0.05,
        stays_behind=0.15,
        leaves_at_once=0.3,
        pairs=0.2,
        props=0.01,
        peeks=3,
        draughts=0.05,
    ),
    Imperfections(
        pir_misses=0.2,
        pir_blind=0.05,
        radar_loses=2,
        counter_misses=0.01,
        counter_doubles=0.005,
        counter_merges_ms=700,
        counter_forgets=True,
    ),
)

PUBLISHED = Parameters(
    "published",
    (101, 202),
    Habits(
        naps=0.03,
        nap_minutes=(15, 75),
        wanders=0.15,
        wander_minutes=(3, 12),
        forgets=0.08,
        forgets_after_s=(30, 500),
        stays_behind=0.2,
        behind_minutes=(3, 60),
        leaves_at_once=0.5,
        pairs=0.15,
        props=0.015,
        prop_minutes=(1, 40),
        peeks=4.5,
        draughts=0.06,
    ),
    Imperfections(
        pir_misses=0.15,
        pir_blind=0.08,
        pir_clears_s=90,
        radar_loses=3,
        radar_loses_s=(3, 50),
        counter_misses=0.015,
        counter_doubles=0.01,
        counter_merges_ms=900,
        counter_forgets=True,
    ),
)

SEEN_BY_ALL = 300
"""Failures are told apart from what healthy sensors miss: the others are perfect, and nobody keeps
still for longer than this many seconds."""
FAULTS_TUNING = Parameters(
    "failures, tuning",
    (7,),
    Habits(stillest_s=SEEN_BY_ALL, wanders=0.1, peeks=1, draughts=0.1),
    PERFECT,
)
FAULTS_PUBLISHED = Parameters(
    "failures, published",
    (303, 404),
    Habits(
        stillest_s=SEEN_BY_ALL, wanders=0.2, forgets=0.1, stays_behind=0.3, peeks=2.5, draughts=0.1
    ),
    PERFECT,
)
