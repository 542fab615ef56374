"""The commands, called as the command line calls them."""
