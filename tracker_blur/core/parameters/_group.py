"""What all groups of tracking's parameters share."""

from __future__ import annotations

from tracker_blur.core.parameter_checks import CheckedParameters


class ParameterGroup(CheckedParameters):
    """Parameters that users pass with `Settings.tracking`, which messages name."""

    __slots__ = ()
    setting = "tracking"
