"""What a channel said in a minute, an hour or a day, as a document."""

from __future__ import annotations

from collections.abc import Callable

from device_drivers.channels import CHANNELS
from hub.api.documents import SummaryDocument
from hub.domain.series import SeriesKey
from hub.store.rollup import HourRow
from hub.store.spans import Window


def summary(
    key: SeriesKey, window: Window, row: HourRow, stamp: Callable[[int], str]
) -> SummaryDocument:
    """What the API says of one window; ``stamp``: how times are written."""
    return SummaryDocument(
        device=key.device,
        channel=f"{key.channel}.{key.part}" if key.part else key.channel,
        from_=stamp(window.from_ms),
        to=stamp(window.to_ms),
        mean=row.mean,
        min=row.low,
        max=row.high,
        share=shares(key.channel, row),
        # rows of an hour may count time twice until a clock that was set back is mended
        covered=min(round(row.covered_ms / (window.to_ms - window.from_ms), 6), 1.0),
    )


def shares(channel: str, row: HourRow) -> dict[str, float]:
    """Of the covered time by value: for words, and for yes and no."""
    if row.shares:
        whole = sum(row.shares.values())
        return {word: round(ms / whole, 6) for word, ms in row.shares.items()}
    known = CHANNELS.get(channel)  # an older version may have had others
    if row.mean is None or known is None or not known.is_flag:
        return {}
    found = {"0": round(1 - row.mean, 6), "1": round(row.mean, 6)}
    return {value: share for value, share in found.items() if share}
