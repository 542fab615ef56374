"""The truth on disk: one SQLite file, one writer."""
