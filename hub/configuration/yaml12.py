"""Read YAML 1.2 and remember where every key and value stands.

PyYAML reads YAML 1.1, where `on` is true, `012` is ten, `12:30:00` is 45000 and `1e3` is a text.
Here its C parser only splits the text into events; what a plain word means is decided by the core
schema of YAML 1.2, so `on` is a text and `012` is twelve.

A file is written by a person, or by somebody who wishes us ill, so three things are bounded: its
size, its depth (the C composer overflows the stack on 200,000 brackets; events do not), and
aliases, which are refused: a dozen lines of them can stand for more memory than the machine has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from hub.configuration.problems import Place, Problem

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML built without libyaml: same events, fifteen times slower
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

Path = tuple[str | int, ...]

MAX_BYTES = 4 * 1024 * 1024  # 3,000 devices take a tenth of it
MAX_DEPTH = 20  # the deepest setting is at 6
MAX_DIGITS = 40  # beyond, a number is surely a serial number

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUES = frozenset({"true", "True", "TRUE"})
FALSES = frozenset({"false", "False", "FALSE"})
INTEGER = re.compile(r"[-+]?[0-9]+")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
PREFIX = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Document:
    """Plain data, the place of each key and value by its path, and what could not be read."""

    data: object = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where a path stands, or else the nearest thing around it."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values[path]


class _Refused(Exception):  # noqa: N818 - not an error of ours: reading stops here
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def plain(value: str) -> object:
    """What an unquoted word means in YAML 1.2.

    >>> [plain(word) for word in ("on", "012", "12:30:00", "1e3", "0x1F", "true", "~")]
    ['on', 12, '12:30:00', 1000.0, 31, True, None]
    """
    if value in NULLS:
        return None
    if value in TRUES or value in FALSES:
        return value in TRUES
    if len(value) > MAX_DIGITS:
        return value
    if INTEGER.fullmatch(value):
        return int(value)
    if BASED.fullmatch(value):
        return int(value, 0)
    if FLOAT.fullmatch(value):
        return float(value)
    if SPECIAL.fullmatch(value):
        return float(value.replace(".", ""))
    return value


class _Reader:
    """One pass over the events of one text."""

    def __init__(self, text: str, file: str) -> None:
        self._loader = Loader(text)
        self._file = file
        self.document = Document()

    def read(self) -> None:
        document = self.document
        document.values[()] = Place(self._file, 1, 1)
        self._next()  # start of the stream
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return
        document.data = self._value(self._next(), ())
        self._next()  # end of the document
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._refuse("many_documents", event)

    def _next(self) -> yaml.Event:
        event = self._loader.get_event()
        if event is None:
            raise RuntimeError("read on behind the end of the stream")  # a bug of ours
        return event

    def _at(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1) if mark else Place(self._file)

    def _refuse(self, code: str, event: yaml.Event) -> _Refused:
        return _Refused(Problem(code, self._at(event), {"limit": MAX_DEPTH}))

    def _value(self, event: yaml.Event, path: Path) -> object:
        self.document.values[path] = self._at(event)
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse("alias", event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if len(path) >= MAX_DEPTH:
            raise self._refuse("too_deep", event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._mapping(path)

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        if event.tag is None:
            return plain(event.value) if event.implicit[0] else event.value
        if event.tag in ("!", PREFIX + "str"):
            return event.value
        self.document.problems.append(Problem("tag", self._at(event), {"tag": event.tag}))
        return event.value

    def _sequence(self, path: Path) -> list[object]:
        items: list[object] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, object]:
        table: dict[str, object] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                is_alias = isinstance(event, yaml.AliasEvent)
                raise self._refuse("alias" if is_alias else "odd_key", event)
            name, here = event.value, self._at(event)
            inner = (*path, name)
            if name in table:
                first = self.document.keys[inner]
                problem = Problem("duplicate_key", here, {"key": name, "first": str(first)})
                self.document.problems.append(problem)
            self.document.keys[inner] = here
            table[name] = self._value(self._next(), inner)
        return table


def read_text(text: str, file: str) -> Document:
    """Read one document. What cannot be read is in its ``problems``; nothing is raised."""
    reader = _Reader(text, file)
    try:
        reader.read()
    except _Refused as refused:
        reader.document.problems.append(refused.problem)
    except yaml.reader.ReaderError as error:
        reader.document.problems.append(_bad_character(text, file, error))
    except yaml.MarkedYAMLError as error:
        reader.document.problems.append(_syntax(text, file, error))
    return reader.document


def _bad_character(text: str, file: str, error: yaml.reader.ReaderError) -> Problem:
    code = error.character if isinstance(error.character, int) else ord(error.character)
    at = text.find(chr(code))
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return Problem("character", Place(file, line, column), {"character": f"U+{code:04X}"})


def _syntax(text: str, file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    place = Place(file, line + 1, column + 1)
    lines = text.split("\n")
    if line < len(lines) and "\t" in lines[line][: column + 1]:
        return Problem("tab", place)
    detail = "; ".join(part for part in (error.problem, error.context) if part)
    return Problem("syntax", place, {"detail": detail or "not YAML"})


def decode(raw: bytes, file: str) -> str | Problem:
    """Bytes of a file as text, or why not."""
    if len(raw) > MAX_BYTES:
        return Problem("too_big", Place(file), {"limit": MAX_BYTES // 1024 // 1024})
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Problem("utf16", Place(file, 1, 1))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        return Problem("encoding", Place(file, line, column), {"byte": f"0x{raw[error.start]:02x}"})
