"""What all pages share: the frame, the board, the timeline, the style sheets and the icons.

Subjects (``hub/rooms``, ``hub/devices``) build their pages from it and never from each other.
"""
