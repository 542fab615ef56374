"""Work in a thread that nobody waits for at the end: a stick or a server may never answer."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


async def in_thread(ask: Callable[[], Answer]) -> Answer:
    """Ask, and come back with the answer or its error."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Answer] = loop.create_future()

    def tell(found: Answer | None, error: BaseException | None) -> None:
        if answered.done():
            return
        if error is not None:
            answered.set_exception(error)
        else:
            answered.set_result(found)  # type: ignore[arg-type]  # there was no error

    def work() -> None:
        found: Answer | None = None
        problem: BaseException | None = None
        try:
            found = ask()
        except BaseException as error:  # noqa: BLE001 - it belongs to who asked
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(tell, found, problem)

    threading.Thread(target=work, name="aside", daemon=True).start()
    return await answered
