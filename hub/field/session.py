"""One connection to the broker, from the first word to the last.

    subscribe > echo > everything: configs, states, and only then "online" > what changes, for ever
       |  what the broker kept of ours and is wanted no more comes back, and is cleared
       '--- the echo comes back: that was all of it

What is due is kept by topic and written when it is sent, so a slow broker costs news, never
memory. The states come before "online": whoever looks must not see yesterday's for a moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

import aiomqtt

from hub.field.topics import Topics

log = logging.getLogger(__name__)

PACE_S = 0.2
"""Between rounds: a room that flickers is said five times a second at most."""
REFRESH_S = 100.0
"""Each state is said again so often; it expires after three times as long."""
AGAIN_S = 0.2
ECHO_WITHIN_S = 30.0
ONLINE, OFFLINE = b"online", b"offline"

Write = Callable[[], bytes]


async def end(tasks: Iterable[asyncio.Task[None]], again_s: float) -> None:
    """Cancel them, again and again until it is heeded.

    aiomqtt waits by ``wait_for``, which before Python 3.12 swallows a cancellation that comes in
    the same moment as the answer.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=again_s)
    await asyncio.gather(*tasks, return_exceptions=True)  # what they raised was told, or is late


def _nothing() -> bytes:
    """An empty retained message takes the one before it away."""
    return b""


class Session:
    """
    Args:
        client: Connected.
        here: Our topics; None where nothing is published any more.
        places: Everywhere that something of ours may lie, ``here`` among them.
        configs, states: Topic to who writes what belongs there.
        tidied: Called once all that is not wanted has been cleared away.
    """

    def __init__(
        self,
        client: aiomqtt.Client,
        here: Topics | None,
        places: Iterable[Topics],
        configs: Mapping[str, Write],
        states: Mapping[str, Write],
        tidied: Callable[[], None],
    ) -> None:
        self._client = client
        self._here = here
        self._places = tuple(places)
        self._configs = configs
        self._states = states
        self._tidied = tidied
        self._due: dict[str, Write] = {}
        self._wake = asyncio.Event()
        self._has_heard_all = False
        self._is_tidy = False

    def say(self, topic: str, write: Write) -> None:
        """Say it soon; what waits for the same topic is not said."""
        self._due[topic] = write
        self._wake.set()

    async def run(self) -> None:
        """Until the connection is lost, or there is nothing left to do.

        Raises:
            MqttError: it is lost.
        """
        filters = [name for place in self._places for name in place.kept]
        if self._here is not None:
            filters.append(self._here.birth)
        echo = self._places[0].echo
        await self._client.subscribe([(name, 1) for name in (*filters, echo)])
        await self._client.publish(echo, qos=1)
        deaf = asyncio.get_running_loop().call_later(ECHO_WITHIN_S, self._tell_deaf, echo)
        self._say_all()
        reading = asyncio.create_task(self._read(echo))
        speaking = asyncio.create_task(self._speak())
        try:
            done, _ = await asyncio.wait({reading, speaking}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            deaf.cancel()
            await end({reading, speaking}, AGAIN_S)

    async def farewell(self) -> None:
        """A broker sends no will for who leaves in good order."""
        if self._here is not None:
            await self._client.publish(self._here.status, OFFLINE, qos=1, retain=True)

    def _say_all(self) -> None:
        for topic, write in (*self._configs.items(), *self._states.items()):
            self.say(topic, write)
        for place in self._places:
            if self._here is None or place.status != self._here.status:
                self.say(place.status, _nothing)
        if self._here is not None:
            self.say(self._here.status, lambda: ONLINE)

    async def _read(self, echo: str) -> None:
        async for message in self._client.messages:
            topic, payload = message.topic.value, message.payload
            if topic == echo:
                self._has_heard_all = True
                self._wake.set()
            elif self._here is not None and topic == self._here.birth:
                if payload == ONLINE:
                    self._say_all()
            elif payload and topic not in self._configs and topic not in self._states:
                self.say(topic, _nothing)

    def _tell_deaf(self, echo: str) -> None:
        """An access list that keeps our own words from us does not say so."""
        if not self._has_heard_all:
            log.warning(
                "The broker does not let us read %s: what was published of rooms that are gone "
                "stays in Home Assistant. Let our account read it: config/mosquitto/linli.acl",
                echo,
            )

    async def _speak(self) -> None:
        now = asyncio.get_running_loop().time
        refresh_at = now() + REFRESH_S
        while True:
            self._wake.clear()
            while self._due:
                topic = next(iter(self._due))
                write = self._due.pop(topic)
                await self._client.publish(topic, write(), qos=1, retain=True)
            if self._has_heard_all and not self._is_tidy and not self._due:
                await self._tidy()
                if self._here is None:
                    return
            await asyncio.sleep(PACE_S)
            try:
                async with asyncio.timeout_at(refresh_at):
                    await self._wake.wait()
            except TimeoutError:
                refresh_at = now() + REFRESH_S
                self._due |= self._states

    async def _tidy(self) -> None:
        """All that was kept has come; from here on our own words need not come back to us."""
        self._is_tidy = True
        await self._client.unsubscribe([name for place in self._places for name in place.kept])
        self._tidied()
