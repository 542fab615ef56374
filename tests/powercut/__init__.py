"""Power cuts: what a recorded hub wrote, rebuilt as a disk that lost its power in between.

    strace > recording.py (calls) > disk.py (files at a cut) > judge.py (is it there?)
                                  > wire.py (what the broker was told is safe)

What the model takes away, and what it leaves, is said in disk.py.
"""
