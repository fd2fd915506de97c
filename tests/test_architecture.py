"""Rules of the architecture that import-linter's contracts in setup.cfg cannot state."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    """Return the syntax tree of each module."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "tracker_blur").rglob("*.py"))
    }


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_names(tree: ast.Module) -> set[str]:
    """Return all imported modules and names, also those of functions and of type checking."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_there_are_no_import_cycles_between_packages_and_their_own_modules(
    trees: dict[Path, ast.Module],
) -> None:
    # import-linter's acyclic_siblings never compares a package's __init__ with what lies in it.
    graph = {module_name(path): imported_names(tree) for path, tree in trees.items()}
    del graph["tracker_blur"]  # it offers the public names lazily
    TopologicalSorter({name: targets & graph.keys() for name, targets in graph.items()}).prepare()


def test_only_the_command_line_prints_and_exits(trees: dict[Path, ast.Module]) -> None:
    for path, tree in trees.items():
        if path.parent.name == "cli":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"print", "exit", "sys.exit"}, path
