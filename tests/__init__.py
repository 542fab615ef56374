"""Tests mirror the packages; flow/ walks the whole path."""
