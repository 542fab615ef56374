"""A table as a file that spreadsheets open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from starlette.responses import Response

BOM = "\ufeff"  # without it spreadsheets read Chinese as Latin letters
FORMULAS = ("=", "+", "-", "@")


def spreadsheet(name: str, head: Sequence[str], rows: Iterable[Sequence[str | int]]) -> Response:
    """``name``: of the file, without its ending."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(head)
    lines.writerows([plain(cell) for cell in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    body = (BOM + text.getvalue()).encode()
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


def plain(cell: str | int) -> str:
    """No spreadsheet takes a name for a formula.

    >>> plain("=1+1"), plain(-3)
    ("'=1+1", '-3')
    """
    if isinstance(cell, int):
        return str(cell)
    return f"'{cell}" if cell[:1] in FORMULAS else cell
