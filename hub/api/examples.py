"""An example of every document, put together from its schema and one word for each field.

Written by hand they would be a second copy of each shape, and old after the next field. A test
sees that every example fits its schema and that no field is without its word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.api.schemas import Schema, resolved

AT = "2026-11-20T07:20:00.000Z"
LATER = "2026-11-20T07:30:00.000Z"
SINCE = "2026-11-20T07:06:12.480Z"

WORDS: Mapping[str, Any] = {
    "acknowledged": 0,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "action": "override.add",
    "after": "closed until 2026-11-27T10:00:00Z: The floor is being polished",
    "agrees": True,
    "as_of": AT,
    "assignee": "wang",
    "at": AT,
    "author": "wang",
    "basis": "days",
    "basis_amount": 30,
    "because": ["Motion, 15:20 (motion sensor gym-motion)"],
    "before": "",
    "budget_per_day": 100_000_000,
    "building": "main",
    "by_file": {"linli.db": 10_200_000},
    "by_purpose": {"readings": 9_100_000, "rooms": 1_100_000},
    "bytes_per_day": 10_200_000,
    "capacity": 20,
    "cause": "It lost power or its radio link, or it is broken.",
    "channel": "temperature",
    "channels": {
        "motion": {
            "value": 1,
            "unit": "",
            "quality": "good",
            "reason": "",
            "observed_at": SINCE,
            "until": AT,
        }
    },
    "check": "Is it there, and does its light answer when you press its button?",
    "cleared_at": None,
    "clock": "trusted",
    "code": "motion",
    "commits_behind": 0,
    "confidence": 0.98,
    "configured": True,
    "covered": 1.0,
    "crowding": "low",
    "created_at": SINCE,
    "created_by": "wang",
    "damaged": 0,
    "database_bytes": 48_000_000,
    "day": "2026-11-20",
    "detail": "None is called attic. The list without a name shows what there is.",
    "device": "gym-motion",
    "door": None,
    "devices": ["gym-motion"],
    "done_at": AT,
    "driver": "zigbee2mqtt",
    "due": LATER,
    "effect": "What it watches is not seen any more. Cannot be judged now: Gym.",
    "enabled": True,
    "encrypted": True,
    "ended": None,
    "estimate": 4,
    "evidence": {"silent_s": 10_800, "usual_s": 600},
    "fault": 31,
    "faulty": 0,
    "floor": 4,
    "free_bytes": 12_000_000_000,
    "from": SINCE,
    "full_at": None,
    "growth_per_day": 1_600_000,
    "health": "ok",
    "heard": AT,
    "held": None,
    "high": 5,
    "holiday": None,
    "id": "gym",
    "is_drill": False,
    "kind": "gym",
    "last": AT,
    "last_heard": AT,
    "last_seen": AT,
    "last_success": AT,
    "limit": None,
    "link": None,
    "links_down": [],
    "links_up": ["mqtt 127.0.0.1:1883"],
    "low": 3,
    "made_at": "2026-11-20T03:00:00.000Z",
    "maturity": "tried",
    "max": 22.5,
    "mean": 21.4,
    "merged_into": None,
    "min": 20.1,
    "name": "Gym",
    "new": 0,
    "next": None,
    "observed_at": SINCE,
    "ok": True,
    "oldest_reading": "2024-11-20T07:20:00.000Z",
    "oldest_unsent": None,
    "open": True,
    "override": None,
    "params": {"device": "gym-motion", "time": AT},
    "parent": None,
    "part": "",
    "people": None,
    "people_mean": 3.5,
    "proven_at": None,
    "points": 1_204_332,
    "presence": "present",
    "purpose": "training",
    "quality": "good",
    "raised": 0,
    "raised_at": AT,
    "reason": "",
    "received_at": SINCE,
    "rehearsed_at": "2026-11-15T03:10:00.000Z",
    "rejected": 0,
    "remedy": "Restore its power or change its battery, then let it speak once.",
    "reopened": 0,
    "rewrites": 1_000,
    "room": "gym",
    "rooms_blinded": ["gym"],
    "said": "in_use",
    "severity": "high",
    "share": {"free": 0.75, "in_use": 0.25},
    "shelved_until": None,
    "silent": 1,
    "since": SINCE,
    "size": 32_000_000_000,
    "state": "ok",
    "stands": False,
    "status": "in_use",
    "step": "",
    "storage": "ok",
    "target": "gym",
    "text": "The last backup is whole and was tried out.",
    "time_source": "hub",
    "title": "There is no such room",
    "to": AT,
    "total": 10_200_000,
    "trouble": "",
    "type": "urn:linli:problem:unknown_room",
    "unit": "Cel",
    "unstable": 0,
    "until": LATER,
    "url": "http://127.0.0.1:8428",
    "valid_until": LATER,
    "value": 21.5,
    "verified_at": None,
    "wanted": 3,
    "who": "wang",
    "whole": True,
    "within_budget": True,
    "working": False,
    "write_amplification": 10,
    "years": 85.0,
    "zone": None,
}
OF: Mapping[str, Mapping[str, Any]] = {
    "AlertDocument": {
        "id": 12,
        "kind": "silent",
        "state": "raised",
        "text": "gym-motion has been silent for 3 h; it usually speaks every 10 min",
    },
    "Alive": {"status": "alive"},
    "AssignWish": {"assignee": "wang"},
    "AuditDocument": {"id": 1},
    "BackupDocument": {"name": "linli-hongmei-2026-11-20.age", "size": 21_000_000},
    "BackupsDocument": {"code": "backup.ok", "params": {}},
    "CentreDocument": {"id": "hongmei", "name": "Hongmei Centre"},
    "CopyDocument": {"kind": "mirror", "name": "victoria"},
    "DeviceCounts": {"ok": 6},
    "NotificationsDocument": {
        "waiting": 1,
        "overdue": 0,
        "uncertain": 0,
        "heartbeat": AT,
        "drill": SINCE,
    },
    "WayDocument": {
        "id": "duty-mail",
        "kind": "email",
        "waiting": 1,
        "proven": SINCE,
        "error": "status:429",
        "ok": False,
    },
    "DeviceDocument": {"id": "gym-motion", "alerts": [12]},
    "EvidenceDocument": {"channel": "motion", "value": 1, "trouble": ""},
    "FaultDocument": {
        "id": 31,
        "kind": "silent",
        "channel": "",
        "text": "gym-motion has been silent for 3 h; it usually speaks every 10 min",
    },
    "MirrorDocument": {"id": "victoria", "kind": "influxdb2"},
    "NightDocument": {
        "day": "2026-11-22",
        "quiet": ["gym", "reading"],
        "unsure": [],
        "text": "Night of 21 Nov to 22 Nov: 2 rooms quiet.",
    },
    "OpeningDocument": {"name": "Training"},
    "OverrideDocument": {
        "id": 12,
        "kind": "closed",
        "reason": "The floor is being polished",
        "until": "2026-11-27T10:00:00.000Z",
    },
    "OverrideWish": {
        "kind": "closed",
        "people": None,
        "reason": "The floor is being polished",
        "until": "2026-11-27T18:00:00+08:00",
    },
    "Readiness": {"status": "ready"},
    "ShelfWish": {"until": "2026-11-27T18:00:00+08:00"},
    "SlotDocument": {"name": "Training", "because": [], "reasons": []},
    "TriedDocument": {"code": "backup.ok", "params": {}},
    "EntryDocument": {"what": "done", "note": "New battery"},
    "GiveWish": {"due": "2026-11-27T18:00:00+08:00"},
    "NoteWish": {"note": "New battery"},
    "OrderDocument": {
        "id": 7,
        "alerts": [12],
        "kind": "silent",
        "report": None,
        "state": "done",
        "title": "",
    },
    "OrderWish": {"alert": 12, "report": None, "title": "", "room": None, "due": None},
    "ProofDocument": {"kind": "reports", "seen": 1},
    "ReportDocument": {
        "id": 4,
        "answer": "Thank you, the sensor gets a new battery",
        "answered_at": LATER,
        "answered_by": "wang",
        "order": None,
        "what": "sign",
        "words": "The sign says in use, nobody is inside",
    },
    "SeenDocument": {"health": "silent"},
    "AnsweredDocument": {"answered": 14, "answered_after_s": 5400, "unanswered": 2},
    "FiguresDocument": {
        "detected_after_s": 1260,
        "found": 12,
        "kind": "silent",
        "not_held": 1,
        "repaired_after_s": 86_400,
        "solved": 11,
    },
    "ZoneDocument": {"id": "bay", "name": "Bay"},
    "ReadingsDocument": {"damaged": []},
}
"""Where a word means something else, by the name of the shape."""

PATHS = {"room": "gym", "device": "gym-motion", "number": 12}
QUERIES: Mapping[str, Any] = {
    "at": AT,
    "lang": "en",
    "from": "2026-11-20T00:00:00Z",
    "to": "2026-11-21T00:00:00Z",
    "room": "gym",
    "device": "gym-motion",
    "channel": "temperature",
    "step": "raw",
    "state": "raised",
    "severity": "high",
    "kind": "silent",
    "quality": "good",
    "days": 30,
    "limit": 100,
    "cursor": None,
    "last-event-id": "5f0c31aa-1742",
    "accept-language": "en",
}
QUERIES_OF: Mapping[str, Mapping[str, Any]] = {
    "work orders": {"state": "open", "assignee": "wang", "answered": True},
}
"""Where a parameter means something else, by the tag of the route."""
TOLD = {  # status: the problem's type, title and detail
    401: ("sign_in", "The request was refused", "Sign in, or send a token."),
    403: ("may_not", "The request was refused", "Your account may not do this."),
    404: ("unknown_room", "There is no such room", WORDS["detail"]),
    409: ("refused", "The request was refused", "The hub does not know the time yet."),
    413: ("bad_form", "The form cannot be used", "It is larger than the hub takes. Send less."),
    421: ("not_our_name", "The request was refused", "The hub is not called that."),
    422: ("bad_query", "A parameter cannot be used", "limit is at most 10000."),
    429: ("too_often", "Asked too often", "Ask again in 3 seconds."),
    503: ("busy", "The history is busy", "Ask again in some seconds."),
}


class NoWordError(LookupError):
    """A field that nobody gave a word to."""


def example(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """
    Raises:
        NoWordError: names the field; add it to ``WORDS``.
    """
    schema = resolved(schema, components)
    if "anyOf" in schema:
        first = next(one for one in schema["anyOf"] if one.get("type") != "null")
        return example(first, components)
    if schema.get("type") == "array":
        return [example(schema["items"], components)]
    if "properties" not in schema:
        raise NoWordError(str(schema))
    shape = str(schema.get("title", ""))
    return {
        name: _word(shape, name, inner, components) for name, inner in schema["properties"].items()
    }


def _word(shape: str, name: str, schema: Schema, components: Mapping[str, Schema]) -> Any:
    own = OF.get(shape, {})
    if name in own:
        return own[name]
    if _holds_documents(schema, components):
        return example(schema, components)
    if name not in WORDS:
        raise NoWordError(f"{shape}.{name}")
    return WORDS[name]


def _holds_documents(schema: Schema, components: Mapping[str, Schema]) -> bool:
    """Another document of ours, or a list of them; null where it may be."""
    schema = resolved(schema, components)
    if schema.get("type") == "array":
        return _holds_documents(schema["items"], components)
    inner = schema.get("anyOf", ())
    return "properties" in schema or any(_holds_documents(one, components) for one in inner)


def problem(status: int) -> dict[str, Any]:
    kind, title, detail = TOLD[status]
    return {
        "type": f"urn:linli:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
    }
