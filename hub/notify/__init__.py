"""Who is told of what, over which channel, and how it is known that it arrived."""
