"""The edge on real pseudo-terminals and a real Mosquitto."""
