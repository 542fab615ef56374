"""What a hub tells over HTTP of a bit that its card forgot behind the last checkpoint."""

from __future__ import annotations

from pathlib import Path

from tests.powercut import load
from tests.running_hub import RunningHub
from tests.store.making import T0_MS
from tests.store.test_damage import spoil
from tests.store.test_damaged_start import MINUTE, cut_off

ROOMS = load.ROOMS + "  - {id: d1, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/d1}}\n"
LINES = {
    "en": "1 place of the history cannot be read",
    "zh-CN": "历史记录中有 1 处已无法读取",
    "zh-TW": "歷史記錄中有 1 處已無法讀取",
}


async def test_a_hub_starts_with_a_damaged_place_and_says_where(tmp_path: Path) -> None:
    _, place = await cut_off(tmp_path)
    folder = tmp_path / "hub"
    folder.mkdir()
    place.rename(folder / "data")
    assert spoil(folder / "data", "log", f"first_ms = {T0_MS + 3 * MINUTE}") == 1

    async with RunningHub(folder, ROOMS) as hub:

        async def is_counted() -> bool:
            return bool((await hub.get("/api/v1/storage"))["history"]["damaged"] == 1)

        await hub.until(is_counted)
        since = {"device": "d1", "from": "2026-01-01T00:00:00Z"}
        page = await hub.get("/api/v1/readings", **since)
        at = "2026-01-01T00:03:00.000Z"
        assert page["damaged"] == [{"from": at, "to": at}]
        assert len(page["items"]) == 5
        elsewhere = await hub.get("/api/v1/readings", **since, to="2026-01-01T00:02:30Z")
        assert elsewhere["damaged"] == []
        for language, line in LINES.items():
            shown = await hub.client.get("/storage", headers={"Accept-Language": language})
            assert line in shown.text
    assert hub.log.read_text().count("cannot be read any more") == 1


async def test_a_sound_history_has_no_such_line(tmp_path: Path) -> None:
    async with RunningHub(tmp_path, load.ROOMS) as hub:
        shown = await hub.client.get("/storage", headers={"Accept-Language": "en"})
        assert "cannot be read any more" not in shown.text
