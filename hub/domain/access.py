"""Who asks, and what he may: roles, permissions, and the one table that ties them.

A route asks for one permission (``hub/access/routes.py``); a person, a token or a screen has roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec


class Role(StrEnum):
    """The roles of ARCHITECTURE section 8. ``public`` is everybody, signed in or not."""

    PUBLIC = "public"
    RESIDENT = "resident"
    STAFF = "staff"
    GRID_WORKER = "grid_worker"
    MAINTENANCE = "maintenance"
    NURSE = "nurse"
    DOCTOR = "doctor"
    MANAGER = "manager"
    INTEGRATOR = "integrator"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route asks for."""

    PUBLIC = "public"  # availability, door signs, signing in: nothing of it is anybody's secret
    SHOW = "show"  # the lobby's and the wall's screens
    ROOMS = "rooms"  # status of rooms, its reasons and its history
    DEVICES = "devices"  # devices and their readings
    OPERATION = "operation"  # storage, mirrors, backups, metrics
    LOOK = "look"  # say what one saw in a room, close it, walk the closing round
    TIMETABLE = "timetable"  # holidays and make-up days
    ALERTS = "alerts"  # what is broken, who takes care of it, what was done
    REPAIR = "repair"  # take care of it: acknowledge, shelve, work orders, self-tests
    ROSTER = "roster"  # who is called when; drills
    PEOPLE = "people"  # accounts, tokens, screens
    AUDIT = "audit"  # who changed what
    OWN = "own"  # one's own account: password, signing out


_EVERYBODY = frozenset({Permission.PUBLIC})
_SIGNED_IN = _EVERYBODY | {Permission.OWN}
_AT_WORK = _SIGNED_IN | {Permission.SHOW, Permission.ROOMS}
_STAFF = _AT_WORK | {Permission.LOOK, Permission.DEVICES, Permission.ALERTS}
_KEEPERS = {Permission.DEVICES, Permission.OPERATION, Permission.ALERTS, Permission.REPAIR}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.PUBLIC: _EVERYBODY,
        Role.RESIDENT: _SIGNED_IN,
        Role.STAFF: _STAFF,
        Role.GRID_WORKER: _AT_WORK | {Permission.LOOK},
        Role.MAINTENANCE: _AT_WORK | _KEEPERS,
        Role.NURSE: _AT_WORK,
        Role.DOCTOR: _AT_WORK,
        Role.MANAGER: _STAFF
        | {Permission.TIMETABLE, Permission.AUDIT, Permission.REPAIR, Permission.ROSTER},
        Role.INTEGRATOR: _AT_WORK | _KEEPERS,
        Role.ADMIN: frozenset(Permission),
    }
)
"""The permission table. A role has what stands here and nothing else."""

SCREEN = _EVERYBODY | {Permission.SHOW}
"""What a wall or a lobby display may: it is bound to one device and has no role."""


class Caller(StrEnum):
    """What kind of thing is asking."""

    NOBODY = "nobody"
    PERSON = "person"
    TOKEN = "token"  # noqa: S105 - a kind of caller
    SCREEN = "screen"  # a wall, a lobby display, a kiosk: bound to one device
    LOCAL = "local"  # anybody on this machine, in a trial that is open


class Principal(msgspec.Struct, frozen=True):
    """Who asks. ``name`` is an account, a token's or a screen's name: never shown to the public."""

    caller: Caller
    name: str
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def permissions(roles: frozenset[Role]) -> frozenset[Permission]:
    """What somebody with these roles may do; everybody may what the public may.

    >>> Permission.LOOK in permissions(frozenset({Role.NURSE, Role.STAFF}))
    True
    """
    return PERMISSIONS[Role.PUBLIC].union(*(PERMISSIONS[role] for role in roles))


NOBODY = Principal(Caller.NOBODY, "", permissions(frozenset()))
LOCAL = Principal(Caller.LOCAL, "local", permissions(frozenset({Role.ADMIN})) - {Permission.OWN})
