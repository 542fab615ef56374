"""Labour: work orders and their proof, what people report, and the life of devices."""
