"""What the page of a device shows of the past of one of its channels."""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import urlencode

from device_drivers.contract import Quality, Value
from hub.domain.device import ChannelState, DeviceState
from hub.domain.series import SeriesKey
from hub.live import DEFAULT_SILENT_AFTER_MS
from hub.store.query import QueryTooSlowError, StoreBusyError
from hub.store.windows import Source, Wanted
from hub.web.device import channel_name, split, value_text, with_unit
from hub.web.history_devices import Chart, chart, look
from hub.web.history_spans import DEVICE_SPANS, date, percent, ticks, weekday
from hub.web.kept import Kept
from hub.web.page import Frame, translator

HOUR_FRESH_MS = 5_000


class Past:
    """Charts, each kept for a moment."""

    def __init__(self, frame: Frame, source: Source) -> None:
        self._frame = frame
        self._source = source
        self._hours: Kept[Chart] = Kept(HOUR_FRESH_MS)
        self._longer: Kept[Chart] = Kept()
        self._silent_after = {d.id: d.silent_after_ms for d in frame.centre.devices}

    async def context(
        self, device: DeviceState, channel: str, span: str, language: str
    ) -> dict[str, Any]:
        name = channel_name(channel, language)
        about = {
            "span": span,
            "channel": channel,
            "title": name,
            "offered": [(key, self._address(device.id, channel, key)) for key in DEVICE_SPANS],
            "chart": None,
        }
        try:
            drawn = await self._chart(device.id, channel, span)
        except (QueryTooSlowError, StoreBusyError):
            return about  # the page says so, and shows what it has
        return about | self._words(drawn, device.channels[channel], channel, span, language)

    async def _chart(self, device: str, channel: str, span: str) -> Chart:
        now, zone = self._frame.hub.now_ms(), self._frame.centre.timezone
        plain, part = split(channel)
        silence = self._silent_after.get(device, DEFAULT_SILENT_AFTER_MS)
        wanted = Wanted(SeriesKey(device, plain, part), silence)

        async def draw() -> Chart:
            return chart(await look(self._source, wanted, span, now, zone), plain, span, now, zone)

        kept = self._hours if span == "hour" else self._longer
        return await kept.get((wanted.key, span), now, draw)

    def _words(
        self, drawn: Chart, state: ChannelState, channel: str, span: str, language: str
    ) -> dict[str, Any]:
        t, zone = translator(language), self._frame.centre.timezone
        show = functools.partial(_shown, channel, state.unit, drawn.is_summed, language)
        yes = _shown(channel, state.unit, False, language, 1)
        total = drawn.total
        if drawn.kind == "flag":
            said = f"{yes} {_part(total.value)}"
        elif drawn.kind == "number" and total.covered:
            bounds = {"low": show(total.low), "high": show(total.high)}
            said = t("ui.number_said", mean=_mean(total.value, state.unit), **bounds)
        else:
            said = ""

        def begins(at_ms: int) -> str:
            if span in ("week", "month"):
                return f"{weekday(at_ms, zone, language)} {date(at_ms, zone, language)}"
            return self._frame.when(at_ms, language)

        return {
            "chart": drawn,
            "ticks": ticks(span, drawn.whole, zone, language),
            "show": show,
            "part": _part,
            "begins": begins,
            "yes": yes,
            "said": said,
        }

    def _address(self, device: str, channel: str, span: str) -> str:
        return f"/devices/{device}?{urlencode({'channel': channel, 'span': span})}#history"


def _shown(channel: str, unit: str, is_summed: bool, language: str, value: Value) -> str:
    """A value in words or with its unit; a mean with as many digits as make sense."""
    if value is None:
        return "–"
    if is_summed:
        return _mean(value, unit)
    state = ChannelState(value, unit, Quality.GOOD, "", 0, 0)
    return value_text(channel, state, language)


def _mean(value: Value, unit: str) -> str:
    if not isinstance(value, int | float):
        return "–"
    return with_unit(f"{value:.1f}" if isinstance(value, float) else str(value), unit)


def _part(value: Value) -> str:
    """The share of yes."""
    return f"{percent(value, 1)}\N{NO-BREAK SPACE}%" if isinstance(value, int | float) else "–"
