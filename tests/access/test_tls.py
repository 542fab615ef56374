"""A hub that serves HTTPS itself, and the command that asks a closed hub how its copies do."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from hub.domain.access import Role
from tests.access.closed_hub import CENTRE, CSRF, PASSWORD, ClosedHub
from tests.running_hub import ANSWER_WITHIN_S

MIRROR = """
mirrors:
  - {kind: influxdb, url: "http://127.0.0.1:9", org: o, bucket: b, token_file: token}
"""


class SecureHub(ClosedHub):
    """Serves HTTPS with a certificate of its own."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        key = certificate.with_suffix(".key")
        super().__init__(folder, f", tls: {{certificate: {certificate}, key: {key}}}", MIRRORED)
        self.url = f"https://127.0.0.1:{self.port}"
        trusted = ssl.create_default_context(cafile=str(certificate))
        self.client = httpx.AsyncClient(
            base_url=self.url, timeout=ANSWER_WITHIN_S, verify=trusted, headers={"Origin": self.url}
        )


MIRRORED = CENTRE + MIRROR


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Made by hand, as a centre without a domain does."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "1", "-subj", "/CN=hub.example", "-keyout", "hub.key"]
    command += ["-addext", "subjectAltName=DNS:hub.example,IP:127.0.0.1", "-out", "hub.pem"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "hub.pem"


async def told(hub: ClosedHub) -> str:
    """Whom ``linli mirror status`` asked."""
    command = ["-m", "hub.cli", "mirror", "status", "--json", *hub.command[3:]]
    asking = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaint = await asking.communicate()
    assert said, complaint.decode()
    source: str = json.loads(said)["source"]
    return source


async def test_people_sign_in_over_tls_and_plain_http_gets_nothing(
    tmp_path: Path, certificate: Path
) -> None:
    hub = SecureHub(tmp_path, certificate)
    hub.account("root", Role.ADMIN)
    async with hub:
        page = await hub.client.get("/sign-in")
        assert CSRF.search(page.text)
        signed = await hub.client.post("/sign-in", data={"name": "root", "password": PASSWORD})
        cookie = signed.headers["set-cookie"]
        assert cookie.startswith(f"__Host-linli-{hub.port}=")
        assert "; Secure" in cookie
        assert (await hub.client.get("/people")).status_code == 200
        assert await told(hub) == "hub"
        with pytest.raises(httpx.TransportError):
            async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S) as plain:
                await plain.get(f"http://127.0.0.1:{hub.port}/sign-in")
        assert "Traceback" not in hub.log.read_text()


async def test_a_closed_hub_tells_its_own_user_how_its_copies_do(tmp_path: Path) -> None:
    hub = ClosedHub(tmp_path, centre=MIRRORED)
    hub.account("root", Role.ADMIN)
    async with hub:
        assert await told(hub) == "hub"
        (hub.data / "console.key").unlink()
        assert await told(hub) == "database"
