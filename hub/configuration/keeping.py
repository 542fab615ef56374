"""What a file may say about history: how long it stays, where it goes, when it is believed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from edge.settings import Duration, Identifier, Section
from hub.configuration.sizes import parse_size

Size = Annotated[int, BeforeValidator(parse_size)]


def _web_address(url: str) -> str:
    """A password would be shown wherever the address is; a query would be sent as a path."""
    try:
        parts = urlsplit(url)
        is_good = parts.port != 0 and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_good = False
    if not is_good or "@" in parts.netloc or parts.query or parts.fragment:
        raise PydanticCustomError("bad_url", "no web address")
    return url


WebAddress = Annotated[str, AfterValidator(_web_address)]


class StorageSection(Section):
    """Where history is kept, and how long."""

    path: str = Field(default="data", min_length=1)
    """A folder; a relative one counts from where the hub is started (systemd: /var/lib/linli)."""
    keep: Duration = timedelta(days=730)
    """Readings older than this are deleted; their hours and the rooms' history stay."""
    max_size: Size = 8_000_000_000
    """When the database is larger, the oldest readings are deleted, for example 4GB."""
    wait_for_mirrors: Duration = timedelta(days=30)
    """Readings that a mirror still lacks are kept this much longer."""
    card_size: Size | None = None
    """Size of the card, for the forecast of its life; the file system's if left out."""
    card_rewrites: int = Field(default=500, strict=True, ge=1, le=1_000_000)
    """How often the card can be written whole: its data sheet's figure, or a cautious guess."""


class MirrorTls(Section):
    """Encryption to a mirror."""

    ca_file: str | None = None
    """Certificates to trust; without it the system's."""


class MirrorSettings(Section):
    """A copy of the history on another server, filled as it is reachable."""

    id: Identifier = "influxdb"
    """A short name, unique among the mirrors; its place in the history is kept under it."""
    kind: Literal["influxdb"]
    """Only InfluxDB 2 and what speaks like it, so far."""
    url: WebAddress
    """For example http://10.0.0.5:8086 ."""
    org: str = Field(min_length=1)
    """InfluxDB's organisation."""
    bucket: str = Field(min_length=1)
    """InfluxDB's bucket."""
    token_file: str | None = None
    """A file that holds the token and nothing else."""
    tls: MirrorTls | None = None
    """Only for a server with a certificate of your own."""
    rate: int = Field(default=5_000, strict=True, ge=1, le=1_000_000)
    """At most so many points a second while it catches up, so that live work is not disturbed."""


class BackupSection(Section):
    """Copies of the whole state, made while the hub runs, and tried out."""

    folder: str = Field(min_length=1)
    """Where they go: best another disk, for example /media/usb/linli."""
    every: Duration = timedelta(days=1)
    """How often."""
    keep: int = Field(default=7, strict=True, ge=1, le=1_000)
    """The newest so many stay."""
    passphrase_file: str | None = None
    """A file that holds a passphrase; then backups are encrypted."""
    rehearse: Duration = timedelta(days=7)
    """How often the newest one is restored into a scratch folder and checked."""


class ClockSection(Section):
    """When the time of this machine is believed. A Raspberry Pi boots in the past."""

    trust: Literal["auto", "synced", "marker", "always"] = "auto"
    """auto: once it was set, or at once where no time service is; synced, marker: only then."""
    marker: str = Field(default="/run/linli-clock-set", min_length=1)
    """A file that a script makes after it set the time from a clock chip or a GPS."""
