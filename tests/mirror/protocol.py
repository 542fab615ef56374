"""A reader of line protocol, written from its description and not from our writer.

It stands in for a server's parser: what it gives back is what a server would store.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Field = float | str | bool


class BadLineError(ValueError):
    """This is no line protocol."""


@dataclass(frozen=True)
class Point:
    measurement: str
    tags: dict[str, str]
    fields: dict[str, Field]
    at_ns: int

    @property
    def place(self) -> tuple[str, tuple[tuple[str, str], ...], int]:
        """What tells points apart: two with the same are one."""
        return self.measurement, tuple(sorted(self.tags.items())), self.at_ns


@dataclass
class _Reader:
    text: str
    at: int = 0
    taken: list[str] = field(default_factory=list)

    def upto(self, ends: str) -> str:
        """A name: special characters behind a backslash are plain ones."""
        found = ""
        while self.at < len(self.text) and self.text[self.at] not in ends:
            if self.text[self.at] == "\\" and self.text[self.at + 1 : self.at + 2] in ",= ":
                self.at += 1
            found += self.text[self.at : self.at + 1]
            self.at += 1
        if not found:
            raise BadLineError(f"an empty name at {self.at} in {self.text!r}")
        return found

    def take(self, character: str) -> bool:
        if self.text[self.at : self.at + 1] == character:
            self.at += 1
            return True
        return False

    def need(self, character: str) -> None:
        if not self.take(character):
            raise BadLineError(f"no {character!r} at {self.at} in {self.text!r}")

    def quoted(self) -> str:
        found = ""
        while not self.take('"'):
            if self.text[self.at : self.at + 2] in ('\\"', "\\\\"):
                self.at += 1
            if self.at >= len(self.text):
                raise BadLineError("a text without an end")
            found += self.text[self.at]
            self.at += 1
        return found

    def value(self) -> Field:
        if self.take('"'):
            return self.quoted()
        word = self.upto(", ")
        try:
            number = float(word)
        except ValueError:
            raise BadLineError(f"no number: {word!r}") from None
        if number != number or number in (float("inf"), float("-inf")):
            raise BadLineError(f"no finite number: {word!r}")
        return number


def parse(line: str) -> Point:
    """One line.

    Raises:
        BadLineError: it is none.
    """
    if line.startswith("#"):
        raise BadLineError("a comment: nothing would be stored")
    reader = _Reader(line)
    measurement = reader.upto(", ")
    tags: dict[str, str] = {}
    while reader.take(","):
        key = reader.upto("=")
        reader.need("=")
        tags[key] = reader.upto(", ")
    reader.need(" ")
    fields: dict[str, Field] = {}
    while True:
        key = reader.upto("=")
        reader.need("=")
        fields[key] = reader.value()
        if not reader.take(","):
            break
    reader.need(" ")
    time = line[reader.at :]
    if not time.lstrip("-").isdecimal():
        raise BadLineError(f"no time: {time!r}")
    return Point(measurement, tags, fields, int(time))


def lines_of(body: str) -> list[str]:
    """The lines of a request; a text may hold a line's end."""
    lines, start, inside, at = [], 0, False, 0
    while at < len(body):
        if inside and body[at] == "\\":
            at += 1
        elif body[at] == '"':
            inside = not inside
        elif body[at] == "\n" and not inside:
            lines.append(body[start:at])
            start = at + 1
        at += 1
    lines.append(body[start:])
    return [line for line in lines if line]
