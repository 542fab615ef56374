"""`linli token`: keys for programs and screens."""

from __future__ import annotations

import argparse
import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from hub.commands.people import add_places, moment, run_on_database, spoken, table
from hub.domain.access import Role
from hub.domain.room import Text

if TYPE_CHECKING:
    from hub.access.console import Console
    from hub.access.records import Token

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
add      makes a token and prints it once; only its SHA-256 is kept. Programs send it as
         Authorization: Bearer linli_..., never in an address. With --kind screen it prints a code
         for a wall or lobby display instead: open /screen/pair on the screen and type it within
         15 minutes. The screen then stays signed in for 400 days, renewed while it is used
list     tokens and screens, until when they are good, when they were last used
revoke   takes one back; the hub refuses it within a second, also where a stream is open

A running hub need not be restarted, and none need run. The same is on the page /tokens.
Roles: public is what everybody may; the others are in docs/access.md.

examples:
  linli token add --role staff --name dashboard
  linli token add --role integrator --name grafana --expires 90d --json
  linli token add --kind screen --name lobby
  linli token list
  linli token revoke dashboard
"""
WHAT = ("add", "list", "revoke")
KINDS = ("api", "screen")


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "token",
        help="keys for programs and screens: make, list, revoke",
        description="Keys for programs and screens.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=WHAT, metavar="WHAT", help=", ".join(WHAT))
    parser.add_argument("which", nargs="?", metavar="NAME", help="its name, or --name")
    parser.add_argument("--name", help="what it is called in lists and in the audit record")
    parser.add_argument("--role", choices=[role.value for role in Role], help="what it may")
    parser.add_argument("--kind", choices=KINDS, default="api", help="a program, or a screen")
    parser.add_argument("--expires", metavar="TIME", help="90d, 12h; 365d if left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_places(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it and say what was done."""
    does = {"add": _add, "list": _list, "revoke": _revoke}
    return run_on_database("token", arguments, does[arguments.what])


def _add(console: Console, arguments: argparse.Namespace) -> int:
    from hub.access import records
    from hub.access.office import new_token
    from hub.access.rules import DAY_MS, KEY_BYTES, PAIR_MS, code_of, token_of

    name, now_ms = _name(arguments), console.now_ms()
    if arguments.kind == "screen":
        key = code_of(secrets.token_bytes(8))
        row = new_token("pairing", name, Role.PUBLIC, console.by, now_ms, PAIR_MS, key)
        console.change(lambda db: records.add_token(db, row), "screen.add", row.name)
    else:
        role, lasts_ms = _role(arguments), _lasts_ms(arguments)
        key = token_of(secrets.token_bytes(KEY_BYTES))
        row = new_token("api", name, role, console.by, now_ms, lasts_ms, key)
        after = f"{role} {lasts_ms // DAY_MS}d"
        console.change(lambda db: records.add_token(db, row), "token.add", row.name, after=after)
    if arguments.json:
        field = "code" if arguments.kind == "screen" else "token"
        print(json.dumps({**_document(row), field: key}, ensure_ascii=False))
        return 0
    print(key)
    code = "token.said_screen" if arguments.kind == "screen" else "token.said"
    _note(spoken(Text(code)))
    return 0


def _list(console: Console, arguments: argparse.Namespace) -> int:
    rows = console.rows().tokens
    if arguments.json:
        print(json.dumps({"items": [_document(row) for row in rows]}, ensure_ascii=False))
        return 0
    head = ("name", "kind", "role", "made by", "expires", "last used")
    lines = [
        (
            row.name,
            row.kind,
            row.role.value if row.kind == "api" else "-",
            row.created_by,
            moment(row.expires_ms) + (" expired" if row.expires_ms <= console.now_ms() else ""),
            moment(row.seen_ms),
        )
        for row in rows
    ]
    print(table(head, lines))
    return 0


def _revoke(console: Console, arguments: argparse.Namespace) -> int:
    from hub.access import records

    name = _name(arguments)
    console.change(lambda db: records.revoke(db, name), "token.revoke", name)
    print(spoken(Text("token.revoked", {"name": name})))
    return 0


def _name(arguments: argparse.Namespace) -> str:
    from hub.usage import UsageError

    name: str | None = arguments.name or arguments.which
    if not name:
        raise UsageError(Text("token.which"))
    return name


def _role(arguments: argparse.Namespace) -> Role:
    from hub.usage import UsageError

    if arguments.role in (None, Role.PUBLIC):
        raise UsageError(Text("token.which_role"))
    return Role(arguments.role)


def _lasts_ms(arguments: argparse.Namespace) -> int:
    from edge.durations import parse_duration
    from hub.access.rules import MAX_TOKEN_MS, TOKEN_MS
    from hub.usage import UsageError

    if arguments.expires is None:
        return TOKEN_MS
    try:
        lasts_ms = parse_duration(arguments.expires) // timedelta(milliseconds=1)
    except ValueError:
        lasts_ms = 0
    if not 0 < lasts_ms <= MAX_TOKEN_MS:
        raise UsageError(Text("token.bad_expires", {"value": arguments.expires}))
    return lasts_ms


def _document(row: Token) -> dict[str, object]:
    from hub.api.documents import rfc3339

    return {
        "name": row.name,
        "kind": row.kind,
        "role": row.role.value if row.kind == "api" else None,
        "created": rfc3339(row.created_ms),
        "created_by": row.created_by,
        "expires": rfc3339(row.expires_ms),
        "last_used": None if row.seen_ms is None else rfc3339(row.seen_ms),
    }


def _note(text: str) -> None:
    """For a person; a program that reads the token does not get it."""
    import sys

    print(text, file=sys.stderr)
