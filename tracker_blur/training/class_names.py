"""Which names the classes of a network can have."""

from __future__ import annotations

from collections.abc import Sequence

from tracker_blur.errors import SettingsError


def check_classes(classes: Sequence[str]) -> None:
    """Raise SettingsError for a class name that an ONNX file cannot carry."""
    for name in classes:
        if "+" in name or "/" in name:
            raise SettingsError(f"class '{name}': rename it in the data set, without '+' and '/'")
