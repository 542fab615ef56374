"""The file itself: whole or refused, and open to other tools."""

from __future__ import annotations

import io
import os
import pty
import random
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyrage
import pytest
import zstandard

from hub.backup import archive
from hub.backup.archive import BLOCK, TAIL, Manifest, verified
from hub.backup.make import Made
from hub.backup.problems import BackupError
from hub.backup.unpack import unpack
from hub.store.migrations import LATEST
from tests.backup.samples import CENTRE, DEVICE, backup

PASSPHRASE = "correct horse 电池"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return backup(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return backup(tmp_path_factory.mktemp("sealed"), PASSPHRASE)


@pytest.fixture(params=["plain", "sealed"])
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.getfixturevalue(request.param)
    return found


def refusal(path: Path) -> str:
    with pytest.raises(BackupError) as error:
        verified(path)
    return error.value.text.code


def test_it_comes_back_bit_by_bit(made: Made, tmp_path: Path) -> None:
    found = verified(made.path)
    unpack(found, tmp_path, PASSPHRASE)

    assert found.manifest == made.manifest
    assert [part.name for part in made.manifest.parts] == [
        "linli.db", "config/centre.yaml", "config/devices.d/more.yaml"
    ]  # fmt: skip
    assert (tmp_path / "config/centre.yaml").read_text() == CENTRE
    assert (tmp_path / "config/devices.d/more.yaml").read_text() == DEVICE
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_a_flipped_bit_anywhere_is_refused(made: Made, tmp_path: Path) -> None:
    whole, chance = made.path.read_bytes(), random.Random(3)
    edges = [0, 1, BLOCK - 1, BLOCK, len(whole) - TAIL - 1, len(whole) - TAIL, len(whole) - 1]
    places = {*edges, *(chance.randrange(len(whole)) for _ in range(300))}
    copy = tmp_path / "copy.tar"
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        copy.write_bytes(flipped)
        assert refusal(copy) == "backup.damaged", place


def test_what_is_cut_off_or_added_is_refused(made: Made, tmp_path: Path) -> None:
    whole, copy = made.path.read_bytes(), tmp_path / "copy.tar"
    for size in (600, 5 * BLOCK, len(whole) // 2, len(whole) - TAIL, len(whole) - BLOCK, -1):
        copy.write_bytes(whole[:size])
        assert refusal(copy) == "backup.damaged", size
    copy.write_bytes(whole + b"\0")
    assert refusal(copy) == "backup.damaged"


@pytest.mark.parametrize("content", [b"", b"x" * 5000, b"\0" * 5000])
def test_a_foreign_file_is_refused_as_such(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_bytes(content)

    assert refusal(file) == "backup.foreign"


def test_a_foreign_tar_is_refused_as_such(tmp_path: Path) -> None:
    file = tmp_path / "photos.tar"
    with tarfile.open(file, "w") as tar:
        tar.add(__file__)

    assert refusal(file) == "backup.foreign"


def forged(path: Path, manifest: Manifest, inside: Manifest | None = None) -> Path:
    """A whole backup that says what we want."""

    def content() -> Iterator[bytes]:
        body = msgspec.json.encode(inside or manifest)
        yield archive.member(archive.MANIFEST, body, manifest.mtime) + bytes(2 * BLOCK)

    with path.open("w+b") as out:
        archive.write(out, content(), lambda: manifest, None)
    return path


def test_a_newer_one_is_refused_by_its_form_and_by_its_schema(plain: Made, tmp_path: Path) -> None:
    empty = msgspec.structs.replace(plain.manifest, parts=())
    newer = [
        msgspec.structs.replace(empty, format=archive.FORMAT + 1),
        msgspec.structs.replace(empty, db_schema=LATEST + 1),
    ]
    for manifest in newer:
        assert refusal(forged(tmp_path / "newer.tar", manifest)) == "backup.newer"
    verified(forged(tmp_path / "same.tar", empty))


def test_another_manifest_around_the_content_is_refused(plain: Made, tmp_path: Path) -> None:
    inside = msgspec.structs.replace(plain.manifest, parts=())
    outside = msgspec.structs.replace(inside, centre="other")
    found = verified(forged(tmp_path / "forged.tar", outside, inside))

    with pytest.raises(BackupError) as error:
        unpack(found, tmp_path / "to", None)
    assert error.value.text.code == "backup.damaged"


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "config/devices.d/../../x.yaml"])
def test_no_backup_chooses_where_it_is_written(name: str, plain: Made, tmp_path: Path) -> None:
    part = msgspec.structs.replace(plain.manifest.parts[0], name=name)
    manifest = msgspec.structs.replace(plain.manifest, parts=(part,))

    assert refusal(forged(tmp_path / "evil.tar", manifest)) == "backup.damaged"


@pytest.mark.parametrize(
    ("passphrase", "code"),
    [(None, "backup.no_passphrase"), ("Correct horse", "backup.wrong_passphrase")],
)
def test_without_the_passphrase_nothing_is_read(
    passphrase: str | None, code: str, sealed: Made, tmp_path: Path
) -> None:
    with pytest.raises(BackupError) as error:
        unpack(verified(sealed.path), tmp_path, passphrase)

    assert error.value.text.code == code
    assert list(tmp_path.rglob("*")) == []


def test_nothing_readable_is_in_an_encrypted_one(sealed: Made) -> None:
    whole = sealed.path.read_bytes()

    assert b"zigbee2mqtt" not in whole
    assert b"SQLite format" not in whole
    assert b"AGE-SECRET" not in whole


def test_plain_tools_open_a_plain_one(plain: Made, tmp_path: Path) -> None:
    with tarfile.open(plain.path) as tar:
        packed = tar.extractfile("content.tar.zst")
        assert packed is not None
        content = zstandard.ZstdDecompressor().stream_reader(packed).read()
    with tarfile.open(fileobj=io.BytesIO(content)) as inner:
        inner.extractall(tmp_path, filter="data")

    assert (tmp_path / "linli.db").read_bytes().startswith(b"SQLite format 3\0")
    assert (tmp_path / "config/centre.yaml").read_text() == CENTRE


def test_pyrage_alone_opens_an_encrypted_one(sealed: Made) -> None:
    with tarfile.open(sealed.path) as tar:
        key, content = (tar.extractfile(name) for name in ("key.age", "content.tar.zst.age"))
        assert key is not None
        assert content is not None
        identity = pyrage.passphrase.decrypt(key.read(), PASSPHRASE).decode().strip()
        packed = pyrage.decrypt(content.read(), [pyrage.x25519.Identity.from_str(identity)])
    unpacked = zstandard.ZstdDecompressor().stream_reader(packed).read()
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as inner:
        assert inner.getnames()[0] == "linli.db"


def test_the_age_tool_opens_an_encrypted_one(sealed: Made, tmp_path: Path) -> None:
    if shutil.which("age") is None:
        pytest.skip("the age tool is not installed: apt install age")
    subprocess.run(["tar", "-xf", sealed.path, "-C", tmp_path], check=True)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execlp("age", "age", "-d", "-o", "key.txt", "key.age")  # noqa: S606 - as people type it
    try:
        while b"passphrase" not in os.read(terminal, 1024):
            pass
        os.write(terminal, PASSPHRASE.encode() + b"\n")
        assert os.waitpid(pid, 0)[1] == 0
    finally:
        os.close(terminal)
    opened = "age -d -i key.txt content.tar.zst.age > content.tar.zst"
    subprocess.run(opened, shell=True, cwd=tmp_path, check=True)  # noqa: S602
    packed = (tmp_path / "content.tar.zst").read_bytes()

    assert zstandard.ZstdDecompressor().stream_reader(packed).read(8) == b"linli.db"
