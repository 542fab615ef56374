"""How bytes reach us: serial lines and MQTT."""
