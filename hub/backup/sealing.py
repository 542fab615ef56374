"""A small secret sealed with a passphrase, in the age format, with a bounded appetite for memory.

pyrage makes scrypt as dear as one second of this machine allows: 1 GB of memory on a quick one, and
the hub's service is ended by the system long before. It cannot be told otherwise, and Python has
scrypt but no ChaCha20-Poly1305; so the 64 bytes of a key are sealed here, by RFC 8439 in plain
Python. It is far too slow for more, and it needs to keep no secret from this machine, which has the
passphrase. Opening is pyrage's: it reads what it would have written itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from base64 import b64encode

LOG_N = 17  # 128 MB for half a second; what OWASP asks for at least
BLOCK = 64
WORD = 0xFFFFFFFF
CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)  # "expand 32-byte k"
QUARTERS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
PRIME = 2**130 - 5
MAX_SECRET = 64 * 1024  # one chunk of the format


def seal(secret: bytes, passphrase: str) -> bytes:
    """An age file that the passphrase opens, with pyrage or with the tool `age`."""
    if len(secret) > MAX_SECRET:
        raise ValueError("a sealed secret is one chunk of 64 KiB at most")
    file_key, salt, nonce = (secrets.token_bytes(16) for _ in range(3))
    wrapping = hashlib.scrypt(
        passphrase.encode(),
        salt=b"age-encryption.org/v1/scrypt" + salt,
        n=2**LOG_N,
        r=8,
        p=1,
        maxmem=2 ** (LOG_N + 11),
        dklen=32,
    )
    header = b"age-encryption.org/v1\n-> scrypt %s %d\n%s\n---" % (
        _text(salt),
        LOG_N,
        _text(encrypt(wrapping, bytes(12), file_key)),
    )
    proof = hmac.digest(_derive(file_key, b"", b"header"), header, "sha256")
    last_chunk = bytes(11) + b"\1"
    body = encrypt(_derive(file_key, nonce, b"payload"), last_chunk, secret)
    return header + b" " + _text(proof) + b"\n" + nonce + body


def encrypt(key: bytes, nonce: bytes, plain: bytes, extra: bytes = b"") -> bytes:
    """ChaCha20-Poly1305: the bytes encrypted, and 16 that prove them (RFC 8439, 2.8)."""
    stream = b"".join(_keystream(key, nonce, 1 + at) for at in range(-(-len(plain) // BLOCK)))
    hidden = bytes(a ^ b for a, b in zip(plain, stream, strict=False))
    told = extra + bytes(-len(extra) % 16) + hidden + bytes(-len(hidden) % 16)
    told += struct.pack("<QQ", len(extra), len(hidden))
    return hidden + _poly1305(_keystream(key, nonce, 0)[:32], told)


def _keystream(key: bytes, nonce: bytes, counter: int) -> bytes:
    start = (*CONSTANTS, *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce))
    state = list(start)
    for _ in range(10):
        for a, b, c, d in QUARTERS:
            for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                state[x] = (state[x] + state[y]) & WORD
                mixed = state[z] ^ state[x]
                state[z] = (mixed << turn | mixed >> (32 - turn)) & WORD
    return struct.pack("<16I", *((s + t) & WORD for s, t in zip(state, start, strict=True)))


def _poly1305(key: bytes, message: bytes) -> bytes:
    factor = int.from_bytes(key[:16], "little") & CLAMP
    total = 0
    for at in range(0, len(message), 16):
        piece = int.from_bytes(message[at : at + 16] + b"\1", "little")
        total = (total + piece) * factor % PRIME
    end = (total + int.from_bytes(key[16:], "little")) % 2**128
    return end.to_bytes(16, "little")


def _derive(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    """32 bytes by HKDF-SHA-256."""
    inner = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(inner, purpose + b"\1", "sha256")


def _text(raw: bytes) -> bytes:
    return b64encode(raw).rstrip(b"=")
