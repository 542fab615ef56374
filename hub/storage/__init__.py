"""What is written, how long the card lives with it, and how far history reaches."""
