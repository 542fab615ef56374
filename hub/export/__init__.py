"""History in files that other programs read: the rows, their forms, where they go."""
