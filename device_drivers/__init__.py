"""The wire: what devices say, turned into messages. No I/O, no clock, no log."""
