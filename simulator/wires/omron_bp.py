"""Omron HBP-9020 (and HBP-9030 in output format 4): one ``bp,`` line per measurement.

    bp,ID,YYYY/MM/DD,HH:MM,SYS,MAP,DIA,PULSE,X CR LF

Mean comes before diastolic, and there is no check of any kind. Twenty nines stand for "no ID".
"""

from __future__ import annotations

from datetime import datetime

NO_ID = "9" * 20


def line(
    at: datetime, systolic: int, mean: int, diastolic: int, pulse: int, last: int = 0
) -> bytes:
    """``at`` is the monitor's own local time; ``last`` is the digit whose meaning nobody knows."""
    vitals = ",".join(f"{value:03d}" for value in (systolic, mean, diastolic, pulse))
    return f"bp,{NO_ID},{at:%Y/%m/%d},{at:%H:%M},{vitals},{last}\r\n".encode("ascii")
