"""`linli check-config`: every mistake of a configuration, with its place and what to do."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from hub.configuration.locate import configuration_file, terminal_language

if TYPE_CHECKING:
    from hub.configuration.problems import Problem
    from hub.settings import CentreSettings

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
Reads the file and devices.d/*.yaml beside it, and changes nothing. Exit status 0: it can be used;
2: it cannot, and every line that must be mended is named. Floor plans are read too: it says which
rooms have no shape in them, and which shapes no room.

examples:
  linli check-config
  linli check-config config/centre.example.yaml
  linli check-config --json | jq '.problems[0]'
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "check-config",
        help="check a configuration, with the place of every mistake",
        description="Check a configuration.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the file to check")
    where.add_argument("--config", type=Path, metavar="FILE", help="the same, as elsewhere")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Check, say what was found, and answer with the exit status."""
    from hub.settings import SettingsError, load

    path = configuration_file(arguments.file or arguments.config)
    language = terminal_language(os.environ)
    try:
        settings = load(path)
    except SettingsError as error:
        if arguments.json:
            problems = [_as_json(problem, language) for problem in error.problems]
            print(json.dumps({"file": str(path), "ok": False, "problems": problems}))
        else:
            print(complaint(error.problems, language), file=sys.stderr)
        return 2
    _tell(path, settings, language, as_json=arguments.json)
    return 0


def _tell(path: Path, settings: CentreSettings, language: str, *, as_json: bool) -> None:
    """That it is good, and what could be better about its floor plans."""
    from hub.drawings import examine
    from hub.settings import centre

    notes = examine(settings, centre(settings)).notes
    if as_json:
        told = [_as_json(note, language) for note in notes]
        good = {"file": str(path), "ok": True, "problems": [], "notes": told}
        print(json.dumps(good | _counts(settings)))
        return
    print(f"{path}: {_summary(settings)}")
    for note in notes:
        print(f"{note.place}: {note.what(language)}\n    {note.remedy(language)}")


def complaint(problems: list[Problem], language: str) -> str:
    """Problems for a terminal: the place, and below it what is wrong and what to do.

    >>> from hub.configuration.problems import Place, Problem
    >>> print(complaint([Problem("empty", Place("a.yaml", 1, 1))], "en"))
    a.yaml:1:1: The file is empty, so there is no centre to run.
        Copy config/centre.example.yaml and change it.
    1 problem. Nothing was started or changed.
    """
    lines = []
    for problem in problems:
        lines += [f"{problem.place}: {problem.what(language)}", f"    {problem.remedy(language)}"]
    total = len(problems)
    ends = {
        "zh-CN": f"{total} 个问题。没有启动或更改任何东西。",
        "zh-TW": f"{total} 個問題。沒有啟動或變更任何東西。",
    }
    plural = "" if total == 1 else "s"
    lines.append(ends.get(language, f"{total} problem{plural}. Nothing was started or changed."))
    return "\n".join(lines)


def _as_json(problem: Problem, language: str) -> dict[str, object]:
    return {
        "code": problem.code,
        "file": problem.place.file,
        "line": problem.place.line or None,
        "column": problem.place.column or None,
        "what": problem.what(language),
        "remedy": problem.remedy(language),
        "guess": problem.guess or None,
    }


def _counts(settings: CentreSettings) -> dict[str, object]:
    return {
        "centre": settings.centre.id,
        "rooms": len(settings.rooms),
        "doors": len(settings.doors),
        "devices": len(settings.devices),
        "drivers": dict(Counter(device.driver for device in settings.devices)),
    }


def _summary(settings: CentreSettings) -> str:
    used = Counter(device.driver for device in settings.devices)
    by = ", ".join(f"{count} {name}" for name, count in sorted(used.items()))
    counts = ", ".join(
        f"{len(items)} {name}" if len(items) == 1 else f"{len(items)} {name}s"
        for name, items in (
            ("room", settings.rooms),
            ("door", settings.doors),
            ("device", settings.devices),
        )
    )
    return f"good. Centre {settings.centre.id}: {counts}{f' ({by})' if by else ''}."
