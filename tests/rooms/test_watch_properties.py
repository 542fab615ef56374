"""Whatever happens in a room with bays, doors, counters, looks and hours: less evidence never makes
it free, silence never does, and how often somebody looks at the clock changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.contract import Quality
from edge.reading import Reading, TimeSource
from hub.domain.centre import OUTSIDE, Centre, Device, Door, Placement, Room, Zone
from hub.domain.device import Health
from hub.domain.events import HealthChanged, Heard, LinkChanged
from hub.domain.opening import OPEN, Slot
from hub.domain.room import Override, OverrideKind, RoomState, Status
from hub.rooms.watch import Watch, says

START = 1_800_000_000_000
MINUTE = 60_000
CHANNEL = {
    "near": "presence",
    "far": "presence",
    "pir": "motion",
    "wide": "presence",
    "door": "contact",
    "count": "people.count",
    "came": "people.in",
    "went": "people.out",
}
PLACES = {
    "near": Placement(room="room", zone="a"),
    "far": Placement(room="room", zone="b"),
    "pir": Placement(room="room"),
    "wide": Placement(room="room"),
    "door": Placement(door="door"),
    "count": Placement(room="room"),
    "came": Placement(door="door"),
    "went": Placement(door="door"),
}
EYES = frozenset({"near", "far", "pir", "wide"})
GROWING = frozenset({"came", "went"})


@dataclass(frozen=True)
class Word:
    device: str
    value: int
    wait_s: int
    way: str = "live"  # live, silent, bad, retained, queued, faulty or cut


SETS = st.sets(st.sampled_from(sorted(PLACES)), min_size=1, max_size=5)
WORDS = st.lists(
    st.builds(Word, st.sampled_from(sorted(PLACES)), st.integers(0, 1), st.integers(1, 700)),
    min_size=1,
    max_size=40,
)
KINDS = st.sampled_from(["meeting", "corridor"])
LOOKS = st.none() | st.tuples(st.integers(0, 3), st.integers(0, 5000))
CLOSED_FROM = st.none() | st.integers(0, 10_000)


class Hours:
    def __init__(self, closed_from_ms: int | None) -> None:
        self._closed = closed_from_ms

    def slot(self, room: str, at_ms: int) -> Slot:
        if self._closed is None:
            return OPEN
        if at_ms < self._closed:
            return Slot(is_open=True, until_ms=self._closed)
        return Slot(is_open=False)


class Life:
    """One room and its watch."""

    def __init__(
        self, devices: set[str], kind: str = "meeting", closed_from_s: int | None = None
    ) -> None:
        zones = (Zone("a", {"en": "A"}), Zone("b", {"en": "B"}))
        room = Room("room", {"en": "Room"}, "main", 1, kind, 10, zones)
        placed = tuple(
            Device(name, "any", {"": PLACES[name]}, "built", 90_000_000, 10 * MINUTE)
            for name in sorted(devices)
        )
        doors = (Door("door", ("room", OUTSIDE)),)
        centre = Centre("c", {"en": "C"}, "UTC", (), (room,), doors, placed)
        self.devices = devices
        self.now = START
        self.totals = dict.fromkeys(GROWING, 0)
        self.history: list[tuple[object, ...]] = []
        closed_ms = None if closed_from_s is None else START + closed_from_s * 1000
        self.watch = Watch(centre, Hours(closed_ms), self._tell)
        self.watch.begin((), (), self.now)

    def _tell(self, state: RoomState) -> None:
        self.history.append(says(state))

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1000)
        while (due := self.watch.agenda.next_ms) is not None and due <= self.now:
            self.watch.advance(due)

    def live(
        self, words: list[Word], look: tuple[int, int] | None = None, *, twice: int = 1
    ) -> None:
        for word in words:
            self._look_at(look, self.now, self.now + word.wait_s * 1000)
            self.wait(word.wait_s)
            if word.device in self.devices:
                for _ in range(twice):
                    self.hear(word)
                if word.device in GROWING:
                    self.totals[word.device] += word.value

    def _look_at(self, look: tuple[int, int] | None, from_ms: int, to_ms: int) -> None:
        if look is not None and from_ms <= START + look[1] * 1000 < to_ms:
            people = look[0]
            said = Override(
                1, "room", OverrideKind.LOOKED, people, "", "Li", self.now, self.now + 60 * MINUTE
            )
            self.watch.override("room", (said,), self.now)

    def hear(self, word: Word) -> None:
        if word.way == "silent":
            return
        if word.way == "faulty":
            self.watch.health(HealthChanged(word.device, Health.FAULTY, self.now))
        if word.way == "cut":
            down = LinkChanged("mqtt", frozenset({word.device}), False, "", False, self.now)
            self.watch.link(down)
            return
        value = word.value
        if word.device in GROWING:
            value += self.totals[word.device]
        quality = Quality.BAD if word.way == "bad" else Quality.GOOD
        source = TimeSource(word.way) if word.way in ("retained", "queued") else TimeSource.HUB
        channel, now = CHANNEL[word.device], self.now
        reading = Reading(word.device, channel, "", value, "1", quality, "", now, now, source)
        self.watch.hear(Heard(word.device, (reading,), self.now, reading.is_live, True))

    def hear_other(self, device: str) -> None:
        """It says something that no room is judged by."""
        good, source = Quality.GOOD, TimeSource.HUB
        reading = Reading(device, "battery", "", 90, "%", good, "", self.now, self.now, source)
        self.watch.hear(Heard(device, (reading,), self.now, True, True))

    @property
    def state(self) -> RoomState:
        return self.watch.states["room"]


@given(KINDS, SETS, WORDS, LOOKS, CLOSED_FROM, st.data())
@settings(max_examples=400, deadline=None)
def test_spoiling_a_sensor_that_saw_nobody_never_makes_a_room_free(
    kind: str,
    devices: set[str],
    words: list[Word],
    look: tuple[int, int] | None,
    closed: int | None,
    data: st.DataObject,
) -> None:
    """Only "nobody" is taken away: "somebody" and "a door moved" are what speaks against free."""
    begins = data.draw(st.integers(0, len(words) - 1))
    way = data.draw(st.sampled_from(["silent", "bad", "retained", "queued", "faulty", "cut"]))
    spoilt = words[begins].device
    if spoilt not in EYES or any(w.value for w in words[begins:] if w.device == spoilt):
        return
    less = [
        replace(word, way=way) if number >= begins and word.device == spoilt else word
        for number, word in enumerate(words)
    ]
    whole, part = Life(devices, kind, closed), Life(devices, kind, closed)
    whole.live(words, look)
    part.live(less, look)
    if whole.state.status is not Status.FREE:
        assert part.state.status is not Status.FREE
    for before, after in zip(whole.state.zones, part.state.zones, strict=True):
        if before.status is not Status.FREE:
            assert after.status is not Status.FREE


@given(KINDS, SETS, WORDS, st.integers(0, 5000))
@settings(max_examples=200, deadline=None)
def test_a_look_at_an_empty_room_that_is_taken_back_never_makes_it_free(
    kind: str, devices: set[str], words: list[Word], at_s: int
) -> None:
    looked, taken_back = Life(devices, kind), Life(devices, kind)
    looked.live(words, (0, at_s))
    taken_back.live(words, (0, at_s))
    taken_back.watch.override("room", (), taken_back.now)
    if looked.state.status is not Status.FREE:
        assert taken_back.state.status is not Status.FREE


@given(KINDS, SETS, WORDS, LOOKS)
@settings(max_examples=200, deadline=None)
def test_silence_never_keeps_a_room_free(
    kind: str, devices: set[str], words: list[Word], look: tuple[int, int] | None
) -> None:
    """Ten minutes after the last word nothing is proven, a quarter of an hour after a look."""
    life = Life(devices, kind)
    life.live(words, look)
    for _ in range(60):
        life.wait(16 * 60)
        assert life.state.status is not Status.FREE


@given(KINDS, SETS, WORDS, LOOKS, CLOSED_FROM)
@settings(max_examples=200, deadline=None)
def test_closed_hours_are_never_free(
    kind: str,
    devices: set[str],
    words: list[Word],
    look: tuple[int, int] | None,
    closed: int | None,
) -> None:
    life = Life(devices, kind, closed)
    life.live(words, look)
    is_closed = closed is not None and life.now >= START + closed * 1000
    assert (life.state.status is Status.CLOSED) is is_closed


@given(KINDS, SETS, WORDS, LOOKS, CLOSED_FROM, st.integers(1, 120))
@settings(max_examples=300, deadline=None)
def test_repeats_and_looks_at_the_clock_change_nothing_that_is_told(
    kind: str,
    devices: set[str],
    words: list[Word],
    look: tuple[int, int] | None,
    closed: int | None,
    step_s: int,
) -> None:
    """What a past day is replayed with: the same words, without the repeats and the ticks."""
    live, replayed = Life(devices, kind, closed), Life(devices, kind, closed)
    for word in words:
        for _ in range(0, word.wait_s - step_s, max(step_s, word.wait_s // 10)):
            live.watch.advance(live.now)  # too early: nothing is due
        live.live([word], look, twice=2)
        replayed.live([word], look)
    assert live.history == replayed.history


@given(KINDS, st.sets(st.sampled_from(["near", "door", "went"])), WORDS, CLOSED_FROM)
@settings(max_examples=300, deadline=None)
def test_what_nobody_watches_is_never_free(
    kind: str, others: set[str], words: list[Word], closed: int | None
) -> None:
    """One bay's radar has seen nothing of the other, whoever passed which door."""
    life = Life({"near", *others}, kind, closed)
    for word in words:
        life.live([word])
        assert life.state.status is not Status.FREE


@given(KINDS, SETS, WORDS, st.sampled_from(["retained", "queued"]))
@settings(max_examples=300, deadline=None)
def test_a_device_that_lives_does_not_bring_its_old_words_to_life(
    kind: str, devices: set[str], words: list[Word], way: str
) -> None:
    """What a broker or a gateway kept stays old, also while the same device says other things."""
    life = Life(devices, kind)
    for word in words:
        life.live([replace(word, way=way)])
        for device in sorted(devices):
            life.hear_other(device)
        assert life.state.status is Status.UNKNOWN
