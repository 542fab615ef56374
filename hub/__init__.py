"""The centre: live state, store, rooms, devices, API and pages."""
