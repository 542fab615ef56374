"""A store that has been watched for two weeks, for the page of it."""

from __future__ import annotations

from hub.domain.room import Text
from hub.domain.views import CopyState
from hub.storage.rules import DAY_MS, Basis, Pace, life_years
from hub.storage.service import Account, Day
from tests.web.sample_centre import NOW_MS

TODAY = NOW_MS // DAY_MS
PURPOSES = {
    "changes": 21_400_000,
    "checkpoint": 6_100_000,
    "moving": 9_900_000,
    "sealing": 5_200_000,
    "hours": 900_000,
    "log": 41_000,
    "backup": 2_800_000,
    "other": 310_000,
}


def day(age: int, factor: float = 1.0) -> Day:
    return Day(TODAY - age, {key: int(count * factor) for key, count in PURPOSES.items()})


def sample_account(factor: float = 1.0) -> Account:
    days = [day(0, 0.4), *(day(age, factor * (1 + age % 3 / 20)) for age in range(1, 14))]
    bytes_a_day = sum(item.total for item in days[1:8]) / 7
    return Account(
        now_ms=NOW_MS,
        database=812_000_000,
        free=21_300_000_000,
        card_size=32_000_000_000,
        rewrites=500,
        oldest_ms=NOW_MS - 310 * DAY_MS,
        growth=2_600_000.0,
        full_ms=None,
        pace=Pace(bytes_a_day, Basis.DAYS, 7),
        years=life_years(bytes_a_day, 32_000_000_000, 500),
        days=days,
        copies=[
            CopyState("mirror", "influxdb", NOW_MS - 7_200_000, Text("link.unreachable")),
            CopyState("backup", "/media/usb/linli", NOW_MS - 30_000_000),
        ],
    )


class SampleStorage:
    """Answers what a test put into it."""

    def __init__(self) -> None:
        self.known = sample_account()

    async def account(self) -> Account:
        return self.known
