"""Finds the plug-ins of a folder: one module each, its name the option's value."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from tracker_blur.errors import SettingsError


def names(package: str) -> tuple[str, ...]:
    """Return the sorted names of the plug-ins in a package such as "tracker_blur.detectors".

    Nothing is imported but the package itself, so this is cheap enough for `--help`.
    """
    folder = importlib.import_module(package).__path__
    modules = (module.name for module in pkgutil.iter_modules(folder))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def summary(package: str, name: str) -> str:
    """Return the first line of a plug-in's docstring, without importing it."""
    for folder in importlib.import_module(package).__path__:
        file = Path(folder, f"{name}.py")
        if file.is_file():
            docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            return docstring.partition("\n")[0].rstrip(".")
    return ""


def load(package: str, name: str) -> ModuleType:
    """Import one plug-in.

    Raises SettingsError when the package has none of this name.
    """
    known = names(package)
    if name not in known:
        kind = package.rpartition(".")[2].removesuffix("s")
        raise SettingsError(f"no {kind} is called '{name}': choose one of {', '.join(known)}")
    return importlib.import_module(f"{package}.{name}")
