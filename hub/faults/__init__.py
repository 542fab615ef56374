"""What is broken, since when, why, and who must know of it."""
