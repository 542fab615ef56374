"""What a file may say about who is told, and the mistakes that are found before anybody is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub import settings
from hub.configuration.problems import LANGUAGES, SettingsError

HEAD = """
centre: {id: trial, name: {en: Trial}, timezone: Asia/Shanghai}
http: {names: ["https://hub.example"]}
"""
GOOD = (
    HEAD
    + """
notify:
  public_url: https://hub.example
  channels: [{id: mail, kind: email, url_file: secrets/mail.url}]
  people: [{id: li, name: Li, channels: [mail], to: {mail: li@linli.test}}]
  roster: [{when: {mon-fri: "08:00-18:00"}, people: [li]}]
  manager: li
  webhooks: [{id: district, url: "https://district.example", secret_file: a.key}]
"""
)
DOCS = Path(__file__).parents[2] / "docs/notify.md"


def test_the_example_of_the_manual_is_good(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    file = tmp_path / "centre.yaml"
    file.write_text(HEAD + example[1], encoding="utf-8")
    section = settings.load(file).notify
    assert section is not None
    assert section.channels[0].url_file == str(tmp_path / "secrets/wecom.url")
    assert section.heartbeat is not None
    assert section.heartbeat.url_file == str(tmp_path / "secrets/watcher.url")


@pytest.mark.parametrize(
    ("right", "wrong", "code", "guess"),
    [
        ("channels: [mail], to", "channels: [mial], to", "notify_channel", "mail"),
        ("to: {mail:", "to: {post:", "notify_channel", ""),
        ("people: [li]", "people: [lu]", "notify_person", ""),
        ("manager: li", "manager: chen", "notify_person", ""),
        ("  manager: li\n", "", "notify_manager", ""),
        ("_url: https://hub.example", "_url: https://hub.other", "notify_public_url", ""),
        ("[{id: district", "[{id: mail", "duplicate_id", ""),
        ('{mon-fri: "08:00-18:00"}', '{mon-fri: "08:00-18:00", fri: closed}', "day_twice", ""),
        ("kind: email", "kind: fax", "not_one_of", ""),
        ("secrets/mail.url}", "secrets/mail.url, url: mailto://x}", "unknown_key", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(right: str, wrong: str, code: str, guess: str) -> None:
    assert right in GOOD
    with pytest.raises(SettingsError) as found:
        settings.parse(GOOD.replace(right, wrong, 1))
    (problem,) = found.value.problems
    assert (problem.code, problem.guess) == (code, guess)
    assert problem.place.line > 0
    assert all(problem.text(language) for language in LANGUAGES)


def test_an_address_by_number_needs_no_name() -> None:
    by_number = GOOD.replace("https://hub.example\n", "http://10.0.0.5:8080\n")
    assert settings.parse(by_number).notify is not None
