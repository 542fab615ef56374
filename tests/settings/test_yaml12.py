from __future__ import annotations

import time

import pytest

from hub.configuration.problems import Place, Problem
from hub.configuration.yaml12 import MAX_BYTES, MAX_DEPTH, decode, read_text


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("12:30:00", "12:30:00"),
        ("2026-11-22", "2026-11-22"),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("5.", 5.0),
        (".inf", float("inf")),
        ("true", True),
        ("~", None),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("9" * 5000, "9" * 5000),
        ("<<", "<<"),
    ],
)
def test_a_word_means_what_yaml_1_2_says(word: str, meaning: object) -> None:
    document = read_text(f"key: {word}", "a.yaml")

    assert document.problems == []
    assert document.data == {"key": meaning}
    assert type(document.data["key"]) is type(meaning)


def test_every_key_and_value_has_its_place() -> None:
    document = read_text("a:\n  - {名字: x,   b: 2}\n", "a.yaml")

    assert document.keys["a", 0, "b"] == Place("a.yaml", 2, 15)
    assert document.values["a", 0, "b"] == Place("a.yaml", 2, 18)
    assert document.place(("a", 0, "nowhere", 3)) == Place("a.yaml", 2, 5)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3\n", "duplicate_key", 3, 1),
        ("a: &x [1]\nb: *x\n", "alias", 2, 4),
        ("a: &x [*x]\n", "alias", 1, 8),
        ("*x : 1\n", "alias", 1, 1),
        ("a: 1\n---\nb: 2\n", "many_documents", 2, 1),
        ("? [a, b]\n: 1\n", "odd_key", 1, 3),
        ("a: !!python/object:os.system x\n", "tag", 1, 4),
        ("a:\n\tb: 1\n", "tab", 2, 1),
        ("a: [1, 2\nb: 3\n", "syntax", 2, 2),
        ("a: 1\nb: x\0y\n", "character", 2, 5),
        ("[" * 200_000, "too_deep", 1, MAX_DEPTH + 1),
        ("- " * 20_000, "too_deep", 1, 2 * MAX_DEPTH + 1),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(
    text: str, code: str, line: int, column: int
) -> None:
    problem = read_text(text, "a.yaml").problems[0]

    assert (problem.code, problem.place.line, problem.place.column) == (code, line, column)


def test_nothing_is_not_an_error_of_reading() -> None:
    for text in ("", "\n# only a comment\n", "---\n"):
        document = read_text(text, "a.yaml")
        assert (document.data, document.problems) == (None, [])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("名字: x".encode(), "名字: x"),
        (b"\xef\xbb\xbfa: 1", "a: 1"),
        (b"a: 1\nb: \xb5", Problem("encoding", Place("a.yaml", 2, 4), {"byte": "0xb5"})),
        ("a: 1".encode("utf-16"), Problem("utf16", Place("a.yaml", 1, 1))),
        (b" " * (MAX_BYTES + 1), Problem("too_big", Place("a.yaml"), {"limit": 4})),
    ],
)
def test_bytes_become_text_or_a_problem(raw: bytes, expected: str | Problem) -> None:
    assert decode(raw, "a.yaml") == expected


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    start = time.monotonic()

    assert [item.code for item in read_text("\n".join(lines), "a.yaml").problems] == ["alias"]
    assert time.monotonic() - start < 0.5
