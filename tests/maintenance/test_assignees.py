"""Who is offered a work order: accounts that may repair, and that are one person however typed."""

from __future__ import annotations

import re
from pathlib import Path

from hub.domain.access import Role
from tests.access.closed_hub import ClosedHub

OFFERED = re.compile(r'<option value="([^"]*)">')


async def test_only_who_may_repair_is_offered_and_is_known_however_typed(tmp_path: Path) -> None:
    async with ClosedHub(tmp_path) as hub:
        hub.account("li.na", Role.MAINTENANCE)
        hub.account("wang", Role.STAFF)
        async with hub.browser() as li_na:
            await hub.answers(200, "/sign-in")  # it knows that there is somebody
            await li_na.sign_in("li.na")
            made = await li_na.send("/work-orders", "/work-orders", title="The lamp is loose")
            order = made.headers["location"]
            page = await li_na.get(order)
            assert OFFERED.findall(page.text) == ["li.na"]
            await li_na.send(order, f"{order}/assign", assignee=" Li.Na")
            assert 'value="li.na" list="offered"' in (await li_na.get(order)).text
            await li_na.send(order, f"{order}/assign", assignee="Mr Wu")
            assert 'value="Mr Wu" list="offered"' in (await li_na.get(order)).text
