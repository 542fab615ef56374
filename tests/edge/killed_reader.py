"""A reader that commits thirty of its messages, acknowledges twenty, and waits to be killed.

What a hub would have in its database it prints as one line: the values, and the deliveries
(message id to digest) that were committed and perhaps not acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import sys

from edge.settings import MqttSettings
from tests.edge.wires import Recorder, mqtt_device, running

SENT, COMMITTED, ACKNOWLEDGED, WINDOW = 60, 30, 20, 100


async def main() -> None:
    outlet = Recorder()
    mqtt = MqttSettings(port=int(sys.argv[1]), inflight=WINDOW)
    async with running([mqtt_device("z2m/door")], outlet, mqtt, heartbeat_s=0.1):
        await outlet.until(lambda: len(outlet.reports) >= SENT)
        outlet.settle(ACKNOWLEDGED)
        # The beat says that the broker has them; only then is it certain what comes again.
        await outlet.until(lambda: bool(outlet.commits))
        known = {
            report.receipt.delivery.mid: report.receipt.delivery.digest.hex()
            for report in outlet.reports[:COMMITTED]
            if report.receipt is not None and report.receipt.delivery is not None
        }
        sys.stdout.write(json.dumps([outlet.values[:COMMITTED], known]) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main())
