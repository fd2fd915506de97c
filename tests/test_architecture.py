"""Imports point one way, plug-ins never import each other, the core touches no files or clocks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tracker_blur"
MODULES = sorted(PACKAGE.rglob("*.py"))
PLUGINS = (
    "detectors",
    "exports",
    "realtime.sources",
    "realtime.targets",
    "methods",
    "sinks",
    "sources",
    "trackers",
)
PURE = (
    "boxes",
    "cuts",
    "follow",
    "following.face_track",
    "following.pace",
    "following.weak_finds",
    "match",
    "timecodes",
    "track_files.edits",
    "tracks",
)


def imports(file: Path) -> set[str]:
    """Return the modules a file imports anywhere, also within functions and for types alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


GRAPH = {module_name(file): imports(file) for file in MODULES}


def test_no_import_cycles() -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle: {' -> '.join((*path, name))}"
        if name in done:
            return
        # The package itself only offers the public names, lazily.
        for target in sorted(GRAPH[name] & GRAPH.keys() - {"tracker_blur"}):
            visit(target, (*path, name))
        done.add(name)

    for name in GRAPH.keys() - {"tracker_blur"}:
        visit(name, ())


def table() -> dict[str, int]:
    """Return the row of each module and folder in the table of the design notes, from above."""
    notes = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    rows = notes.partition("| module | job |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    return {
        "tracker_blur." + name.strip("/").replace("/", "."): number
        for number, row in enumerate(rows)
        for name in re.findall("`([^`]+)`", row.split("|")[1])
    }


ROWS = table()


def row_of(name: str) -> int:
    """Return the row of a module, or of the nearest folder that it is in."""
    while name not in ROWS:
        assert "." in name, "the table of the design notes lacks a module"
        name = name.rpartition(".")[0]
    return ROWS[name]


def test_the_table_names_what_is_there() -> None:
    assert ROWS.keys() <= GRAPH.keys()


@pytest.mark.parametrize("name", sorted(GRAPH.keys() - {"tracker_blur"}))
def test_imports_point_up_the_table_of_the_design_notes(name: str) -> None:
    for target in GRAPH[name] & GRAPH.keys() - {"tracker_blur"}:
        assert row_of(target) <= row_of(name), f"{name} imports {target}"


@pytest.mark.parametrize("folder", PLUGINS)
def test_plugins_never_import_plugins_of_any_kind(folder: str) -> None:
    for name, targets in GRAPH.items():
        if name.startswith(f"tracker_blur.{folder}."):
            for target in targets:
                assert not is_plugin(target), f"{name} imports {target}"


def is_plugin(name: str) -> bool:
    folder, _, last = name.removeprefix("tracker_blur.").rpartition(".")
    return name in GRAPH and folder in PLUGINS and not last.startswith("_")


@pytest.mark.parametrize("name", PURE)
def test_the_core_touches_no_files_windows_or_clocks(name: str) -> None:
    forbidden = {"time", "os", "pathlib", "io", "shutil", "av", "PIL", "sys"}
    roots = {target.partition(".")[0] for target in GRAPH[f"tracker_blur.{name}"]}
    assert roots & forbidden == set()


def test_only_the_command_line_prints_and_exits() -> None:
    for file in MODULES:
        if file.parent.name == "commands" or file.name == "cli.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"print", "exit", "sys.exit"}, file


def test_only_training_needs_pytorch() -> None:
    for name, targets in GRAPH.items():
        if not name.startswith("tracker_blur.training."):
            assert "torch" not in {target.partition(".")[0] for target in targets}, name
