from __future__ import annotations

import asyncio
import fcntl
import json
import os
import socket
import time
from pathlib import Path

import pytest

from edge.settings import MqttSettings
from edge.timekeeping import Trust
from hub import cli
from hub.access.console import Console
from hub.configuration.keeping import BackupSection
from hub.diagnosis.accounts import examine_accounts
from hub.diagnosis.backups import examine_backups
from hub.diagnosis.broker import examine_broker
from hub.diagnosis.disk import (
    LOW_BYTES,
    TIGHT_BYTES,
    examine_database,
    examine_disk,
    examine_kind,
    examine_space,
    file_system,
)
from hub.diagnosis.examine import examine_python
from hub.diagnosis.finding import Finding
from hub.diagnosis.ports import examine_port
from hub.diagnosis.time import examine_clock, examine_sync, examine_time, examine_trust
from tests.broker import Broker, free_port
from tests.settings.samples import GOOD


def test_an_old_python_is_told() -> None:
    assert examine_python((3, 10)).state == "broken"
    assert examine_python((3, 11)).state == "ok"


@pytest.mark.parametrize(
    ("free", "state"),
    [(LOW_BYTES - 1, "broken"), (LOW_BYTES, "warning"), (TIGHT_BYTES, "ok")],
)
def test_little_space_is_told(free: int, state: str, tmp_path: Path) -> None:
    assert examine_space(free, tmp_path).state == state


@pytest.mark.parametrize(
    ("kind", "state"), [("ext4", "ok"), ("tmpfs", "warning"), ("nfs4", "broken"), ("", "ok")]
)
def test_a_file_system_that_does_not_keep_its_word_is_told(kind: str, state: str) -> None:
    assert examine_kind(kind, Path("/data")).state == state


def test_the_nearest_mount_decides(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 179:2 / / rw - ext4 /dev/root rw\n"
        f"30 22 0:40 / {tmp_path} rw shared:1 - nfs4 server:/x rw\n"
        f"31 22 0:41 / {tmp_path}\\040two rw - tmpfs tmpfs rw\n"
    )

    assert file_system(tmp_path / "data", table) == "nfs4"
    assert file_system(Path(f"{tmp_path} two"), table) == "tmpfs"
    assert file_system(Path("/etc"), table) == "ext4"
    assert file_system(Path("/etc"), tmp_path / "nowhere") == ""


def test_a_test_database_is_written_and_leaves_nothing(tmp_path: Path) -> None:
    assert examine_database(tmp_path).state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_cannot_hold_history(tmp_path: Path) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("")

    assert examine_database(blocked).state == "broken"
    assert [item.state for item in examine_disk(blocked)] == ["broken"]


def test_a_folder_that_will_be_made_is_examined_where_it_will_be(tmp_path: Path) -> None:
    subjects = [item.subject for item in examine_disk(tmp_path / "not/yet")]

    assert subjects == ["disk", "file system", "database"]


def test_a_clock_in_the_past_is_told() -> None:
    assert examine_time(0).state == "broken"
    assert examine_time(time.time()).state == "ok"
    subjects = [item.subject for item in examine_clock()]
    assert subjects == ["clock", "time server", "trust in the clock"]


@pytest.mark.parametrize(
    ("trust", "service", "there", "state"),
    [
        ("auto", "chrony", False, "ok"),
        ("auto", "", False, "warning"),
        ("synced", "chrony", False, "ok"),
        ("synced", "", False, "warning"),
        ("always", "", False, "ok"),
        ("always", "chrony", False, "warning"),
        ("marker", "", True, "ok"),
        ("marker", "chrony", False, "warning"),
    ],
)
def test_a_time_that_is_believed_too_soon_or_never_is_told(
    trust: Trust, service: str, there: bool, state: str, tmp_path: Path
) -> None:
    marker = tmp_path / "set"
    if there:
        marker.touch()
    finding = examine_trust(trust, service, marker)

    assert finding.state == state
    assert bool(finding.remedy) == (state != "ok")


@pytest.mark.parametrize(
    ("synchronised", "daemon", "state"),
    [
        (True, "", "ok"),
        (True, "chronyd", "ok"),
        (False, "chronyd", "warning"),
        (None, "chronyd", "warning"),
        (False, "", "warning"),
    ],
)
def test_a_clock_that_nobody_keeps_is_told(
    synchronised: bool | None, daemon: str, state: str
) -> None:
    finding = examine_sync(synchronised, daemon)

    assert finding.state == state
    assert bool(finding.remedy) == (state != "ok")


def test_a_port_is_there_missing_held_or_no_port(tmp_path: Path) -> None:
    leader, follower = os.openpty()
    name = os.ttyname(follower)
    try:
        assert examine_port("bp", name) == Finding("port of bp", "ok", name)
        fcntl.flock(follower, fcntl.LOCK_EX)
        held = examine_port("bp", name)
        assert (held.state, "held" in held.what) == ("warning", True)
    finally:
        os.close(follower)
        os.close(leader)
    file = tmp_path / "file"
    file.write_text("")
    assert examine_port("bp", str(file)).what.endswith("is no serial port")
    assert "not there" in examine_port("bp", str(tmp_path / "none")).what


def test_a_serial_server_by_network_is_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert examine_port("bp", f"socket://127.0.0.1:{port}").state == "ok"
    assert examine_port("bp", f"socket://127.0.0.1:{port}").state == "broken"


def test_a_broker_that_is_not_there_is_told_with_a_remedy() -> None:
    (finding,) = examine_broker(MqttSettings(port=free_port()))

    assert finding.state == "broken"
    assert "apt install mosquitto" in finding.remedy


async def test_a_message_goes_to_the_broker_and_back() -> None:
    async with Broker() as broker:
        (finding,) = await asyncio.to_thread(lambda: [*examine_broker(at(broker))])

    assert (finding.state, "there and back" in finding.what) == ("ok", True)


async def test_a_broker_that_refuses_strangers_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "passwd"
    empty.write_text("")
    lines = ("allow_anonymous false", f"password_file {empty}")
    async with Broker(config=lines) as broker:
        (finding,) = await asyncio.to_thread(lambda: [*examine_broker(at(broker))])

    assert (finding.state, "refuses us" in finding.what) == ("broken", True)
    assert "mqtt.password_file" in finding.remedy


async def test_an_access_list_that_drops_our_messages_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.diagnosis.broker.WAIT_S", 0.5)
    rights = tmp_path / "acl"
    rights.write_text("topic read linli/#\n")
    async with Broker(config=("allow_anonymous true", f"acl_file {rights}")) as broker:
        (finding,) = await asyncio.to_thread(lambda: [*examine_broker(at(broker))])

    assert (finding.state, "does not return" in finding.what) == ("broken", True)


def at(broker: Broker) -> MqttSettings:
    return MqttSettings(port=broker.port)


def test_a_missing_password_file_is_told(tmp_path: Path) -> None:
    settings = MqttSettings(username="hub", password_file=str(tmp_path / "none"))

    (finding,) = examine_broker(settings)
    assert (finding.state, "No such file" in finding.what) == ("broken", True)


def test_json_names_every_finding_and_the_status_says_if_one_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "centre.yaml"
    file.write_text(GOOD.replace("/dev/ttyUSB0", str(tmp_path / "none")), encoding="utf-8")

    status = cli.main(["doctor", "--json", "--config", str(file), "--data", str(tmp_path)])

    said = json.loads(capsys.readouterr().out)
    states = {item["subject"]: item["state"] for item in said["findings"]}
    assert status == 1
    assert said["ok"] is False
    assert states["configuration"] == "ok"
    assert states["port of bp"] == "broken"
    assert "broker" in states
    assert all(item["remedy"] for item in said["findings"] if item["state"] != "ok")


def test_a_wrong_configuration_is_one_finding_and_the_rest_is_still_examined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "--config", str(tmp_path / "none"), "--data", str(tmp_path)]) == 1

    said = capsys.readouterr().out
    assert "BAD   configuration: " in said
    assert "linli check-config" in said
    assert "ok    database: " in said
    assert "ports and broker: not examined" in said


@pytest.mark.parametrize(
    ("passphrase", "state", "words"),
    [
        ("sesame", "broken", "can still be opened with it: write it down"),
        ("", "broken", "empty"),
        ("five plain words are enough", "ok", ""),
    ],
)
def test_a_passphrase_that_new_backups_refuse_is_found_before_they_do(
    passphrase: str, state: str, words: str, tmp_path: Path
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text(passphrase)
    settings = BackupSection(folder=str(tmp_path), passphrase_file=str(secret))

    (finding,) = examine_backups(settings)
    assert (finding.subject, finding.state) == ("passphrase of backups", state)
    assert str(secret) in finding.what
    assert words in finding.remedy


def test_backups_that_cannot_go_anywhere_or_be_read_by_anybody_are_told(tmp_path: Path) -> None:
    assert list(examine_backups(None)) == []
    found = list(examine_backups(BackupSection(folder=str(tmp_path / "stick"))))
    assert [(finding.subject, finding.state) for finding in found] == [
        ("backups", "warning"),
        ("passphrase of backups", "warning"),
    ]


def test_the_doctor_of_a_centre_looks_at_its_backups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, file = tmp_path / "passphrase", tmp_path / "centre.yaml"
    secret.write_text("sesame")
    section = f"backup: {{folder: {tmp_path}, passphrase_file: {secret}}}\n"
    file.write_text(GOOD + section, encoding="utf-8")

    assert cli.main(["doctor", "--config", str(file), "--data", str(tmp_path)]) == 1
    assert f"BAD   passphrase of backups: backups fail: {secret}" in capsys.readouterr().out


def test_who_can_sign_in_and_who_can_read_that(tmp_path: Path) -> None:
    def told(*, is_open: bool = False) -> list[tuple[str, str]]:
        found = examine_accounts(tmp_path, is_open=is_open)
        return [(finding.state, finding.what.split(",")[0]) for finding in found]

    assert told() == [("warning", "nobody can sign in yet")]
    with Console(tmp_path):
        pass
    assert told() == [("warning", "nobody can sign in yet")]
    assert (
        cli.main(["token", "add", "--role", "staff", "--name", "x", "--data", str(tmp_path)]) == 0
    )
    assert told() == [("ok", "0 people")]
    (tmp_path / "linli.db").chmod(0o640)
    assert told()[1] == ("warning", "other accounts of this machine can read the database")
    assert told(is_open=True)[0][0] == "warning"
    (tmp_path / "linli.db").write_bytes(b"no database at all, but long enough to be looked at" * 99)
    assert "cannot be read" in told()[0][1]
