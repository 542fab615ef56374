"""Rooms given back to the field: what the hub knows of them, for Home Assistant to find by itself.

    RoomChanged > what is due, newest only > one connection of its own > the broker, retained

topics.py names the topics, discovery.py writes the documents, service.py says them, session.py is
one connection, memory.py knows where something of ours may still lie.
"""
