"""Write the generated parts of README.md and docs/; `tests/test_docs.py` compares them.

A generated part of a page stands between two marks:

    <!-- drivers: begin --> ... <!-- drivers: end -->
"""

from __future__ import annotations

from pathlib import Path

from hub.access.rules import SPANS
from hub.commands.drivers import supported_devices
from hub.configuration.reference import reference
from hub.domain.access import PERMISSIONS, Permission

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
SETTINGS = ROOT / "docs/configuration.md"
ACCESS = ROOT / "docs/access.md"
HOUR_MS = 3_600_000


def between(page: str, name: str) -> str:
    """What stands between the marks of a generated part."""
    _, _, rest = page.partition(f"<!-- {name}: begin -->\n")
    text, mark, _ = rest.partition(f"<!-- {name}: end -->")
    if not mark:
        raise ValueError(f"the page has no part {name!r}; put its two marks back")
    return text


def replaced(page: str, name: str, text: str) -> str:
    """The page with another text between the marks."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    return page.replace(begin + between(page, name) + end, begin + text + end)


def driver_table() -> str:
    """The table of supported devices, as it stands in the README."""
    return supported_devices().rstrip() + "\n"


def role_table() -> str:
    """What each role may, and how long it stays signed in."""
    asked = [permission for permission in Permission if permission is not Permission.PUBLIC]
    head = ["Role", *(f"`{permission}`" for permission in asked), "Idle", "At most"]
    lines = [head, ["---"] * len(head)]
    for role, may in PERMISSIONS.items():
        marks = ["yes" if permission in may else "" for permission in asked]
        spans = [_span(ms) for ms in SPANS[role]] if role != "public" else ["", ""]
        lines.append([f"`{role}`", *marks, *spans])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _span(ms: int) -> str:
    """
    >>> _span(1_800_000), _span(43_200_000), _span(604_800_000)
    ('30 min', '12 h', '7 d')
    """
    if ms < HOUR_MS:
        return f"{ms // 60_000} min"
    return f"{ms // HOUR_MS} h" if ms < 48 * HOUR_MS else f"{ms // (24 * HOUR_MS)} d"


def main() -> None:
    """Write all of them."""
    page = ACCESS.read_text(encoding="utf-8")
    ACCESS.write_text(replaced(page, "roles", role_table()), encoding="utf-8")
    page = README.read_text(encoding="utf-8")
    README.write_text(replaced(page, "drivers", driver_table()), encoding="utf-8")
    SETTINGS.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
