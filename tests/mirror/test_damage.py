"""What the store cannot read any more is set aside where refused lines are, and holds nobody up."""

from __future__ import annotations

from hub.mirror.service import State
from hub.store.damage import Damage, Kind
from tests.mirror.making import NOON_MS
from tests.mirror.scripted import ScriptedServer
from tests.mirror.trial import Trial


async def test_a_damaged_shelf_is_set_aside_and_the_rest_arrives(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(20)
    numbers = frozenset(range(32))
    lost = Damage(Kind.SHELF, 77, NOON_MS, NOON_MS + 1_000, "it is damaged", numbers)
    trial.source.lost = (lost,)

    await trial.steps()

    assert server.values() == wanted
    assert trial.mirror.state is State.OK
    ((line, reason),) = trial.source.rejected
    assert line.startswith("# shelf 77: 32 series, 20")
    assert reason == "it is damaged"
    assert trial.mirror.rejected == 1
