"""People's YAML becomes typed settings, or every problem at once, each with its place.

    text > yaml12 (data + places) > models (pydantic) > checks (names that must agree) > settings

`hub/settings.py` is the door; nothing else in the hub needs to look in here.
"""
