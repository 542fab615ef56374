"""The limit of our MQTT client: paho that receives a load at QoS 1 and parses its JSON, no more.

``python -m tests.bench.bare_paho PORT COUNT`` prints ``ready``, then the CPU seconds it used.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion


def receive(port: int, count: int) -> float:
    """CPU seconds for so many messages."""
    client = Client(CallbackAPIVersion.VERSION2, "bare")
    done, subscribed = threading.Event(), threading.Event()
    left = count

    def on_message(_: Client, __: Any, message: MQTTMessage) -> None:
        nonlocal left
        json.loads(message.payload)
        left -= 1
        if left == 0:
            done.set()

    client.on_message = on_message
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe("zigbee2mqtt/#", qos=1)
    assert subscribed.wait(10)
    begun = time.process_time()
    print("ready", flush=True)
    assert done.wait(300), f"{left} messages never came"
    used = time.process_time() - begun
    client.loop_stop()
    return used


if __name__ == "__main__":
    print(receive(int(sys.argv[1]), int(sys.argv[2])), flush=True)
