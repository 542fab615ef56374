"""`linli user`: accounts of people."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from typing import TYPE_CHECKING

from hub.commands.people import add_places, moment, run_on_database, spoken, table
from hub.domain.access import Role
from hub.domain.room import Text

if TYPE_CHECKING:
    from hub.access.console import Console
    from hub.access.records import Account

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
add        asks for the password twice, or reads one line with --password-stdin
list       accounts, their roles, whether they may sign in
roles      gives exactly the roles of --role
password   sets a new one, for somebody who forgot
disable    ends the account's sessions and lets it sign in no more; enable takes that back

What changes an account ends its sessions. A running hub need not be restarted, and none need run;
it notices within a second. Run it as the user that the hub runs as. The same is on the page
/people. A password has at least 10 characters and is not the name; nothing else is asked for.
What each role may is in docs/access.md.

examples:
  linli user add li.na --role staff
  linli user add wang --role manager --role admin --title 王芳
  echo "correct horse battery" | linli user add robot --role integrator --password-stdin
  linli user roles li.na --role staff --role manager
  linli user disable li.na
  sudo -u linli linli user password wang
"""
WHAT = ("add", "list", "roles", "password", "disable", "enable")


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "user",
        help="accounts of people: add, list, roles, password, disable",
        description="Accounts of people.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=WHAT, metavar="WHAT", help=", ".join(WHAT))
    parser.add_argument("name", nargs="?", metavar="NAME", help="what the person signs in with")
    parser.add_argument(
        "--role",
        action="append",
        choices=[role.value for role in Role if role is not Role.PUBLIC],
        default=[],
        help="may be given several times",
    )
    parser.add_argument("--title", default="", help="the name that is shown")
    parser.add_argument(
        "--password-stdin", action="store_true", help="read it from standard input, one line"
    )
    parser.add_argument("--json", action="store_true", help="list: print one JSON object")
    add_places(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it and say what was done."""
    does = {
        "add": _add,
        "list": _list,
        "roles": _roles,
        "password": _password,
        "disable": _disable,
        "enable": _enable,
    }
    return run_on_database("user", arguments, does[arguments.what])


def _add(console: Console, arguments: argparse.Namespace) -> int:
    from hub.access import records
    from hub.access.passwords import hash_password
    from hub.access.records import Account
    from hub.access.rules import MAX_TITLE

    name, roles, now_ms = _name(arguments), _given(arguments), console.now_ms()
    password = hash_password(_asked(arguments, name))
    title = arguments.title.strip()[:MAX_TITLE]
    account = Account(name, title, roles, password, now_ms, now_ms, None)
    after = " ".join(sorted(roles))
    console.change(lambda db: records.add_account(db, account), "account.add", name, after=after)
    return _say("user.added", name)


def _list(console: Console, arguments: argparse.Namespace) -> int:
    rows = console.rows().accounts
    if arguments.json:
        print(json.dumps({"items": [_document(row) for row in rows]}, ensure_ascii=False))
        return 0
    head = ("name", "title", "roles", "made", "disabled")
    lines = [
        (
            row.name,
            row.title or "-",
            " ".join(sorted(row.roles)) or "-",
            moment(row.created_ms),
            moment(row.disabled_ms),
        )
        for row in rows
    ]
    print(table(head, lines))
    return 0


def _roles(console: Console, arguments: argparse.Namespace) -> int:
    from hub.access import records

    name, roles = _name(arguments), _given(arguments)
    now_ms = console.now_ms()
    known = {row.name: row.roles for row in console.rows().accounts}
    console.change(
        lambda db: records.set_roles(db, name, roles, now_ms),
        "account.roles",
        name,
        before=" ".join(sorted(known.get(name, ()))),
        after=" ".join(sorted(roles)),
    )
    return _say("user.roles_set", name)


def _password(console: Console, arguments: argparse.Namespace) -> int:
    from hub.access import records
    from hub.access.passwords import hash_password

    name = _name(arguments)
    password, now_ms = hash_password(_asked(arguments, name)), console.now_ms()
    console.change(
        lambda db: records.set_password(db, name, password, now_ms), "account.password", name
    )
    return _say("user.password_set", name)


def _disable(console: Console, arguments: argparse.Namespace) -> int:
    from hub.access import records

    name, now_ms = _name(arguments), console.now_ms()
    console.change(lambda db: records.disable(db, name, now_ms), "account.disable", name)
    return _say("user.disabled", name)


def _enable(console: Console, arguments: argparse.Namespace) -> int:
    from hub.access import records

    name, now_ms = _name(arguments), console.now_ms()
    console.change(lambda db: records.enable(db, name, now_ms), "account.enable", name)
    return _say("user.enabled", name)


def _name(arguments: argparse.Namespace) -> str:
    from hub.domain.typed import clean_name
    from hub.usage import UsageError

    name = clean_name(arguments.name or "")
    if name is None:
        raise UsageError(Text("access.bad_name"))
    return name


def _given(arguments: argparse.Namespace) -> frozenset[Role]:
    from hub.usage import UsageError

    if not arguments.role:
        raise UsageError(Text("user.which_role"))
    return frozenset(Role(role) for role in arguments.role)


def _asked(arguments: argparse.Namespace, name: str) -> str:
    """A password that will do.

    Raises:
        UsageError: it will not, or the two are not the same.
    """
    from hub.access.rules import password_problem
    from hub.usage import UsageError

    if arguments.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = getpass.getpass(spoken(Text("user.ask_password", {"name": name})))
        if getpass.getpass(spoken(Text("user.ask_again"))) != password:
            raise UsageError(Text("access.not_twice"))
    problem = password_problem(password, name)
    if problem is not None:
        raise UsageError(problem)
    return password


def _document(row: Account) -> dict[str, object]:
    from hub.api.documents import rfc3339

    return {
        "name": row.name,
        "title": row.title,
        "roles": sorted(row.roles),
        "created": rfc3339(row.created_ms),
        "changed": rfc3339(row.changed_ms),
        "disabled": None if row.disabled_ms is None else rfc3339(row.disabled_ms),
    }


def _say(code: str, name: str) -> int:
    print(spoken(Text(code, {"name": name})))
    return 0
