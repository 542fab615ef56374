"""Copies of the whole state: made while the hub runs, tried out, and put back.

make > archive (one file) > restore          by people, with the commands of the same names
service > make, rehearsal                    by the hub, in processes of their own
"""
