"""Weight files: finds them and checks that they are what their names say.

A file of a known name is used only if its SHA-256 is the pinned one, whatever folder it lies in,
also one the user named: a damaged or exchanged detector would leave faces uncovered without any
error. Files of other names are the user's own and taken as they are.
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from tracker_blur.errors import ModelError, SettingsError, reason_of
from tracker_blur.weights.catalog import MODELS, OWN, Model, WeightFile

FOLDER_VARIABLE = "TRACKBLUR_MODELS"


class Weights:
    """Finds weight files in a list of folders.

    used   names of the files that were asked for and found whole

    The folders, first to last: the one given, the one that TRACKBLUR_MODELS names, the one that
    travels with the package, and the user's cache, where `pull` puts them.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Look in `folder` first.

        Raises SettingsError when it, or the folder that TRACKBLUR_MODELS names, does not exist:
        looking elsewhere instead could silently end with a weaker detector.
        """
        folders = [packaged_folder(), cache_folder()]
        from_environment = os.environ.get(FOLDER_VARIABLE)
        if from_environment:
            folders.insert(0, _existing(Path(from_environment), f"set {FOLDER_VARIABLE}"))
        if folder is not None:
            folders.insert(0, _existing(folder, "name one with `models_folder`"))
        self.folders = tuple(folders)
        self.used: set[str] = set()

    def find(self, file_name: str) -> Path | None:
        """Return the first file of this name, unchecked; None when no folder has one.

        Raises ModelError when a folder cannot be looked into.
        """
        paths = (folder / file_name for folder in self.folders)
        return next((path for path in paths if _is_file(path)), None)

    def complete(self, choices: Sequence[Sequence[str]]) -> Sequence[str] | None:
        """Return the first of several sets of file names that is found as a whole."""
        return next((names for names in choices if all(map(self.find, names))), None)

    def path(self, file_name: str) -> Path:
        """Return where a file lies, checked.

        Raises ModelError when it is missing, cannot be read, or is not what its name says.
        """
        return self._checked(file_name)[0]

    def read(self, file_name: str) -> bytes:
        """Return a file's content, checked; raises ModelError as `path` does."""
        return self._checked(file_name)[1]

    def _checked(self, file_name: str) -> tuple[Path, bytes]:
        path = self.find(file_name)
        if path is None:
            places = ", ".join(map(str, self.folders))
            raise ModelError(f"no weight file {file_name} in {places}: {_advice(file_name)}")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"{path}: cannot read this weight file ({reason_of(error)})"
            ) from error
        known = _KNOWN.get(file_name)
        if known is not None and not known[1].is_this(content):
            raise ModelError(
                f"{path}: damaged, or not the file that trackblur knows by this name (its SHA-256 "
                f"is not {known[1].sha256[:12]}…): delete it and {_advice(file_name)}"
            )
        self.used.add(file_name)
        return path, content


_KNOWN = {file.name: (model, file) for model in (*MODELS, OWN) for file in model.files}


def _advice(file_name: str) -> str:
    known = _KNOWN.get(file_name)
    if known is not None and known[0] is OWN:
        return "install trackblur again: it travels with it"
    return (
        f"get it with 'trackblur models pull {known[0].name}'"
        if known
        else "name a folder that holds it with `models_folder`"
    )


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # going on could silently end with a weaker detector
        reason = reason_of(error)
        raise ModelError(
            f"{path.parent}: this folder of weight files cannot be looked into ({reason}): "
            "change its permissions, or name another with `models_folder`"
        ) from error


def _existing(folder: Path, how: str) -> Path:
    if not os.path.isdir(folder):  # noqa: PTH112  # never raises, also in a closed folder
        raise SettingsError(f"{folder}: no such folder of weight files: {how} that exists")
    return folder


def packaged_folder() -> Path:
    """Return the folder of weights that travel with the package."""
    try:
        return Path(importlib.import_module("tracker_blur.models").__path__[0])
    except ModuleNotFoundError:  # a checkout that is not installed
        return Path(__file__).resolve().parents[2] / "models"


def cache_folder() -> Path:
    """Return the user's own folder of fetched weights; it need not exist."""
    return platformdirs.user_cache_path("trackblur", appauthor=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """A known file as it is on this machine; `path` is None when it is missing."""

    model: Model
    file: WeightFile
    path: Path | None
    state: Literal["found", "missing", "damaged"]


def listing(weights: Weights) -> list[Listed]:
    """Return the state of every known file, in the table's order."""
    return [_listed(weights, model, file) for model, file in _KNOWN.values()]


def _listed(weights: Weights, model: Model, file: WeightFile) -> Listed:
    path = weights.find(file.name)
    if path is None:
        return Listed(model, file, None, "missing")
    try:
        weights.path(file.name)
    except ModelError:
        return Listed(model, file, path, "damaged")
    return Listed(model, file, path, "found")
