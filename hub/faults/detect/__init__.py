"""Finds what is broken in what is heard: pure, and told the time."""
