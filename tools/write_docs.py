"""Write the generated parts of README.md and docs/; `tests/test_docs.py` compares them.

A generated part of a page stands between two marks:

    <!-- drivers: begin --> ... <!-- drivers: end -->
"""

from __future__ import annotations

from pathlib import Path

from hub.commands.drivers import supported_devices
from hub.configuration.reference import reference

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
SETTINGS = ROOT / "docs/configuration.md"


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


def main() -> None:
    """Write both."""
    page = README.read_text(encoding="utf-8")
    README.write_text(replaced(page, "drivers", driver_table()), encoding="utf-8")
    SETTINGS.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
