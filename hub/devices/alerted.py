"""Which open alerts concern a device: its own, and those of the wires it hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hub.bus import Bus
from hub.domain.events import AlertChanged
from hub.domain.fault import Alert


class Alerted:
    """``known``: those that are open already. ``tell`` hears which device has others now."""

    def __init__(self, bus: Bus, known: Iterable[Alert], tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._of: dict[str, set[int]] = {}
        for alert in known:
            self._set(alert.id, frozenset(), frozenset(alert.devices))
        bus.subscribe(AlertChanged, self._on_alert)

    def of(self, device: str) -> tuple[int, ...]:
        """The oldest first."""
        found = self._of.get(device)
        return tuple(sorted(found)) if found else ()

    def _on_alert(self, event: AlertChanged) -> None:
        before, now = event.before, event.alert
        old = frozenset(before.devices) if before is not None else frozenset[str]()
        new = frozenset(now.devices) if now.is_open else frozenset[str]()
        self._set(now.id, old, new)
        for device in sorted(old ^ new):
            self._tell(device)

    def _set(self, alert: int, old: frozenset[str], new: frozenset[str]) -> None:
        for device in new:
            self._of.setdefault(device, set()).add(alert)
        for device in old - new:
            left = self._of.get(device, set())
            left.discard(alert)
            if not left:
                self._of.pop(device, None)
