"""Throttle, hosts, directory: what a real hub would need hours to show."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hub.access import records
from hub.access.console import Console
from hub.access.directory import Directory
from hub.access.hosts import Hosts
from hub.access.records import Account, Session
from hub.access.rules import HOUR_MS, LONGEST_WAIT_S, MINUTE_MS, SPANS, digest
from hub.access.throttle import MOST, Throttle
from hub.domain.access import Role
from hub.domain.errors import RefusedDecisionError


class Watch:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_waits_double_and_are_forgotten() -> None:
    watch = Watch()
    throttle, waits = Throttle(watch), []
    for number in range(12):
        throttle.begin("li.na", f"10.0.0.{number}")
        waits.append(throttle.wait_s("li.na", "10.0.1.1"))
        watch.now += waits[-1]
    assert waits == [0, 0, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_WAIT_S, LONGEST_WAIT_S]
    watch.now += 3_601
    assert throttle.wait_s("li.na", "10.0.1.1") == 0


def test_an_address_waits_whatever_names_it_tries() -> None:
    throttle = Throttle(Watch())
    for number in range(11):
        throttle.begin(f"name{number}", f"2001:db8::{number}")
    assert throttle.wait_s("another", "2001:db8::ffff") > 0
    assert throttle.wait_s("another", "2001:db8:1::1") == 0


def test_who_gets_in_begins_anew_and_memory_is_bounded() -> None:
    throttle = Throttle(Watch())
    for _ in range(5):
        throttle.begin("li.na", "10.0.0.1")
    throttle.succeeded("li.na", "10.0.0.1")
    assert throttle.wait_s("li.na", "10.0.0.1") == 0
    for number in range(2 * MOST):
        throttle.begin(f"name{number}", f"host{number}")
    assert len(throttle._accounts._tries) == len(throttle._addresses._tries) == MOST
    for number in range(2 * MOST):
        throttle.succeeded(f"name{number}", f"host{number}")
    assert len(throttle._at_home) == MOST


def test_made_up_names_do_not_push_out_an_account_that_is_tried() -> None:
    throttle = Throttle(Watch())
    for number in range(8):
        throttle.begin("root", f"10.0.0.{number}")
    for number in range(2 * MOST):
        throttle.begin(f"name{number}", f"host{number}")
    assert throttle.wait_s("root", "10.0.1.1") > 0


@pytest.mark.parametrize(
    ("host", "client", "server", "origin"),
    [
        ("localhost:8080", "127.0.0.1", "127.0.0.1", "http://localhost:8080"),
        ("localhost:8080", "10.0.0.9", "10.0.0.5", None),
        ("127.0.0.1:8080", "10.0.0.9", "10.0.0.5", None),
        ("10.0.0.5:8080", "10.0.0.9", "10.0.0.5", "http://10.0.0.5:8080"),
        ("10.0.0.5:8080", "10.0.0.9", "::ffff:10.0.0.5", "http://10.0.0.5:8080"),
        ("[fd00::5]:8080", "fd00::9", "fd00::5", "http://[fd00::5]:8080"),
        ("[::1]:8080", "::1", "::1", "http://[::1]:8080"),
        ("10.0.0.6:8080", "10.0.0.9", "10.0.0.5", None),
        ("10.0.0.5", "10.0.0.9", "10.0.0.5", None),
        ("10.0.0.5:80", "10.0.0.9", "10.0.0.5", None),
        ("HUB.example:8080", "10.0.0.9", "10.0.0.5", "http://hub.example:8080"),
        ("evil.example:8080", "127.0.0.1", "127.0.0.1", None),
        ("", "127.0.0.1", "127.0.0.1", None),
        ("[", "127.0.0.1", "127.0.0.1", None),
    ],
)
def test_a_name_is_ours_only_where_nobody_else_can_have_given_it(
    host: str, client: str, server: str, origin: str | None
) -> None:
    found = Hosts(["hub.example"], 8080, is_tls=False).origin(host.encode(), client, server)
    assert (found.text if found else None) == origin


def test_the_port_of_the_scheme_may_be_left_out() -> None:
    plain, secure = Hosts(["a"], 80, is_tls=False), Hosts(["a"], 443, is_tls=True)
    found = [hosts.origin(b"a", "10.0.0.9", "10.0.0.5") for hosts in (plain, secure)]
    assert [(o.text, o.is_secure) for o in found if o] == [("http://a", False), ("https://a", True)]


def person(*roles: Role, name: str = "li.na") -> Account:
    return Account(name, "", frozenset(roles), "x", 1, 1, None)


def test_a_session_ends_when_idle_and_at_last(tmp_path: Path) -> None:
    begun = 1_000_000_000_000
    with Console(tmp_path) as console:
        console.change(lambda db: records.add_account(db, person(Role.STAFF)), "x", "x")
        session = Session(digest("key"), "li.na", begun, begun)
        console.change(lambda db: records.add_session(db, session), "x", "x")
    directory = Directory(tmp_path / "linli.db")
    try:
        found = directory.by_cookie("key")
        assert found is not None
        idle_ms, whole_ms = SPANS[Role.STAFF]
        assert found.is_live(begun + idle_ms - 1)
        assert not found.is_live(begun + idle_ms)
        found.seen_ms = begun + whole_ms - 1
        assert found.is_live(begun + whole_ms - 1)
        assert not found.is_live(begun + whole_ms)
    finally:
        directory.close()


def test_who_has_more_power_is_signed_out_sooner() -> None:
    assert SPANS[Role.ADMIN].idle_ms == SPANS[Role.INTEGRATOR].idle_ms == 30 * MINUTE_MS
    assert SPANS[Role.STAFF].idle_ms == SPANS[Role.MANAGER].idle_ms == 12 * HOUR_MS
    assert SPANS.keys() == set(Role)


def test_the_last_administrator_stays(tmp_path: Path) -> None:
    with Console(tmp_path) as console:
        console.change(lambda db: records.add_account(db, person(Role.ADMIN)), "x", "x")
        for change in (
            lambda db: records.disable(db, "li.na", 2),
            lambda db: records.set_roles(db, "li.na", {Role.STAFF}, 2),
        ):
            with pytest.raises(RefusedDecisionError):
                console.change(change, "x", "x")
        other = person(Role.ADMIN, name="wang")
        console.change(lambda db: records.add_account(db, other), "x", "x")
        console.change(lambda db: records.disable(db, "li.na", 2), "x", "x")
        with pytest.raises(RefusedDecisionError):
            console.change(lambda db: records.disable(db, "wang", 2), "x", "x")


async def test_what_cannot_be_read_lets_nobody_in_and_is_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "linli.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE other (x)")
    db.close()
    directory = Directory(path)
    try:
        assert not directory.is_known
        assert not directory.is_empty
    finally:
        directory.close()
