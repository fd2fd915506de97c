"""What `--detector` names: a detector or a file of one, and perhaps values for its parameters.

`yunet`, `lbp:scale_factor=1.2,min_size=24`, `badge.onnx`, `badge.onnx:nms_threshold=0.6`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracker_blur.core import plugins
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_ENDING = ".onnx"
"""Ends the name of a detector file."""

AUTO = "auto"
"""Stands for the best detector whose weights are installed."""

_PACKAGE = "tracker_blur.detectors"
_OF_FILES = "onnx"  # the plug-in that runs detector files
_BEFORE_VALUES = ":"


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """A detector, and values for its parameters.

    Attributes:
        text: What the user wrote.
        name: "auto", the name of a plug-in, or the path of a detector file.
        values: The values as texts, by the names of the parameters.
    """

    text: str
    name: str
    values: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> DetectorChoice:
        """Read a choice; raises SettingsError where what follows the colon is no list of values.

        The name and the values are not checked.
        """
        if text.endswith(FILE_ENDING):
            return cls(text, text, {})
        path, of_file, listed = text.rpartition(FILE_ENDING + _BEFORE_VALUES)
        if of_file:
            return cls(text, path + FILE_ENDING, _values(text, listed))
        name, colon, listed = text.partition(_BEFORE_VALUES)
        return cls(text, name, _values(text, listed) if colon else {})

    @property
    def is_file(self) -> bool:
        """Whether it is a detector file."""
        return self.name.endswith(FILE_ENDING)

    def check(self) -> None:
        """Raise SettingsError for a name that no detector has, and for wrong values."""
        if not self.is_file and self.name not in (known := (AUTO, *plugins.names(_PACKAGE))):
            raise _error(self.name, f"choose one of {', '.join(sorted(known))}")
        if self.values:  # otherwise nothing need be imported
            self.parameters()

    def parameters(self) -> Any:
        """Return the plug-in's own `Parameters`.

        Raises:
            SettingsError: It has no such parameter, or the parameter takes no such value; "auto"
                has none.
        """
        if self.name == AUTO:
            raise _error(self.text, "parameters are those of one detector: name it")
        plugin = plugins.load(_PACKAGE, _OF_FILES if self.is_file else self.name)
        try:
            return plugin.Parameters.read(self.values)
        except SettingsError as error:
            raise _error(self.text, error.problem) from None


def _values(text: str, listed: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in listed.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise _error(text, "after the colon, give NAME=VALUE, separated by commas")
        if name in values:
            raise _error(text, f"names {name} twice: leave out one")
        values[name] = value
    return values


def _error(text: str, advice: str) -> SettingsError:
    return SettingsError(f"is '{text}': {advice}", setting="detector")
