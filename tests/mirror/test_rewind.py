"""A rewind through the real store: it goes back, and never forward over what was not sent."""

from __future__ import annotations

from pathlib import Path

from hub.mirror.ledger import Ledger, wish_rewind
from hub.store.outbox import MirrorCursor
from hub.store.store import DATABASE
from tests.store.making import T0_MS, Time, catch_up, feed, opened, report

HOUR_MS = 3_600_000


async def test_a_rewind_goes_back_and_never_forward(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    for hour in range(60):  # the first day and a half is sealed in the end
        time.ms = hour * HOUR_MS
        feed(store, report("d", time.now, temperature=hour))
        time.ms += 120_000
        await catch_up(store)
    await store.upkeep.look()
    mirrors = store.mirrors

    wish_rewind(tmp_path / DATABASE, "m", T0_MS + 50 * HOUR_MS)
    assert await mirrors.mirror_rewound("m") == MirrorCursor()  # nothing was sent yet
    assert await mirrors.mirror_rewound("m") is None

    sent: list[int] = []
    while (batch := await mirrors.outbox(mirrors.mirror_cursor("m"), 10)).cursor != (
        mirrors.mirror_cursor("m")
    ):
        sent += [change.observed_ms for change in batch.changes]
        mirrors.mirror_reached("m", batch.cursor)
    assert sorted(set(sent)) == [T0_MS + hour * HOUR_MS for hour in range(60)]

    wish_rewind(tmp_path / DATABASE, "m", T0_MS + 50 * HOUR_MS)
    back = await mirrors.mirror_rewound("m")
    assert back is not None
    again = await mirrors.outbox(back, 1_000)
    assert [change.value for change in again.changes] == list(range(50, 60))
    await store.close()

    with Ledger(tmp_path / DATABASE) as ledger:
        entry = ledger.entry("m")
        assert entry.cursor == back
        pieces = list(ledger.batches(entry.cursor, 0))
    values = [(change.value, is_sent) for batch, is_sent in pieces for change in batch.changes]
    assert values == [(hour, hour < 50) for hour in range(60)]
