"""The words every subject of the hub shares. Pure data, no I/O."""
