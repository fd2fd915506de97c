"""Which program makes the pieces of a video: one that is put together has to be one program's."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av
import cv2
import numpy as np

from tracker_blur.files.identity import sha256
from tracker_blur.version import __version__
from tracker_blur.weights.onnx_network import runtime_version

_PACKAGE = Path(__file__).parents[1]
_OTHER_PACKAGES = ("scipy", "dlib", "scikit-image")  # importing them takes long


def code_sha256(package: Path) -> str:
    """Return a hash of a package's modules: one version number may stand for several states."""
    modules = sorted(path for path in package.rglob("*.py") if path.is_file())
    parts = [(module.relative_to(package).as_posix(), sha256(module)) for module in modules]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _program() -> str:
    parts = (
        *(__version__, code_sha256(_PACKAGE)),
        *(av.__version__, cv2.__version__, np.__version__, runtime_version()),
        *map(_version, _OTHER_PACKAGES),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


PROGRAM = _program()
"""Stands for this program, as it was installed when this module was loaded: what is installed later
is another one. Plugins are not part of it."""
