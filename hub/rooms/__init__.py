"""Which room is free, by proof."""
