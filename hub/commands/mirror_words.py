"""What `linli mirror` says of copies on other servers, in the language of the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hub.domain.room import Text
from hub.texts import render

if TYPE_CHECKING:
    from hub.mirror.verify import Tally

SHOWN = 5  # lines that were set aside; --json has them all
TIMES = ("oldest_unsent", "last_success", "saved", "rewind_from")
COLUMNS = ("series", "here", "there", "missing", "different", "extra", "unsent", "set_aside")
BETWEEN = "  "


def status(source: str, items: Iterable[Mapping[str, Any]], language: str) -> list[str]:
    """Who says it (``hub`` or ``database``), then each mirror."""
    lines = [render(Text(f"mirror.told.{source}"), language)]
    for item in items:
        lines += _mirror(item, language)
    return lines


def _mirror(item: Mapping[str, Any], language: str) -> list[str]:
    from hub.api.documents import rfc3339

    def said(code: str, **params: Any) -> str:
        return render(Text(f"mirror.told.{code}", params), language)

    state = render(Text(f"mirror.state.{item['state'] or 'unknown'}"), language)
    lines = [f"{item['id']}: {state}  {item['url']}"]
    lines.append(f"    {said('commits', count=item['commits_behind'])}")
    lines += [f"    {said(name, at=item[name])}" for name in TIMES if item.get(name)]
    if item["last_error"]:
        lines.append(f"    {item['last_error']['text']}")
    aside = item["set_aside"]
    lines.append(f"    {said('set_aside', count=len(aside))}")
    lines += [
        f"      {rfc3339(row['at_ms'])} {row['reason']}\n        {row['line']}"
        for row in aside[:SHOWN]
    ]
    return lines


def rewound(mirror: str, at: str | None, language: str) -> str:
    """``at``: from when it begins again; None: from the beginning."""
    if at is None:
        return render(Text("mirror.told.begins_again_all", {"mirror": mirror}), language)
    return render(Text("mirror.told.begins_again", {"mirror": mirror, "at": at}), language)


def table(mirror: str, tallies: Mapping[str, Tally], language: str) -> list[str]:
    """One line a measurement, with examples of what differs, and what that means."""
    if not tallies:
        return [render(Text("mirror.told.nothing", {"mirror": mirror}), language)]
    heads = [render(Text(f"mirror.head.{name}"), language) for name in COLUMNS]
    numbers = [[str(getattr(tally, name)) for name in COLUMNS] for tally in tallies.values()]
    widths = [max(map(_width, column)) for column in zip(heads, *numbers, strict=True)]
    first = max(map(_width, tallies))
    lines = [_row("", heads, first, widths)]
    for (name, tally), cells in zip(tallies.items(), numbers, strict=True):
        lines.append(_row(name, cells, first, widths))
        lines += [f"    {example}" for example in tally.examples]
    missing = sum(tally.missing + tally.different for tally in tallies.values())
    verdict = Text("mirror.told.equal", {"mirror": mirror})
    if missing:
        verdict = Text("mirror.told.differs", {"mirror": mirror, "count": missing})
    lines.append(render(verdict, language))
    return lines


def _row(name: str, cells: list[str], first: int, widths: list[int]) -> str:
    padded = [
        " " * (width - _width(cell)) + cell for cell, width in zip(cells, widths, strict=True)
    ]
    return BETWEEN.join([name + " " * (first - _width(name)), *padded])


def _width(text: str) -> int:
    """In columns of a terminal, where a Chinese character takes two.

    >>> _width("ab"), _width("缺少")
    (2, 4)
    """
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
