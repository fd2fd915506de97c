"""Finds weight files, and checks that they are what their names say.

A file of a known name is used only if its SHA-256 is the pinned one, whatever folder it lies in,
including one that the user named. A damaged or replaced detector would leave faces visible without
any error. Files of other names are the user's own and used as they are.
"""

from __future__ import annotations

import importlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import platformdirs

from tracker_blur.errors import MissingWeightsError, ModelError, SettingsError, reason_of
from tracker_blur.weights.catalog import BUNDLED, MODELS, Model, WeightFile

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER_VARIABLE = "TRACKBLUR_MODELS"

_KNOWN = {file.name: (model, file) for model in (*MODELS, BUNDLED) for file in model.files}


class Weights:
    """The weight files in a list of folders.

    The folders are, first to last: the given one, the one that TRACKBLUR_MODELS names, the one that
    comes with the package, and the user's cache, where `pull` puts them.

    Each file is read once, and its content kept: networks are loaded again during a run, and what
    has become of the file by then must not change or end it.

    Attributes:
        folders: The folders, in the order in which they are searched.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Search `folder` first.

        Raises SettingsError when it, or the folder that TRACKBLUR_MODELS names, does not exist:
        the other folders alone could silently lead to a weaker detector.
        """
        folders = [packaged_folder(), cache_folder()]
        from_environment = os.environ.get(FOLDER_VARIABLE)
        if from_environment:
            advice = f"set {FOLDER_VARIABLE} to one that exists"
            folders.insert(0, _existing(Path(from_environment), advice))
        if folder is not None:
            folders.insert(0, _existing(folder, "name one that exists with", "models_folder"))
        self.folders = tuple(folders)
        self._read: dict[str, tuple[Path, bytes]] = {}

    @property
    def used(self) -> frozenset[str]:
        """Names of the files that were requested and found intact."""
        return frozenset(self._read)

    def find(self, file_name: str) -> Path | None:
        """Return the first file of this name, unchecked; None when no folder has one.

        Raises ModelError when a folder cannot be searched.
        """
        if file_name in self._read:
            return self._read[file_name][0]
        paths = (folder / file_name for folder in self.folders)
        return next((path for path in paths if _is_file(path)), None)

    def complete(self, choices: Sequence[Sequence[str]]) -> Sequence[str] | None:
        """Return the first of several sets of file names of which every file is found.

        One that has been read stays the choice.
        """
        read = next((names for names in choices if self._read.keys() >= set(names)), None)
        if read is not None:
            return read
        return next((names for names in choices if all(map(self.find, names))), None)

    def path(self, file_name: str) -> Path:
        """Return the path of a file, after checking the file.

        Raises ModelError when it is missing, cannot be read, or is not what its name says.
        """
        return self._checked(file_name)[0]

    def read(self, file_name: str) -> bytes:
        """Return the content of a file, after checking it; raises ModelError as `path` does."""
        return self._checked(file_name)[1]

    def _checked(self, file_name: str) -> tuple[Path, bytes]:
        if file_name not in self._read:
            self._read[file_name] = self._read_checked(file_name)
        return self._read[file_name]

    def _read_checked(self, file_name: str) -> tuple[Path, bytes]:
        path = self.find(file_name)
        if path is None:
            folders = ", ".join(map(str, self.folders))
            advice, remedy = _advice(file_name)
            problem = f"no weight file {file_name} in {folders}: {advice}"
            if file_name in _KNOWN and _KNOWN[file_name][0] is not BUNDLED:
                raise MissingWeightsError(problem, model=_KNOWN[file_name][0].name)
            raise ModelError(problem, remedy=remedy)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"{path}: cannot read this weight file ({reason_of(error)}): change its permissions"
            ) from error
        known = _KNOWN.get(file_name)
        if known is not None and not known[1].matches(content):
            raise ModelError(
                f"{path}: damaged, or not the file that trackblur knows by this name (its SHA-256 "
                f"is not {known[1].sha256[:12]}…): delete it and {_advice(file_name)[0]}"
            )
        return path, content


def packaged_folder() -> Path:
    """Return the folder of the weights that come with the package."""
    try:
        return Path(importlib.import_module("tracker_blur.models").__path__[0])
    except ModuleNotFoundError:  # a checkout that is not installed
        return Path(__file__).resolve().parents[2] / "models"


def cache_folder() -> Path:
    """Return the user's folder of downloaded weights; it may not exist."""
    return platformdirs.user_cache_path("trackblur", appauthor=False)


@dataclass(frozen=True, slots=True)
class WeightStatus:
    """A known weight file and its state on this machine; `path` is None when it is missing."""

    model: Model
    file: WeightFile
    path: Path | None
    state: Literal["found", "missing", "damaged"]


def weight_statuses(weights: Weights) -> list[WeightStatus]:
    """Return the status of every known file, in the catalog's order."""
    return [_status(weights, model, file) for model, file in _KNOWN.values()]


def _status(weights: Weights, model: Model, file: WeightFile) -> WeightStatus:
    path = weights.find(file.name)
    if path is None:
        return WeightStatus(model, file, None, "missing")
    try:
        weights.path(file.name)
    except ModelError:
        return WeightStatus(model, file, path, "damaged")
    return WeightStatus(model, file, path, "found")


def _advice(file_name: str) -> tuple[str, str | None]:
    """Return how to get a weight file, and the setting that helps, if any."""
    known = _KNOWN.get(file_name)
    if known is None:
        return "name a folder that holds it with", "models_folder"
    if known[0] is BUNDLED:
        return "install trackblur again: it comes with it", None
    return f"get it with 'trackblur models pull {known[0].name}'", None


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # continuing could silently lead to a weaker detector
        reason = reason_of(error)
        raise ModelError(
            f"{path.parent}: cannot search this folder of weight files ({reason}): change its "
            "permissions, or name another with",
            remedy="models_folder",
        ) from error


def _existing(folder: Path, advice: str, remedy: str | None = None) -> Path:
    if not os.path.isdir(folder):  # noqa: PTH112  # never raises, not even for a locked folder
        raise SettingsError(f"{folder}: no such folder of weight files: {advice}", remedy=remedy)
    return folder
