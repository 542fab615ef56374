"""`linli doctor`: what this machine lacks for running the hub, each with a remedy."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from hub.configuration.locate import configuration_file

if TYPE_CHECKING:
    from hub.diagnosis.finding import Finding

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = """\
Looks at Python, the configuration, the disk, the clock, every serial port and the broker. It opens
ports for a moment and writes one small test database; it changes nothing else. Run it as the
account that runs the hub. Exit status 0: all is well, or could be better; 1: something is broken.

examples:
  linli doctor
  sudo -u linli linli doctor --config /etc/linli/centre.yaml
  linli doctor --json
"""
MARKS = {"ok": "ok  ", "warning": "hint", "broken": "BAD "}


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="find out what this machine lacks: ports, broker, disk, clock",
        description="Examine this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the centre's file")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="instead of storage.path")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Examine, report, and answer 1 if something is broken."""
    from hub.diagnosis.examine import examine

    findings: list[Finding] = []
    for finding in examine(configuration_file(arguments.config), arguments.data):
        findings.append(finding)
        if not arguments.json:
            print(line(finding), flush=True)
    is_broken = any(finding.state == "broken" for finding in findings)
    if arguments.json:
        print(json.dumps({"ok": not is_broken, "findings": [asdict(item) for item in findings]}))
    return 1 if is_broken else 0


def line(finding: Finding) -> str:
    """A finding for a terminal, with the remedy below it.

    >>> from hub.diagnosis.finding import Finding
    >>> print(line(Finding("disk", "ok", "12 GB free")))
    ok    disk: 12 GB free
    """
    text = f"{MARKS[finding.state]}  {finding.subject}: {finding.what}"
    return f"{text}\n      {finding.remedy}" if finding.remedy else text
