from __future__ import annotations

import pyrage
import pytest

from hub.backup import sealing
from hub.backup.sealing import MAX_SECRET, encrypt, seal


def test_the_example_of_rfc_8439_comes_out() -> None:
    key = bytes(range(0x80, 0xA0))
    nonce = bytes.fromhex("070000004041424344454647")
    extra = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    plain = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the"
        b" future, sunscreen would be it."
    )

    done = encrypt(key, nonce, plain, extra)

    assert done[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2"
    assert done[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
def test_pyrage_opens_what_is_sealed(size: int) -> None:
    secret = bytes(at % 251 for at in range(size))
    sealed = seal(secret, "密码 passphrase")

    assert pyrage.passphrase.decrypt(sealed, "密码 passphrase") == secret


def test_it_is_as_dear_as_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "LOG_N", 17)
    sealed = seal(b"secret", "passphrase")

    assert b" 17\n" in sealed
    assert pyrage.passphrase.decrypt(sealed, "passphrase") == b"secret"


def test_another_passphrase_does_not_and_no_two_are_alike() -> None:
    one, other = (seal(b"secret", "right") for _ in range(2))

    assert one != other
    with pytest.raises(pyrage.DecryptError):
        pyrage.passphrase.decrypt(one, "wrong")


def test_more_than_a_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="64 KiB"):
        seal(bytes(MAX_SECRET + 1), "x")
