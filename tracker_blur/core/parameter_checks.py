"""The check of tuning parameters at construction, by the unit in each one's name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from fractions import Fraction
from typing import Any, ClassVar

from tracker_blur.errors import SettingsError

_LIMITS = {  # by the end of a field's name; the first that fits counts
    "share_per_second": (0, 1),
    "padding_ratio": (-0.5, math.inf),
    "aspects": (0, math.inf),
    "chunks": (1, math.inf),
    "crops": (0, math.inf),
    "db": (0, math.inf),
    "detections": (1, math.inf),
    "enlargement": (1, math.inf),
    "error": (0, math.inf),
    "faces": (0, math.inf),
    "frames": (0, math.inf),
    "holds": (0, math.inf),
    "iou": (0, 1),
    "levels": (0, 255),
    "load": (0, 1),
    "log_odds": (-math.inf, math.inf),
    "megabytes": (1, math.inf),
    "minute": (0, math.inf),
    "noise": (0, math.inf),
    "periods": (0, 100),
    "px": (1, math.inf),
    "quantile": (0, 1),
    "rate": (1, 240),
    "ratio": (1, math.inf),
    "scale": (1, math.inf),
    "rounds": (1, math.inf),
    "score": (0, 1),
    "second": (0, math.inf),
    "seconds": (0, math.inf),
    "share": (0, 1),
    "shares": (0.1, 1),
    "sizes": (0, math.inf),
    "threshold": (0, 255),
    "timeouts": (1, math.inf),
    "tolerance": (0, 1),
    "views": (0, math.inf),
    "watchdogs": (1, math.inf),
}


class CheckedParameters:
    """Base of dataclasses of parameters: numbers, tuples of numbers, groups of parameters.

    Each number must be finite and within the limits of its unit, and of its default's type. A
    tuple has as many numbers as its default; one that is annotated with `...` has at least one.

    Attributes:
        setting: The setting that holds the parameters, for messages; None: no setting does.

    Raises:
        SettingsError: At construction, when a value makes no sense.
    """

    __slots__ = ()
    setting: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        for parameter in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            self._check(parameter, getattr(self, parameter.name), _default(parameter))

    def _check(self, parameter: Field[Any], value: Any, default: Any) -> None:
        name = parameter.name
        if isinstance(default, CheckedParameters):
            if not isinstance(value, type(default)):
                raise self._error(name, value, f"give {type(default).__name__}")
        elif isinstance(default, Mapping):
            if not isinstance(value, Mapping):
                raise self._error(name, value, "give a mapping")
            for group in value.values():
                self._check(parameter, group, next(iter(default.values())))
        elif isinstance(default, tuple):
            count = 0 if "..." in str(parameter.type) else len(default)
            if not isinstance(value, tuple) or not value or (count and len(value) != count):
                what = f"{count} numbers" if count else "one number or more"
                raise self._error(name, value, f"give a tuple of {what}")
            for number in value:
                self._check_number(name, number, default[0])
        else:
            self._check_number(name, value, default)

    def _check_number(self, name: str, value: Any, default: Any) -> None:
        kinds, what = {
            int: ((int,), "a whole number"),
            Fraction: ((int, Fraction), "a whole number or a fraction"),
        }.get(type(default), ((int, float), "a number"))
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            raise self._error(name, value, f"give {what}")
        low, high = next(limits for unit, limits in _LIMITS.items() if name.endswith(f"_{unit}"))
        if not low <= value <= high:
            limits = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
            raise self._error(name, value, f"give a number {limits}")

    def _error(self, name: str, value: Any, advice: str) -> SettingsError:
        owner = "" if self.setting else f"{type(self).__name__} "
        return SettingsError(f"{owner}has {name}={value!r}: {advice}", setting=self.setting)


def _default(parameter: Field[Any]) -> Any:
    if parameter.default_factory is not MISSING:
        return parameter.default_factory()
    return parameter.default
