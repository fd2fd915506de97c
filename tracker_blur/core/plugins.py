"""Plug-ins: the modules of a package; a module's name is the value of an option."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from types import ModuleType


def names(package: str) -> tuple[str, ...]:
    """Return the sorted names of the plug-ins in a package such as "tracker_blur.detectors".

    Nothing is imported but the package's parent, so this is cheap enough for `--help`.
    """
    modules = (module.name for module in pkgutil.iter_modules(_folders(package)))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def summary(package: str, name: str) -> str:
    """Return the first line of a plug-in's docstring, without importing it."""
    module = _parsed(package, name)
    docstring = (ast.get_docstring(module) if module else None) or ""
    return docstring.partition("\n")[0].rstrip(".")


def constant(package: str, name: str, constant_name: str) -> str | None:
    """Return a text that a plug-in assigns to a name at its top level, without importing it.

    None: there is no such plug-in, or it assigns no text to the name.
    """
    module = _parsed(package, name)
    for statement in module.body if module else ():
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
            and any(isinstance(at, ast.Name) and at.id == constant_name for at in statement.targets)
        ):
            return statement.value.value
    return None


def load(package: str, name: str) -> ModuleType:
    """Import one plug-in.

    Raises:
        SettingsError: the package has no plug-in of this name.
    """
    known = names(package)
    if name not in known:
        option = package.rpartition(".")[2].removesuffix("s")
        raise SettingsError(f"no {option} is called '{name}': choose one of {', '.join(known)}")
    return importlib.import_module(f"{package}.{name}")


def _parsed(package: str, name: str) -> ast.Module | None:
    for folder in _folders(package):
        file = Path(folder, f"{name}.py")
        if file.is_file():
            return ast.parse(file.read_text(encoding="utf-8"))
    return None


def _folders(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"there is no package {package}")
    return list(spec.submodule_search_locations)
