"""The centre: live state, store, rooms, devices, API and pages."""

__version__ = "0.1.0"
