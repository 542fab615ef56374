"""Texts, pages and their parts, without a browser."""
