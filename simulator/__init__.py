"""Devices and people that speak true wire formats, for the demo and the tests."""
