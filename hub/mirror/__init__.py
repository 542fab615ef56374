"""Copies of the history on other servers, filled from the store by a cursor."""
