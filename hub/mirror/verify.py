"""`linli mirror verify`: what the history has, against what the server has, point by point.

Compared are the readings of every series in a stretch of time: how many, at which nanosecond, with
which value, quality and reason. Four things are no difference: what the hub has not sent yet (its
place is kept every ten minutes, so the last minutes count as that), what the server refused and
what was therefore set aside, and what the server still has while our retention let it go; the last
is shown. Rooms and gaps follow from readings and are not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from device_drivers.channels import is_personal
from hub.mirror.inquiry import Inquiry, Key, Range, Rows
from hub.mirror.ledger import Ledger
from hub.mirror.lines import LineWriter

EXAMPLES = 5


@dataclass
class Tally:
    """One measurement."""

    series: int = 0
    here: int = 0  # points that were acknowledged
    there: int = 0
    missing: int = 0
    different: int = 0
    extra: int = 0
    unsent: int = 0
    set_aside: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        return not self.missing and not self.different

    def example(self, what: str, key: Key, at_ns: int) -> None:
        if len(self.examples) < EXAMPLES:
            tags = ",".join(f"{name}={tag}" for name, tag in key[1])
            self.examples.append(f"{what}: {tags} {at_ns}")


@dataclass
class History:
    """What we have, by series."""

    sent: dict[Key, Rows] = field(default_factory=dict)
    unsent: dict[Key, Rows] = field(default_factory=dict)
    set_aside: Counter[str] = field(default_factory=Counter)  # by measurement

    def measurements(self) -> list[str]:
        return sorted({key[0] for part in (self.sent, self.unsent) for key in part})


def history(ledger: Ledger, mirror: str, writer: LineWriter, within: Range) -> History:
    """Read what should be there."""
    found = History()
    refused = {item.line for item in ledger.rejected(mirror)}
    entry = ledger.entry(mirror)
    for batch, is_sent in ledger.batches(entry.cursor, within.from_ms):
        part = found.sent if is_sent else found.unsent
        for change in batch.changes:
            if not within.from_ms <= change.observed_ms < within.to_ms:
                continue
            if is_personal(change.key.channel):
                continue
            measurement, tags, fields, at = writer.point(change)
            if refused and writer.lines((change,))[-1] in refused:
                found.set_aside[measurement] += 1
                continue
            key = (measurement, tuple(sorted(tags.items())))
            part.setdefault(key, {})[at] = fields
    return found


def compare(found: History, inquiry: Inquiry, within: Range) -> dict[str, Tally]:
    """Each measurement's tally.

    Raises:
        InquiryError, SetupError: the server cannot be asked.
    """
    version = inquiry.version()
    tallies = {}
    for measurement in found.measurements():
        there = inquiry.series(version, measurement, within)
        tally = tallies[measurement] = Tally(set_aside=found.set_aside[measurement])
        keys = {key for key in (*found.sent, *found.unsent, *there) if key[0] == measurement}
        tally.series = len(keys)
        for key in sorted(keys):
            _count(tally, key, found, there.get(key, {}))
    return tallies


def _count(tally: Tally, key: Key, found: History, there: Rows) -> None:
    sent, unsent = found.sent.get(key, {}), found.unsent.get(key, {})
    tally.here += len(sent)
    tally.there += len(there)
    tally.unsent += len(unsent.keys() - there.keys())
    tally.extra += len(there.keys() - sent.keys() - unsent.keys())
    for at, fields in sent.items():
        if at not in there:
            tally.missing += 1
            tally.example("missing", key, at)
        elif fields != there[at]:
            tally.different += 1
            tally.example("different", key, at)


def is_equal(tallies: Iterable[Tally]) -> bool:
    return all(tally.is_equal for tally in tallies)
