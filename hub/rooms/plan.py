"""A room as the rules see it: its kind, its limit, its doors, its bays and its witnesses."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.domain.events import CounterZeroed
from hub.rooms.evidence import Contact, Counter, Eye, Kind, Line, Measure, Witness
from hub.rooms.learning import HOLD_BOUNDS_MS, LATE_MS, MARGIN, Hold

SEEN_BEFORE_MS = 60_000
"""Who goes out may have been seen last so long before the door opened."""


TO_THE_DOOR_MS = 30_000
"""Who goes out is seen walking to the door so long before it opens; who comes in is not."""
EXIT_MS = 5_000
"""Who leaves or looks in is seen so long after the door began to open; who comes in walks on."""
SURELY_MS = 2 * 60_000
"""Who moves so long after a door opened has stayed."""
KEPT_MS = 60 * 60_000
"""So long at most one person's stillness is waited for when another one has gone."""

CROSSED_KINDS = frozenset({"corridor", "refuse", "storage"})
"""Kinds of room that people cross and where nobody sits still."""
RESTING_KINDS = frozenset({"living_room", "day_care"})
NAP_MS = 45 * 60_000
"""In rooms where people fall asleep one must not be forgotten when another goes out."""

IN_A_ROW, WITHIN_MS = 3, 30 * 60_000
AT_ANY_PACE = 12
"""People who only look in open a door a few times a day; a group that comes in opens it often."""


class Unseen(deque[int]):
    """When doors opened and nobody was seen, before or since: the newest of a row."""

    def __init__(self) -> None:
        super().__init__(maxlen=AT_ANY_PACE)

    def add(self, at_ms: int) -> None:
        """A door opened."""
        if not self.are_telling:
            self.append(at_ms)

    @property
    def are_telling(self) -> bool:
        """So many, so soon one after the other: somebody went in and was not seen."""
        if len(self) < IN_A_ROW:
            return False
        return len(self) == AT_ANY_PACE or self[-1] - self[-IN_A_ROW] <= WITHIN_MS


@dataclass(slots=True, eq=False)
class Plan:
    """Everything that is known of a room, and what one witness's word means for the others.

    A bay is a plan of its own with the witnesses of its zone; it shares what the room has learnt.
    """

    room: str
    kind: str
    capacity: int | None
    zones: tuple[str, ...] = ()
    doors: frozenset[str] = frozenset()  # named by `doors:`; empty: one implied door, perhaps
    bay: str | None = None  # the zone that this plan is of
    hold: Hold = field(default_factory=Hold)
    lines: list[Line] = field(default_factory=list)  # every device placed here
    radars: list[Eye] = field(default_factory=list)
    pirs: list[Eye] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)  # of doors; a window's is not one
    counters: list[Counter] = field(default_factory=list)
    bays: list[Plan] = field(init=False)
    crossed_ms: int | None = None  # somebody was here then, for certain
    opened_ms: int | None = None  # a door was last seen to open
    unseen: Unseen = field(default_factory=Unseen)  # openings with nobody seen since
    left_ms: int | None = None  # a door last opened with somebody seen inside just before
    inside_ms: int | None = None  # somebody was last seen inside before a door last opened
    kept_ms: int = 0  # so long somebody inside kept still, since somebody last went out
    still: tuple[int, int] | None = None  # motion began then, after so long with nobody let in
    missed: int = 0  # how many who left were never counted in, since the counters were proven right
    zeroing: CounterZeroed | None = None  # when they last were

    def __post_init__(self) -> None:
        self.bays = [Plan(zone, self.kind, None, bay=zone, hold=self.hold) for zone in self.zones]

    def call(self, witness: Witness) -> None:
        """Add a witness."""
        self._call(witness)
        for bay in self.bays:
            if bay.bay == witness.zone:
                bay._call(witness)

    def _call(self, witness: Witness) -> None:
        if isinstance(witness, Eye):
            (self.radars if witness.kind is Kind.RADAR else self.pirs).append(witness)
        elif isinstance(witness, Counter):
            self._count_with(witness)
        elif isinstance(witness, Contact) and (not self.doors or witness.at in self.doors):
            self.contacts.append(witness)

    def _count_with(self, counter: Counter) -> None:
        """A device that gives totals and its own sum is one counter: the totals miss nothing."""
        same = [c for c in self.counters if c.line is counter.line]
        if counter.measure is Measure.INSIDE and any(c.measure is Measure.PASSED for c in same):
            return
        if counter.measure is Measure.PASSED:
            self.counters = [
                c for c in self.counters if c not in same or c.measure is Measure.PASSED
            ]
        self.counters.append(counter)

    @property
    def seated(self) -> bool:
        return self.kind not in CROSSED_KINDS

    @property
    def witnesses(self) -> Sequence[Witness]:
        return (*self.radars, *self.pirs, *self.contacts, *self.counters)

    @property
    def eyes(self) -> Sequence[Eye]:
        return (*self.radars, *self.pirs)

    @property
    def knows_all_doors(self) -> bool:
        """Each named door has a contact; without names, exactly one contact is the one door."""
        watched = {contact.at for contact in self.contacts}
        return watched >= self.doors if self.doors else len(watched) == 1

    @property
    def counts_all_doors(self) -> bool:
        """A counter that is placed in the room itself counts all of it."""
        counted = {counter.at for counter in self.counters}
        return "" in counted or (bool(self.doors) and counted >= self.doors)

    def covered_by(self, eyes: Sequence[Eye]) -> bool:
        """Do they see the whole of it? One in each bay do; one in one bay does not."""
        seen = {eye.zone for eye in eyes}
        return None in seen or self.bay in seen or (bool(self.zones) and seen >= set(self.zones))

    def misses(self, eye: Eye) -> bool:
        """Did it see nobody where somebody was for certain? Then it may be blind.

        Somebody was there when a counter counted him or another sensor saw him as a door opened.
        A door that opens is nobody yet: people look in and go. But many openings in a row with
        nobody seen are somebody. A sensor of a bay need not see the door, if another one does.
        """
        if self.crossed_ms is not None and not self._sees(eye, self.crossed_ms):
            return True
        if self.opened_ms is not None and not self._sees(eye, self.opened_ms):
            return self.unseen.are_telling or self._another_saw(eye, self.opened_ms)
        return False

    def is_alone(self, eye: Eye, now_ms: int) -> bool:
        """Would no other eye have seen who came in when a door last opened?"""
        return not any(
            other is not eye
            and other.zone in (None, eye.zone)
            and other.is_good
            and other.line.is_fresh(now_ms)
            and not other.line.is_faulty
            and (other.first_live_ms or now_ms) <= (self.opened_ms or 0)
            for other in self.eyes
        )

    def _sees(self, eye: Eye, moment_ms: int) -> bool:
        since_ms = moment_ms - SEEN_BEFORE_MS
        if eye.zone is None:
            return eye.saw_since(since_ms)
        return any(other.saw_since(since_ms) for other in self.eyes)

    def _another_saw(self, eye: Eye, moment_ms: int) -> bool:
        return any(other is not eye and other.saw_after(moment_ms) for other in self.eyes)

    # What one witness tells all others

    def seen(self, at_ms: int) -> None:
        """A radar or a motion sensor sees somebody again."""
        if self.unseen:
            self.unseen.clear()

    def stirred(self, at_ms: int) -> None:
        """Somebody moved. If he cannot have come in meanwhile, he kept still so long."""
        last_ms = max(pir.last_ms or 0 for pir in self.pirs)
        if not last_ms or any(p.value or (p.first_live_ms or at_ms) > last_ms for p in self.pirs):
            return  # it was seen by another all the time, or one of them may have missed something
        shut_ms = self._shut_since(at_ms)
        if shut_ms is not None:
            self.still = at_ms, at_ms - max(last_ms, shut_ms)
        elif self._watched_since(last_ms, at_ms):
            self.still = at_ms, at_ms - last_ms

    def stilled(self, at_ms: int) -> None:
        """Motion ended. By now a door would have said that it let somebody in."""
        if self.still is not None and at_ms - self.still[0] >= LATE_MS:
            self.hold.learn(self.still[1])
        self.still = None

    def _shut_since(self, at_ms: int) -> int | None:
        """Since when nobody can have come in. Only where people stay: a passage has ways in that
        nobody thinks of as its doors."""
        moved_ms = self._doors_moved_ms(at_ms)
        return None if moved_ms == at_ms and any(c.value for c in self.contacts) else moved_ms

    def _doors_moved_ms(self, at_ms: int) -> int | None:
        """Until when a door let people pass; None where that is not known of all of them."""
        if not self.seated or not self.knows_all_doors:
            return None
        if any(not c.line.is_fresh(at_ms) or not c.is_good for c in self.contacts):
            return None
        return max(at_ms if c.value else c.moved_ms or at_ms for c in self.contacts)

    def _counted_ms(self, at_ms: int) -> int | None:
        """When a counter last saw somebody pass; None where they do not see all."""
        if not self.seated or not self.counts_all_doors:
            return None
        if any(not c.line.is_fresh(at_ms) or not c.is_good for c in self.counters):
            return None
        return max(max(c.passed_ms, c.first_live_ms or at_ms) for c in self.counters)

    def last_exit_ms(self, at_ms: int) -> int:
        """Until when somebody may have gone; the moment itself, where nothing would tell."""
        told = (self._doors_moved_ms(at_ms), self._counted_ms(at_ms))
        return max((moment for moment in told if moment is not None), default=at_ms)

    def _watched_since(self, from_ms: int, at_ms: int) -> bool:
        return any(
            radar.line.is_fresh(at_ms)
            and radar.is_good
            and radar.value == 1
            and radar.since_ms <= from_ms
            for radar in self.radars
        )

    def opened(self, door: str, at_ms: int) -> None:
        """A door opened: somebody did that."""
        if self.doors and door not in self.doors:
            return  # where doors are named, this is a window
        if self.still is not None and at_ms - self.still[0] < LATE_MS:
            self.still = None  # it was he who came in
        self._note_stillness(at_ms)
        self.inside_ms = self.seen_inside_ms
        if any(pir.saw_since(at_ms - TO_THE_DOOR_MS) for pir in self.pirs):
            self.left_ms = at_ms
        self.opened_ms = at_ms
        self.let_out(at_ms)
        if any(eye.saw_since(at_ms - SEEN_BEFORE_MS) for eye in self.eyes):
            self.unseen.clear()
        else:
            self.unseen.add(at_ms)

    @property
    def may_have_left(self) -> bool:
        """Did somebody go to a door and out, and was nobody seen inside since?

        Who only looks in is seen in the door, and takes nobody out: whoever sat there still does.
        """
        if self.left_ms is None:
            return False
        return (self.seen_inside_ms or 0) <= self.left_ms + EXIT_MS

    def _note_stillness(self, at_ms: int) -> None:
        """A door opens: for how long has somebody kept still who is inside for certain?"""
        if self.may_have_left:
            self.kept_ms = 0
            return
        last_ms, opened_ms = self.seen_inside_ms, self.opened_ms
        if last_ms is None or opened_ms is None:
            return
        if opened_ms != self.left_ms or last_ms > opened_ms + SURELY_MS:
            self.kept_ms = max(self.kept_ms, at_ms - last_ms)

    @property
    def hold_ms(self) -> int:
        """How long it must be still. Who kept still before another came may do so when he goes."""
        if not self.seated:
            return HOLD_BOUNDS_MS[0]
        learnt_ms = max(self.hold.hold_ms, min(round(self.kept_ms * MARGIN), KEPT_MS))
        return max(learnt_ms, NAP_MS) if self.kind in RESTING_KINDS else learnt_ms

    @property
    def seen_inside_ms(self) -> int | None:
        """Somebody was last seen who did not only look in at a door."""
        last_ms = max((pir.last_ms or 0 for pir in self.pirs), default=0) or None
        if last_ms is None or self.opened_ms is None or self.opened_ms == self.left_ms:
            return last_ms
        return last_ms if last_ms > self.opened_ms + EXIT_MS else self.inside_ms

    def passed(self, at_ms: int) -> None:
        """A counter moved."""
        self.crossed_ms = at_ms
        self.let_out(at_ms)

    def let_out(self, at_ms: int) -> None:
        """Somebody may have gone."""
        for radar in self.radars:
            radar.let_out(at_ms)

    def settle(self) -> None:
        """All of a message is taken in. Who left and never came in must have been missed then."""
        inside = sum(counter.net for counter in self.counters)
        if inside < 0 and self.counters:
            self.missed -= inside
            self.counters[0].net -= inside

    def seen_by_people(self, at_ms: int) -> None:
        """A person saw others here: a sensor that sees nobody since then is wrong."""
        self.crossed_ms = max(self.crossed_ms or 0, at_ms)

    def zero(self, at_ms: int, proof: str) -> CounterZeroed:
        """The room is proven empty by others: so must its counters say."""
        devices = tuple(dict.fromkeys(counter.line.device for counter in self.counters))
        off_by = sum(counter.net for counter in self.counters) - self.missed
        crossings = sum(counter.crossings for counter in self.counters)
        for counter in self.counters:
            counter.zero()
        self.missed = 0
        self.zeroing = CounterZeroed(self.room, devices, off_by, crossings, proof, at_ms)
        return self.zeroing

    def forget(self) -> None:
        """The clock was set: no moment from before can be compared with one after."""
        self.crossed_ms = self.opened_ms = self.left_ms = self.inside_ms = None
        self.kept_ms = 0
        self.still = self.zeroing = None
        self.unseen.clear()
