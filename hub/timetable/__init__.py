"""When rooms are open, and what for: hours, purposes, holidays and make-up days."""
