"""Acquisition: ports and brokers in, stamped readings out."""
