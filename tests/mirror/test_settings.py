from __future__ import annotations

import pytest

from hub.settings import parse
from tests.settings.samples import GOOD, found, spot

MIRRORS = """\
mirrors:
  - {kind: influxdb, url: "http://10.0.0.5:8086", org: o, bucket: b}
  - {id: second, kind: influxdb, url: "https://[::1]/x", org: o, bucket: b, token_file: /t, rate: 9}
"""


def test_mirrors_as_the_documents_show_them() -> None:
    first, second = parse(GOOD + MIRRORS).mirrors

    assert (first.id, first.rate) == ("influxdb", 5_000)
    assert (second.id, second.token_file) == ("second", "/t")


SECOND = '- ^{kind: influxdb, url: "https'


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("id: second, ", "", SECOND),
        ("id: second", "id: influxdb", SECOND.replace("^{", "{id: ^influxdb, ")),
        ("  - {kind", "  - {id: second, kind", SECOND.replace("^{", "{id: ^second, ")),
    ],
)
def test_two_mirrors_cannot_have_one_id_also_where_none_is_written(
    old: str, new: str, at: str
) -> None:
    text = (GOOD + MIRRORS).replace(old, new, 1)

    assert found(text) == [("duplicate_id", *spot(text, at))]


@pytest.mark.parametrize(
    "url",
    [
        "10.0.0.5:8086",
        "ftp://10.0.0.5",
        "http://",
        "http://h:99999",
        "http://me:secret@10.0.0.5",
        "http://10.0.0.5/?token=1",
        "",
    ],
)
def test_an_address_must_be_one_of_the_web_and_hold_no_secret(url: str) -> None:
    text = (GOOD + MIRRORS).replace("http://10.0.0.5:8086", url)

    assert [code for code, _, _ in found(text)] == ["bad_url"]
