"""Encoders: what real devices put on their wire, byte for byte.

The opposite direction of ``device_drivers/catalogue``, written from the same public documents but
never from the drivers, so that a mistake in one is not repeated in the other.
"""
