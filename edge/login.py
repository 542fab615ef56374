"""How we say to the broker who we are: the password from its file, and encryption."""

from __future__ import annotations

import ssl
from pathlib import Path

from edge.settings import MqttSettings
from edge.supervise import LinkError


def password(settings: MqttSettings) -> str | None:
    """What stands in the file; it is read anew for each connection, since people change it.

    Raises:
        LinkError: it cannot be read.
    """
    if settings.password_file is None:
        return None
    try:
        return Path(settings.password_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LinkError("password_file", str(error)) from error


def encryption(settings: MqttSettings) -> ssl.SSLContext | None:
    """None where the file asks for none.

    Raises:
        LinkError: a certificate is not there, or is none.
    """
    tls = settings.tls
    if tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        if tls.cert_file is not None:
            context.load_cert_chain(tls.cert_file, tls.key_file)
        context.sslsocket_class = _ClosesOnFailure
    except OSError as error:  # a file that is not there, or is no certificate
        raise LinkError("tls", str(error)) from error
    return context


class _ClosesOnFailure(ssl.SSLSocket):
    """paho forgets a socket whose handshake failed; one would leak at each attempt."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
