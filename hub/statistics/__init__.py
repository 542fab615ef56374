"""What became of faults, over months."""
