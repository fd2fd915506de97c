"""Imports point one way, plug-ins never import each other, the core touches no files or clocks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tracker_blur"
MODULES = sorted(PACKAGE.rglob("*.py"))
PLUGINS = (
    "annotations.formats",
    "detectors",
    "realtime.sources",
    "realtime.targets",
    "redaction.methods",
    "trackers",
)
PURE = (
    "annotations.edits",
    "core.box",
    "core.timecode",
    "core.tracks",
    "tracking.association",
    "tracking.online",
    "tracking.scene_cuts",
    "tracking.schedule",
    "tracking.track_state",
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
        if file.parent.name == "cli":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"print", "exit", "sys.exit"}, file


def test_only_training_needs_pytorch() -> None:
    for name, targets in GRAPH.items():
        if not name.startswith("tracker_blur.training."):
            assert "torch" not in {target.partition(".")[0] for target in targets}, name
