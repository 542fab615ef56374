"""One file per sub-command of ``linli``."""
