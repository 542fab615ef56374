"""The long form of tests/store/test_any_history.py: seed after seed, until one fails.

python -m tests.soak.soak_any_history 0 500
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import pytest

from tests.store.any_history import History

TURNS = 400


def main(first: int, last: int) -> None:
    logging.disable(logging.CRITICAL)
    for seed in range(first, last):
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            history = History(Path(folder), seed, patch)
            asyncio.run(history.run(TURNS))
            print(f"seed {seed}: {len(history.changes)} changes, {dict(history.done)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
