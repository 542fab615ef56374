"""Which permission each route asks for: one line a route. A route without a line stops the start.

The guard finds the line before FastAPI looks at a request, with Starlette's own patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from starlette.routing import BaseRoute, Route, compile_path

from hub.domain.access import Permission

_P = Permission

RULES: Mapping[tuple[str, str], Permission] = MappingProxyType(
    {
        # probes, and what every page needs
        ("GET", "/healthz"): _P.PUBLIC,
        ("GET", "/readyz"): _P.PUBLIC,
        ("GET", "/metrics"): _P.OPERATION,
        ("GET", "/static/{digest}/{name:path}"): _P.PUBLIC,
        ("GET", "/favicon.ico"): _P.PUBLIC,
        ("GET", "/docs"): _P.ROOMS,
        ("GET", "/openapi.json"): _P.ROOMS,
        # the API
        ("GET", "/api/v1/status"): _P.ROOMS,
        ("GET", "/api/v1/availability"): _P.PUBLIC,
        ("GET", "/api/v1/rooms"): _P.ROOMS,
        ("GET", "/api/v1/rooms/{room}"): _P.ROOMS,
        ("GET", "/api/v1/rooms/{room}/history"): _P.ROOMS,
        ("GET", "/api/v1/rooms/{room}/explain"): _P.ROOMS,
        ("GET", "/api/v1/devices"): _P.DEVICES,
        ("GET", "/api/v1/devices/{device}"): _P.DEVICES,
        ("GET", "/api/v1/readings"): _P.DEVICES,
        ("GET", "/api/v1/events"): _P.ROOMS,  # with devices for who may see them
        ("GET", "/api/v1/storage"): _P.OPERATION,
        ("GET", "/api/v1/mirrors"): _P.OPERATION,
        ("GET", "/api/v1/backups"): _P.OPERATION,
        ("GET", "/api/v1/audit"): _P.AUDIT,
        ("GET", "/api/v1/timetable"): _P.ROOMS,
        ("GET", "/api/v1/faults"): _P.ALERTS,
        ("GET", "/api/v1/faults/{number}"): _P.ALERTS,
        ("GET", "/api/v1/alerts"): _P.ALERTS,
        ("GET", "/api/v1/nights"): _P.ALERTS,
        ("GET", "/api/v1/alerts/{number}"): _P.ALERTS,
        ("POST", "/api/v1/alerts/{number}/acknowledge"): _P.REPAIR,
        ("POST", "/api/v1/alerts/{number}/shelve"): _P.REPAIR,
        ("POST", "/api/v1/alerts/{number}/unshelve"): _P.REPAIR,
        ("POST", "/api/v1/alerts/{number}/assign"): _P.REPAIR,
        ("GET", "/api/v1/work-orders"): _P.ALERTS,
        ("GET", "/api/v1/work-orders/{number}"): _P.ALERTS,
        ("POST", "/api/v1/work-orders"): _P.REPAIR,
        ("POST", "/api/v1/work-orders/{number}/done"): _P.REPAIR,
        ("POST", "/api/v1/work-orders/{number}/confirm"): _P.REPAIR,
        ("POST", "/api/v1/work-orders/{number}/comment"): _P.REPAIR,
        ("POST", "/api/v1/work-orders/{number}/assign"): _P.REPAIR,
        ("POST", "/api/v1/work-orders/{number}/cancel"): _P.REPAIR,
        ("GET", "/api/v1/reports"): _P.ALERTS,
        ("GET", "/api/v1/statistics"): _P.ALERTS,
        ("GET", "/api/v1/rooms/{room}/overrides"): _P.ROOMS,
        ("POST", "/api/v1/rooms/{room}/overrides"): _P.LOOK,
        ("DELETE", "/api/v1/rooms/{room}/overrides/{number}"): _P.LOOK,
        # pages of rooms and devices
        ("GET", "/events"): _P.SHOW,
        ("GET", "/"): _P.ROOMS,
        ("GET", "/wall"): _P.SHOW,
        ("GET", "/rooms/{room_id}"): _P.ROOMS,
        ("GET", "/lobby"): _P.SHOW,
        ("GET", "/availability"): _P.PUBLIC,
        ("GET", "/rooms/{room_id}/sign"): _P.PUBLIC,
        ("GET", "/devices"): _P.DEVICES,
        ("GET", "/devices/{device_id}"): _P.DEVICES,
        ("GET", "/storage"): _P.OPERATION,
        ("GET", "/timetable"): _P.ROOMS,
        ("POST", "/timetable/days"): _P.TIMETABLE,
        ("POST", "/timetable/days/{day}/remove"): _P.TIMETABLE,
        ("POST", "/timetable/years/{year}"): _P.TIMETABLE,
        ("GET", "/closing"): _P.LOOK,
        ("POST", "/closing/{room_id}"): _P.LOOK,
        ("POST", "/rooms/{room_id}/overrides"): _P.LOOK,
        ("POST", "/overrides/{number}/end"): _P.LOOK,
        # what is broken
        ("GET", "/alerts"): _P.ALERTS,
        ("GET", "/alerts/{number}"): _P.ALERTS,
        ("POST", "/alerts/{number}/acknowledge"): _P.REPAIR,
        ("POST", "/alerts/{number}/shelve"): _P.REPAIR,
        ("POST", "/alerts/{number}/unshelve"): _P.REPAIR,
        ("POST", "/alerts/{number}/assign"): _P.REPAIR,
        # what is done about it
        ("GET", "/work-orders"): _P.ALERTS,
        ("GET", "/work-orders/{number}"): _P.ALERTS,
        ("POST", "/work-orders"): _P.REPAIR,
        ("POST", "/work-orders/{number}/done"): _P.REPAIR,
        ("POST", "/work-orders/{number}/confirm"): _P.REPAIR,
        ("POST", "/work-orders/{number}/comment"): _P.REPAIR,
        ("POST", "/work-orders/{number}/assign"): _P.REPAIR,
        ("POST", "/work-orders/{number}/cancel"): _P.REPAIR,
        ("GET", "/batteries"): _P.ALERTS,
        ("GET", "/batteries.csv"): _P.ALERTS,
        ("GET", "/statistics"): _P.ALERTS,
        ("GET", "/statistics.csv"): _P.ALERTS,
        ("GET", "/devices/{device_id}/life"): _P.ALERTS,
        ("POST", "/devices/{device_id}/life"): _P.REPAIR,
        ("GET", "/reports"): _P.ALERTS,
        ("POST", "/reports/{number}/answer"): _P.REPAIR,
        ("GET", "/rooms/{room_id}/report/sheet"): _P.REPAIR,
        ("GET", "/rooms/{room_id}/report"): _P.PUBLIC,
        ("POST", "/rooms/{room_id}/report"): _P.PUBLIC,
        # who is told
        ("GET", "/api/v1/notifications"): _P.ALERTS,
        ("GET", "/roster"): _P.ALERTS,
        ("POST", "/roster/drill"): _P.ROSTER,
        ("POST", "/roster/stand-ins"): _P.ROSTER,
        ("POST", "/roster/stand-ins/{number}/remove"): _P.ROSTER,
        ("GET", "/ack/{token}"): _P.PUBLIC,
        ("POST", "/ack/{token}"): _P.PUBLIC,
        # signing in
        ("GET", "/set-up"): _P.PUBLIC,
        ("POST", "/set-up"): _P.PUBLIC,
        ("GET", "/sign-in"): _P.PUBLIC,
        ("POST", "/sign-in"): _P.PUBLIC,
        ("GET", "/screen/pair"): _P.PUBLIC,
        ("POST", "/screen/pair"): _P.PUBLIC,
        ("POST", "/sign-out"): _P.OWN,
        ("GET", "/account"): _P.OWN,
        ("POST", "/account/password"): _P.OWN,
        ("POST", "/account/sign-out-everywhere"): _P.OWN,
        # who may come in, and who changed what
        ("GET", "/people"): _P.PEOPLE,
        ("POST", "/people"): _P.PEOPLE,
        ("POST", "/people/{name}/roles"): _P.PEOPLE,
        ("POST", "/people/{name}/password"): _P.PEOPLE,
        ("POST", "/people/{name}/disable"): _P.PEOPLE,
        ("POST", "/people/{name}/enable"): _P.PEOPLE,
        ("GET", "/tokens"): _P.PEOPLE,
        ("POST", "/tokens"): _P.PEOPLE,
        ("POST", "/tokens/screens"): _P.PEOPLE,
        ("POST", "/tokens/{name}/revoke"): _P.PEOPLE,
        ("GET", "/audit"): _P.AUDIT,
    }
)


class NoRuleError(RuntimeError):
    """A route that nobody decided about: nothing is started."""


class _Pattern(NamedTuple):
    prefix: str
    regex: re.Pattern[str]
    methods: dict[str, Permission]


class Table:
    """Finds the rule of a request in a few microseconds."""

    def __init__(self, rules: Mapping[tuple[str, str], Permission] = RULES) -> None:
        self._plain: dict[str, dict[str, Permission]] = {}
        templates: dict[str, dict[str, Permission]] = {}
        for (method, path), permission in rules.items():
            kind = templates if "{" in path else self._plain
            kind.setdefault(path, {})[method] = permission
        self._patterns = [
            _Pattern(path.partition("{")[0], compile_path(path)[0], methods)
            for path, methods in templates.items()
        ]

    def methods(self, path: str) -> Mapping[str, Permission] | None:
        """What each method of a path asks for; None: there is no such path."""
        found = self._plain.get(path)
        if found is not None:
            return found
        merged: dict[str, Permission] = {}
        for prefix, regex, methods in self._patterns:
            if path.startswith(prefix) and regex.match(path):
                merged = methods | merged  # the first that matches wins, as in the application
        return merged or None


def require_rules(routes: Iterable[BaseRoute]) -> None:
    """Every method of every route has its line.

    Raises:
        NoRuleError: one has none; says which.
    """
    for method, path in served(routes):
        if (method, path) not in RULES:
            raise NoRuleError(
                f"{method} {path} has no rule, so nobody would know who may ask for it."
                " Nothing was started. Add its line to hub/access/routes.py."
            )


def served(routes: Iterable[BaseRoute]) -> Iterable[tuple[str, str]]:
    """Method and template of each route.

    Raises:
        NoRuleError: something is mounted whose routes nobody can list.
    """
    for route in routes:
        if not isinstance(route, Route):
            raise NoRuleError(f"{route} is no plain route; give each of its routes a rule.")
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, route.path
