"""What other programs see: documents, the event stream, errors, probes and metrics."""
