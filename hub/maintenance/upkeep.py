"""At each start: the oldest rows go where there are very many, and what still matters is read."""

from __future__ import annotations

import logging
from functools import partial

from hub.ledger import UNWRITABLE, Store
from hub.maintenance import rows, rules
from hub.maintenance.rows import Recalled

log = logging.getLogger(__name__)


async def recalled(store: Store, now_ms: int) -> Recalled:
    """What stood when the hub stopped.

    Raises:
        QueryTooSlowError, StoreBusyError
    """
    try:
        await store.work("maintenance", rows.forget)
    except UNWRITABLE as error:  # there is time until the next start
        log.warning("Old work orders were not cleared away: %s", error)
    return await store.ask(partial(rows.recalled, since_ms=now_ms - rules.HOLDS_MS))
