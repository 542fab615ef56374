"""What `linli doctor` examines: one file for each organ, each a function that yields findings."""
