"""Bounds the parameters of detectors in requests: none may make an image take minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from tracker_blur.core.detector_choice import DetectorChoice

_FREE = frozenset({"min_neighbors", "nms_threshold"})
"""They hardly change the time that an image takes."""

_AT_LEAST = frozenset({"scale_factor", "profile_scale_factor", "min_size", "tile_size"})
_AT_MOST = frozenset({"tile_overlap", "top_k", "upsample"})


def check_values(choice: DetectorChoice) -> None:
    """Check that a detector takes no longer for an image than with its defaults.

    Args:
        choice: The detector; no file.

    Raises:
        SettingsError: A value makes no sense, or makes the detector slower; or this does not know
            what the parameter does to the time.
    """
    if not choice.values:
        return
    parameters = choice.parameters()
    default = type(parameters)()
    for name in choice.values:
        value, bound = getattr(parameters, name), getattr(default, name)
        if name in _AT_LEAST and value < bound:
            raise _too_slow(choice, f"give {name} as {bound} or more")
        if name in _AT_MOST and value > bound:
            raise _too_slow(choice, f"give {name} as {bound} or less")
        if name not in _FREE | _AT_LEAST | _AT_MOST:
            raise _too_slow(choice, f"leave out {name}")


def _too_slow(choice: DetectorChoice, advice: str) -> SettingsError:
    return SettingsError(
        f"is '{choice.text}', which may take too long: {advice}", setting="detector"
    )
