"""Rules of the house that no linter knows: size, and what must not be in the repository."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE, MAX_FUNCTION = 400, 40
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
FORBIDDEN_NAMES = frozenset({"utils", "helpers", "common", "core", "manager"})

# An address of a package registry would tie the lock files to one mirror; a path of a developer's
# machine works nowhere else. Written so that this file does not find itself.
ADDRESSES = re.compile(
    "|".join(("pypi" + r"\.org", "registry" + r"\.npmjs", "pythonhosted" + r"\.org"))
)
MACHINES = re.compile("|".join((r"(?<![\w.])/" + r"work/", r"/home" + r"/\w+/", r"/root" + "/")))


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that Git has, or, where this is no clone, every file of ours."""
    listed = subprocess.run(
        ["git", "-c", "core.quotepath=off", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    names = [name for name in listed.stdout.split("\0") if name]
    folders = ("device_drivers", "edge", "hub", "simulator", "tests", "tools", "config", "docs")
    found = [ROOT / name for name in names] or [
        path for folder in folders for path in ROOT.glob(f"{folder}/**/*") if path.is_file()
    ]
    return tuple(path for path in found if path.is_file())


def sources() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of each function, without its docstring and the functions inside it.

    A function that only holds others (the routes of one subject) is as long as what is left.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, FUNCTIONS):
            inside = [item for item in ast.walk(node) if isinstance(item, FUNCTIONS)][1:]
            lines = own_lines(node) - {line for item in inside for line in span(item)}
            yield node.name, len(lines)


def span(node: ast.FunctionDef | ast.AsyncFunctionDef) -> range:
    first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
    return range(first, (node.end_lineno or node.lineno) + 1)


def own_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    words = node.body[0]
    has_docstring = ast.get_docstring(node, clean=False) is not None
    docstring = range(words.lineno, (words.end_lineno or 0) + 1) if has_docstring else range(0)
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1)) - set(docstring)


def test_there_is_something_to_look_at() -> None:
    assert len(sources()) > 40


def test_no_file_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MAX_FILE
    }

    assert long == {}


def test_no_function_is_too_long_to_understand() -> None:
    long = {
        f"{path.relative_to(ROOT)}: {name}": lines
        for path in sources()
        for name, lines in functions(path)
        if lines > MAX_FUNCTION
    }

    assert long == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {part for path in sources() for part in path.relative_to(ROOT).with_suffix("").parts}

    assert parts & FORBIDDEN_NAMES == set()


def test_every_module_of_the_product_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.relative_to(ROOT).parts[0] in ("device_drivers", "edge", "hub", "simulator")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_nothing_names_a_registry_or_a_machine() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, a database of an old schema
        hits = [match[0] for rule in (ADDRESSES, MACHINES) for match in rule.finditer(text)]
        found += [f"{path.relative_to(ROOT)}: {hit}" for hit in hits]

    assert found == []
