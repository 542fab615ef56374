"""The whole subject on a real store and real servers, through failures and restarts."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import msgspec
import pytest

from hub.domain.errors import RefusedDecisionError
from hub.domain.events import AcknowledgeWanted, DrillWanted
from hub.domain.fault import Severity
from hub.notify import courier
from hub.notify.roster import StandIn
from hub.notify.rules import Notice, NoticeKind, Sending, State
from hub.notify.wording import Told, Writer
from tests.notify.making import DAY, HOUR, MINUTE, alert, at, cleared, taken
from tests.notify.rig import Rig
from tests.notify.servers import Mailbox, Receiver

LINK = re.compile(r"https://hub\.test/ack/([\w-]+)")


def notify(folder: Path, box: Mailbox, chat: Receiver, more: str = "") -> str:
    (folder / "mail.url").write_text(box.url)
    (folder / "chat.url").write_text(f"json://127.0.0.1:{chat.port}/chat")
    (folder / "hook.key").write_text("a key")
    return f"""
http: {{names: ["https://hub.test"]}}
notify:
  public_url: https://hub.test
  channels:
    - {{id: mail, kind: email, url_file: mail.url}}
    - {{id: chat, kind: wecom, url_file: chat.url}}
  people:
    - id: li
      name: 李
      channels: [chat, mail]
      to: {{mail: li@linli.test}}
      quiet: "22:00-31:00"
    - {{id: chen, name: Chen, language: en, channels: [mail], to: {{mail: chen@linli.test}}}}
  roster:
    - {{when: {{mon-sun: "00:00-24:00"}}, people: [li]}}
  manager: chen
{more}"""


HOOK = "  webhooks: [{{id: district, url: '{url}/in', secret_file: hook.key, events: [alert]}}]\n"


async def test_an_alert_becomes_one_message_in_the_persons_language(tmp_path: Path) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        rig = Rig(tmp_path, notify(tmp_path, box, chat), at(10))
        async with rig.running():
            rig.change(alert(1, Severity.HIGH, at(9.75)))
            await rig.until(lambda: chat.posts)
            await rig.idle()
            rig.forward(16 * MINUTE)
            await rig.until(lambda: box.mails)
            await rig.idle()
    (post,) = chat.posts
    said = json.loads(post.body)
    assert said["title"].startswith("告警 – 健身房：")
    assert "自 09:45 起" in said["message"]
    assert "先检查：" in said["message"]
    (mail,) = box.mails
    assert mail["To"] == "chen@linli.test"
    assert "Since 09:45" in mail.get_content()
    links = LINK.findall(said["message"] + mail.get_content())
    assert len(set(links)) == 2, "each has a link of his own"
    assert "li" not in re.sub("[A-Z0-9_-]", "", links[0]) or len(links[0]) == 43


async def test_a_link_answers_for_its_person_and_channel_and_no_other_does(tmp_path: Path) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        rig = Rig(tmp_path, notify(tmp_path, box, chat), at(10))
        async with rig.running() as running:
            rig.change(alert(1, Severity.HIGH, at(10)))
            await rig.until(lambda: chat.posts)
            await rig.idle()
            token = LINK.findall(json.loads(chat.posts[0].body)["message"])[0]
            answer = running.answer_of(token)
            assert answer is not None
            assert (answer.alert, answer.person, answer.channel, answer.is_late) == (
                1, "li", "chat", False,
            )  # fmt: skip
            for place in range(len(token)):
                other = "A" if token[place] != "A" else "B"
                forged = running.answer_of(token[:place] + other + token[place + 1 :])
                assert forged is None or place == len(token) - 1, "bits beyond the last byte"
            assert running.answer_of("") is None
            assert running.answer_of("ä" * 43) is None
            running.acknowledge(answer)
            assert rig.wishes == [AcknowledgeWanted(1, "li", rig.now_ms)]
            assert running.book.proofs["li", "chat"] == rig.now_ms
            await rig.idle()
            rig.now_ms += 8 * DAY
            late = running.answer_of(token)
            assert late is not None
            assert late.is_late
        key = tmp_path / "data/notify.key"
        assert key.stat().st_mode & 0o777 == 0o600
        async with rig.running() as running:
            assert running.answer_of(token) is not None, "the key outlives a restart"
            await rig.until(lambda: ("li", "chat") in running.book.proofs)


async def test_nobody_is_away_for_ever(tmp_path: Path) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        rig = Rig(tmp_path, notify(tmp_path, box, chat), at(10))
        async with rig.running() as running:
            await rig.until(lambda: running._early is None)
            with pytest.raises(RefusedDecisionError):
                await running.stand_in(StandIn(0, "li", "chen", date.min, date.max))
            await running.stand_in(StandIn(0, "li", "chen", date.max, date.max))
            assert len(running.book.stand_ins) == 1


async def test_what_was_closed_long_ago_is_forgotten_here_too(tmp_path: Path) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        rig = Rig(tmp_path, notify(tmp_path, box, chat), at(10))
        async with rig.running() as running:
            rig.change(alert(1, Severity.HIGH, at(10)))
            await rig.until(lambda: chat.posts)
            rig.change(cleared(rig.faults.known[1], rig.now_ms))
            await rig.until(lambda: not running.book.notices)
            assert running.book.knows("alert:1")
            rig.forward(91 * DAY)
            await rig.until(lambda: not running.book.knows("alert:1"))


def test_a_name_of_two_lines_is_no_header_of_a_mail(tmp_path: Path) -> None:
    place = Rig(tmp_path, "", at(10)).place
    gym = msgspec.structs.replace(place.rooms[0], name={"en": "Gym\r\nBcc: somebody@else"})
    writer = Writer(msgspec.structs.replace(place, rooms=(gym,)), None)
    told = Told(
        Sending(1, 1, "li", "mail", 0, 0, 0),
        Notice(1, "alert:1", NoticeKind.RAISED, 0, alert(1)),
    )
    letter = writer.letter("mark", [told], "en", at(10), str, most_bytes=9_000)
    assert "Gym Bcc: somebody@else" in letter.title
    assert letter.title.isprintable()


async def test_two_days_without_a_network_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Alerts every two hours, nobody reachable, the hub restarted well and badly in between."""
    chat, box = Receiver(), Mailbox()
    more = HOOK.format(url=chat.url)
    rig = Rig(tmp_path, notify(tmp_path, box, chat, more), at(8))
    for day in range(4):
        async with rig.running(ends_well=day % 2 == 0):
            await rig.until(lambda: rig.notify._early is None)
            for step in range(6):
                number = day * 6 + step + 1
                rig.change(alert(number, Severity.MEDIUM, rig.now_ms))
                if number % 3 == 0:
                    rig.change(cleared(rig.faults.known[number - 1], rig.now_ms))
                for _ in range(2):
                    rig.forward(HOUR)
                    await rig.idle()
    assert rig.now_ms == at(8, 2)
    await chat.start()
    async with box.running():
        async with rig.running():
            await rig.until(lambda: rig.notify._early is None)
            for _ in range(8):
                rig.forward(15 * MINUTE)
                await rig.idle()
            trouble = [row for row in rig.notify.book.sendings.values() if row.is_open]
            assert trouble == []
        await chat.stop()
    firsts = Counter(line for text in _texts(chat, box) for line in _first_words(text))
    assert set(firsts) == {f"door-{number}" for number in range(1, 25)}
    assert {device: count for device, count in firsts.items() if count != 1} == {}
    hooks = [json.loads(post.body) for post in chat.posts if post.path == "/in"]
    states = Counter((event["alert"]["id"], event["alert"]["state"]) for event in hooks)
    wanted = {(number, "raised") for number in range(1, 25)}
    wanted |= {(number, "cleared") for number in range(2, 24, 3)}
    assert set(states) == wanted
    assert set(states.values()) == {1}
    marks = Counter(post.headers["idempotency-key"] for post in chat.posts if post.path == "/in")
    assert set(marks.values()) == {1}
    assert max(Counter(box.marks()).values(), default=0) <= 1


def _first_words(text: str) -> list[str]:
    """The devices of which a Chinese message tells for the first time: in the outage that is li."""
    told = re.findall(r"^(?:· )?(?:告警|曾发生，现已结束) – 健身房：([\w-]+)", text, re.MULTILINE)
    return list(told)


def _texts(chat: Receiver, box: Mailbox) -> list[str]:
    posts = [json.loads(post.body) for post in chat.posts if post.path == "/chat"]
    return [post["message"] for post in posts] + [mail.get_content() for mail in box.mails]


async def test_a_hub_killed_while_it_sends_repeats_only_what_can_be_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "LAST_S", 0.1)  # whoever is killed waits for nobody
    async with Receiver() as chat, Mailbox().running() as box:
        chat.mood, box.mood = "hang", "silent"
        rig = Rig(tmp_path, notify(tmp_path, box, chat, HOOK.format(url=chat.url)), at(10))
        async with rig.running(ends_well=False):
            rig.change(alert(1, Severity.HIGH, at(10)))
            await rig.until(lambda: len(chat.posts) == 2)  # the robot's and the program's
        chat.mood, box.mood = 200, "take"
        async with rig.running() as running:
            await rig.until(lambda: len([p for p in chat.posts if p.path == "/in"]) == 2)
            await rig.until(lambda: box.mails)
            await rig.idle()
            rows = {(row.person, row.channel): row.state for row in running.book.sendings.values()}
    assert len([p for p in chat.posts if p.path == "/chat"]) == 1, "not repeated to the robot"
    assert rows["li", "chat"] is State.UNKNOWN
    assert rows["li", "mail"] is State.SENT, "the other way, at once"
    marks = [p.headers["idempotency-key"] for p in chat.posts if p.path == "/in"]
    assert marks[0] == marks[1]


async def test_an_alert_that_came_while_the_hub_was_down_is_told(tmp_path: Path) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        rig = Rig(tmp_path, notify(tmp_path, box, chat), at(10))
        rig.faults.known[1] = alert(1, Severity.HIGH, at(9))
        async with rig.running():
            await rig.until(lambda: chat.posts)
            await rig.idle()
        rig.faults.known[1] = cleared(rig.faults.known[1], at(10.5))
        rig.now_ms = at(11)
        async with rig.running() as running:
            await rig.until(lambda: len(chat.posts) == 2)
            await rig.idle()
            await rig.until(lambda: not running.book.notices)
    assert json.loads(chat.posts[1].body)["title"].startswith("已结束")


async def test_a_server_that_asks_for_patience_gets_it(tmp_path: Path) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        chat.mood, chat.headers = 429, {"Retry-After": "600"}
        rig = Rig(tmp_path, notify(tmp_path, box, chat), at(10))
        async with rig.running():
            rig.change(alert(1, Severity.HIGH, at(10)))
            await rig.until(lambda: chat.posts)
            await rig.idle()
            chat.mood = 200
            rig.forward(9 * MINUTE)
            await rig.idle()
            assert len(chat.posts) == 1
            rig.forward(MINUTE)
            await rig.until(lambda: len(chat.posts) == 2)
            await rig.idle()


async def test_a_drill_goes_the_whole_way_and_is_proven_by_person_and_channel(
    tmp_path: Path,
) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        rig = Rig(tmp_path, notify(tmp_path, box, chat), at(10))
        async with rig.running() as running:
            await rig.until(lambda: running._early is None)
            drill = running.begin_drill("wang")
            assert isinstance(rig.wishes[0], DrillWanted)
            made = alert(7, Severity.HIGH, rig.now_ms, is_drill=True)
            made.evidence["number"] = drill.id
            rig.change(made)
            await rig.until(lambda: chat.posts and len(box.mails) == 2)
            await rig.idle()
            for text in _texts(chat, box):
                answer = running.answer_of(LINK.findall(text)[0])
                assert answer is not None
                running.acknowledge(answer)
            rig.change(taken(made))
            await rig.idle()
            last = running.book.drill
            assert last is not None
            assert set(last.proven) == {("li", "chat"), ("li", "mail"), ("chen", "mail")}
            assert last.ended_ms == rig.now_ms
    titles = [str(mail["Subject"]) for mail in box.mails]
    assert any("Drill" in title for title in titles)
    assert all("演练" in json.loads(post.body)["title"] for post in chat.posts)


async def test_drills_have_their_day(tmp_path: Path) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        more = "  drill: {every: 7d, when: {mon: '10:00-11:00'}}\n"
        rig = Rig(tmp_path, notify(tmp_path, box, chat, more), at(9))
        async with rig.running():
            for hour in range(24 * 15):
                rig.now_ms = at(9 + hour)
                rig.notify.wake()
                await rig.idle()
    begun = [wish.at_ms for wish in rig.wishes if isinstance(wish, DrillWanted)]
    assert begun == [at(10), at(10, 7), at(10, 14)]


async def test_a_sign_of_life_only_while_all_is_well(tmp_path: Path) -> None:
    async with Receiver() as chat, Receiver() as watcher, Mailbox().running() as box:
        (tmp_path / "beat.url").write_text(f"{watcher.url}/ping/key")
        more = "  heartbeat: {url_file: beat.url, every: 50ms}\n"
        rig = Rig(tmp_path, notify(tmp_path, box, chat, more), at(10))
        is_well = True
        async with rig.running() as running:
            assert running.heartbeat is not None
            running.heartbeat._is_well = lambda: is_well
            await rig.until(lambda: len(watcher.posts) >= 3)
            is_well = False
            await rig.until(lambda: running.heartbeat and running.heartbeat.error == "not_well")
            held = len(watcher.posts)
            is_well = True
            await rig.until(lambda: len(watcher.posts) > held)
        stopped = len(watcher.posts)
        assert {post.path for post in watcher.posts} == {"/ping/key"}
        await asyncio.to_thread(lambda: None)
        assert len(watcher.posts) == stopped, "none after the loop has ended"


async def test_a_disk_that_takes_nothing_keeps_no_message_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Receiver() as chat, Mailbox().running() as box:
        rig = Rig(tmp_path, notify(tmp_path, box, chat), at(10))
        async with rig.running() as running:
            await rig.until(lambda: running._early is None)
            store = running.book._store

            class Full:
                async def work(self, *_: object) -> None:
                    raise OSError("No space left on device")

                ask = store.ask

            running.book._store = Full()  # type: ignore[assignment]
            rig.change(alert(1, Severity.HIGH, at(10)))
            await rig.until(lambda: chat.posts)
            assert running.book.is_failing
            running.book._store = store
            rig.forward(MINUTE)
            await rig.idle()
            assert not running.book.is_failing
        async with rig.running() as running:
            await rig.until(lambda: running.book.sendings)
            assert [row.state for row in running.book.sendings.values()] == [State.SENT]
    assert caplog.text.count("cannot be kept") == 1
