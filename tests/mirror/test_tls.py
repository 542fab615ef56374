"""Encrypted mirrors: a certificate of one's own, a stranger's, a file that is not there."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.mirror.service import State
from tests.mirror.scripted import ScriptedServer
from tests.mirror.trial import Trial


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            *["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext"],
            *["subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem"],
            *["-out", f"{folder}/cert.pem"],
        ],
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem"


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[ScriptedServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with ScriptedServer(context) as running:
        yield running


async def test_a_certificate_that_is_named_is_trusted(
    encrypted: ScriptedServer, certificate: Path, token_file: Path
) -> None:
    trial = Trial(encrypted.url, token_file, tls={"ca_file": str(certificate)})
    wanted = trial.history(20)

    await trial.steps()

    assert encrypted.values() == wanted
    await trial.mirror.close()


async def test_a_certificate_that_nobody_named_is_an_alarm_and_nothing_is_sent(
    encrypted: ScriptedServer, token_file: Path
) -> None:
    trial = Trial(encrypted.url, token_file)
    trial.history(20)

    await trial.steps(State.ALARM)

    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.tls"
    assert encrypted.headers == []
    await trial.mirror.close()


async def test_a_server_without_tls_is_an_alarm(server: ScriptedServer, token_file: Path) -> None:
    trial = Trial(server.url.replace("http", "https"), token_file)
    trial.history(20)

    await trial.steps(State.ALARM)

    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.tls"
    await trial.mirror.close()


async def test_a_file_of_certificates_that_is_not_there_is_an_alarm_that_names_it(
    encrypted: ScriptedServer, token_file: Path, tmp_path: Path
) -> None:
    trial = Trial(encrypted.url, token_file, tls={"ca_file": str(tmp_path / "none.pem")})
    trial.history(20)

    await trial.steps(State.ALARM)

    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.ca_file"
    assert "none.pem" in str(trial.mirror.trouble.params["detail"])
    await trial.mirror.close()
