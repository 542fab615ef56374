"""Who may ask. Until users exist: this machine, or nobody."""
