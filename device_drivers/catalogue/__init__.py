"""One file per device family; each holds a constant ``DRIVER``."""
