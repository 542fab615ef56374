"""What each kind of channel makes of each kind of trouble: real servers, real libraries."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from hub.aside import in_thread
from hub.notify import chat, mail, web, webhook
from hub.notify.courier import MOST_AT_ONCE, Courier
from hub.notify.letter import Letter
from hub.notify.queue import SENT, Outcome, Parcel, Result
from tests.notify.servers import Mailbox, Receiver

LETTER = Letter("0123456789abcdef", "健身房：门 – 「静默」", "第一行\nhttps://hub.test/ack/x")
S, R, U = Result.SENT, Result.REFUSED, Result.UNKNOWN


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with Mailbox().running() as running:
        yield running


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of patience instead of twenty; nothing else differs."""
    for module in (chat, web, mail):
        monkeypatch.setattr(module, "ANSWER_S", 1.0)


def secret(folder: Path, line: str, name: str = "channel.url") -> Path:
    file = folder / name
    file.write_text(line + "\n")
    return file


async def mailed(box: Mailbox, folder: Path) -> Outcome:
    file = secret(folder, box.url)
    return await in_thread(partial(chat.send, "email", file, "li.na@linli.test", LETTER))


async def test_a_mail_arrives_whole_with_its_mark(box: Mailbox, tmp_path: Path) -> None:
    assert (await mailed(box, tmp_path)).result is S
    (message,) = box.mails
    assert message["Message-ID"] == "<0123456789abcdef@linli.test>"
    assert message["Subject"] == LETTER.title
    assert message["X-Recipients"] == "li.na@linli.test"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == LETTER.body.splitlines()


@pytest.mark.parametrize(
    ("mood", "result", "error", "of_channel"),
    [
        ("full", R, "smtp:452", True),
        ("nobody", R, "recipient", False),
        ("silent", U, "no_answer", True),
    ],
)
async def test_what_a_mail_server_says_is_understood(
    box: Mailbox, tmp_path: Path, mood: str, result: Result, error: str, of_channel: bool
) -> None:
    box.mood = mood
    found = await mailed(box, tmp_path)
    assert (found.result, found.error, found.of_channel) == (result, error, of_channel)


async def test_no_mail_server_is_surely_not_sent(tmp_path: Path) -> None:
    found = await mailed(Mailbox(), tmp_path)
    assert (found.result, found.error) == (R, "no_connection")


MOODS: list[tuple[int | str, Result, str]] = [
    (200, S, ""),
    (404, R, "status:404"),
    (429, R, "status:429"),
    (500, R, "status:500"),
    ("hang", U, "no_answer"),
    ("cut", U, "no_answer"),
    ("drop", U, "no_answer"),
]


@pytest.mark.parametrize(("mood", "result", "error"), MOODS)
@pytest.mark.parametrize("kind", ["webhook", "ntfy"])
async def test_what_a_server_says_to_apprise_is_understood(
    receiver: Receiver,
    tmp_path: Path,
    kind: str,
    mood: int | str,
    result: Result,
    error: str,
) -> None:
    receiver.mood, receiver.headers = mood, {"Retry-After": "90"} if mood == 429 else {}
    scheme, path = {"webhook": ("json", "/"), "ntfy": ("ntfy", "/hall")}[kind]
    file = secret(tmp_path, f"{scheme}://127.0.0.1:{receiver.port}{path}")
    found = await in_thread(partial(chat.send, kind, file, "", LETTER))
    assert (found.result, found.error) == (result, error)
    assert found.retry_after_s == (90 if mood == 429 else 0)
    assert len(receiver.posts) == 1, "one request, and no repeat of the library's own"


@pytest.mark.parametrize(("mood", "result", "error"), MOODS)
async def test_what_a_program_says_is_understood(
    receiver: Receiver, tmp_path: Path, mood: int | str, result: Result, error: str
) -> None:
    receiver.mood = mood
    post = partial(webhook.post, receiver.url + "/in", secret(tmp_path, "key"), b"{}", "mark")
    found = await in_thread(post)
    assert (found.result, found.error) == (result, error)


async def test_an_event_is_signed_and_marked(receiver: Receiver, tmp_path: Path) -> None:
    body = b'{"event": "alert.raised"}'
    await in_thread(partial(webhook.post, receiver.url, secret(tmp_path, "key"), body, "mark"))
    (post,) = receiver.posts
    moment, proof = (part.partition("=")[2] for part in post.headers["linli-signature"].split(","))
    wanted = hmac.new(b"key", f"{moment}.".encode() + post.body, hashlib.sha256).hexdigest()
    assert (post.body, proof) == (body, wanted)
    assert post.headers["idempotency-key"] == "mark"


async def test_nothing_listens_or_nobody_is_called_that(tmp_path: Path) -> None:
    gone = Receiver()
    for url in (gone.url, "http://nobody.invalid/", "https://127.0.0.1:1/"):
        found = await in_thread(partial(web.call, "GET", url, None, {}))
        assert (found.result, found.error) == (R, "no_connection"), url
    file = secret(tmp_path, f"json://127.0.0.1:{gone.port}/")
    found = await in_thread(partial(chat.send, "webhook", file, "", LETTER))
    assert (found.result, found.error) == (R, "no_connection")


@pytest.mark.parametrize(
    ("body", "result", "error"),
    [
        (b'{"errcode": 0, "errmsg": "ok"}', S, ""),
        (b'{"code": 0, "msg": "success"}', S, ""),
        (b'{"errcode": 45009, "errmsg": "api freq out of limit"}', R, "code:45009"),
        (b'{"code": 9499, "msg": "Bad Request"}', R, "code:9499"),
        (b"<html>", U, "bad_answer"),
    ],
)
async def test_a_robot_that_says_200_and_no_is_believed(
    receiver: Receiver, tmp_path: Path, body: bytes, result: Result, error: str
) -> None:
    receiver.body = body
    file = secret(tmp_path, f"json://127.0.0.1:{receiver.port}/")
    found = await in_thread(partial(chat.send, "wecom", file, "", LETTER))
    assert (found.result, found.error) == (result, error)


async def test_a_secret_that_is_missing_or_wrong_is_told_and_never_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    missing = partial(chat.send, "email", tmp_path / "none", "", LETTER)
    addresses = (
        ("email", "nonsense://key-of-mine"),
        ("email", "json://key-of-mine"),
        ("wecom", "mailto://key-of-mine:pw@example.org"),
    )
    wrong = [
        partial(chat.send, kind, secret(tmp_path, url, str(number)), "", LETTER)
        for number, (kind, url) in enumerate(addresses)
    ]
    with caplog.at_level(logging.DEBUG):
        assert (await in_thread(missing)).error == "no_secret"
        for send in wrong:
            assert (await in_thread(send)).error == "bad_url"
    assert "key-of-mine" not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_who_points_elsewhere_is_not_followed(tmp_path: Path, status: int) -> None:
    """A page that says 200 to whoever asks has not got the message."""
    async with Receiver() as moved, Receiver() as elsewhere:
        moved.mood, moved.headers = status, {"Location": f"{elsewhere.url}/sign-in"}
        file = secret(tmp_path, f"json://127.0.0.1:{moved.port}/")
        found = await in_thread(partial(chat.send, "webhook", file, "", LETTER))
        assert (found.result, found.error) == (R, f"status:{status}")
        assert elsewhere.posts == []


async def test_an_answer_without_an_end_is_read_no_further(
    receiver: Receiver, tmp_path: Path
) -> None:
    receiver.body = b"x" * (64 * 1024 * 1024)
    file = secret(tmp_path, f"json://127.0.0.1:{receiver.port}/")
    found = await in_thread(partial(chat.send, "webhook", file, "", LETTER))
    assert found.result is S
    (answer,) = await in_thread(partial(_answers_of, file))
    assert len(answer.body) <= chat.MOST_READ + chat.PIECE


def _answers_of(file: Path) -> list[chat.Answered]:
    chat.send("webhook", file, "", LETTER)
    return chat._seen.answers


@pytest.mark.parametrize(
    "line", ["http://[bad/", "http://a b/", "http://{at}/中心", "http://{at}/a b"]
)
async def test_an_address_that_cannot_be_one_is_told_and_ends_nothing(
    receiver: Receiver, line: str
) -> None:
    url = line.format(at=f"127.0.0.1:{receiver.port}")
    found = await in_thread(partial(web.call, "GET", url, None, {}))
    assert (found.result, found.error) == (R, "bad_url")
    assert receiver.posts == []


async def test_what_is_asked_on_the_way_is_never_logged(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = secret(tmp_path, f"json://127.0.0.1:{receiver.port}/key-of-mine")
    with caplog.at_level(logging.DEBUG):
        found = await in_thread(partial(chat.send, "webhook", file, "", LETTER))
    assert found.result is S
    assert "key-of-mine" not in caplog.text


async def test_what_hangs_keeps_nobody_else_from_his_channel() -> None:
    told: list[tuple[str, Outcome]] = []
    end, freed = threading.Event(), asyncio.Event()
    courier = Courier(lambda parcel, found: told.append((parcel.channel, found)), freed.set, 0.01)
    for number in range(MOST_AT_ONCE):
        courier.send(Parcel("", "li", f"slow-{number}", ()), partial(_hang, end))
    assert courier.room == 0
    while len(told) < MOST_AT_ONCE:  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.01)
    assert courier.room == MOST_AT_ONCE
    assert not courier.is_free("slow-0"), "threads do not pile up"
    end.set()
    await freed.wait()
    await courier.close()
    assert courier.room == MOST_AT_ONCE


def _hang(end: threading.Event) -> Outcome:
    end.wait()
    return SENT


async def test_a_long_message_is_cut_at_a_line_for_who_takes_little() -> None:
    body = "\n".join(f"第 {number} 行" for number in range(500))
    fitted = chat.fitted(body, chat.MOST_BYTES["wecom"])
    assert len(fitted.encode()) <= 2_000
    assert fitted.endswith("行\n…")


async def test_many_threads_do_not_see_each_others_answers(tmp_path: Path) -> None:
    async with Receiver() as good, Receiver() as bad:
        bad.mood = 500
        sends: list[Callable[[], Outcome]] = []
        for number in range(8):
            server = (good, bad)[number % 2]
            file = tmp_path / f"{number}.url"
            file.write_text(f"json://127.0.0.1:{server.port}/")
            sends.append(partial(chat.send, "webhook", file, "", LETTER))
        found = await asyncio.gather(*(in_thread(send) for send in sends))
    assert [outcome.result for outcome in found] == [S, R] * 4
