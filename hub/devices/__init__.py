"""Which device speaks, which is silent, which is faulty."""
