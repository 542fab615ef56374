"""Drivers: golden vectors, five properties for all, and what is particular to some."""
