"""Every driver there is: each module of ``catalogue/`` that has a constant ``DRIVER``.

To add a device, put a file there. Nothing is registered anywhere else.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from device_drivers import catalogue
from device_drivers.contract import AnyDriver, MqttDriver, SerialDriver


@cache
def drivers() -> Mapping[str, AnyDriver]:
    """All drivers by name, in alphabetical order.

    Raises:
        TypeError: a module of the catalogue has no DRIVER, or one whose name is not its file's.
    """
    found: dict[str, AnyDriver] = {}
    for info in sorted(pkgutil.iter_modules(catalogue.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{catalogue.__name__}.{info.name}")
        driver = getattr(module, "DRIVER", None)
        if not isinstance(driver, SerialDriver | MqttDriver) or driver.name != info.name:
            raise TypeError(f"{module.__name__} needs a DRIVER whose name is {info.name!r}")
        found[info.name] = driver
    return MappingProxyType(found)
