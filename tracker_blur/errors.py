"""The errors that trackblur raises on purpose.

```
TrackerBlurError
├── SettingsError (ValueError)          a setting has a value that makes no sense
├── InputError (ValueError)             an argument of the library is not what it takes
├── SourceError (OSError)               an input cannot be read, or not to its end
├── SinkError (OSError)                 an output cannot be written
├── TrackFileError                      a track file cannot be read, or belongs to another video
├── ModelError                          a weight file is missing, damaged or the wrong one
│   └── MissingWeightsError             a weight file is missing that can be downloaded
└── MissingPackageError (ImportError)   an optional package is not installed
```

Each message is one line: what happened, to which file, and what to do. Control characters in names
are escaped. All errors can be pickled, so that they pass between processes.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tracker_blur.text import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_FLAGS: Mapping[str, str] = MappingProxyType({})


class TrackerBlurError(Exception):
    """Base class of all errors that trackblur raises on purpose.

    `str(error)` names settings as the library does. The command line calls `text` to name their
    flags instead.

    Args:
        problem: what happened and what to do, in one line.
        setting: the wrong field of `Settings` or `LiveSettings`; the message begins with it.
        remedy: the field that helps; the message ends with it.
        subject: the file or target concerned; if given, the message begins with it.
    """

    def __init__(
        self,
        problem: str = "",
        *,
        setting: str | None = None,
        remedy: str | None = None,
        subject: str | None = None,
    ) -> None:
        self.problem = problem
        self.setting = setting
        self.remedy = remedy
        self.subject = subject
        super().__init__(self.text())

    def text(self, flags: Mapping[str, str] = _NO_FLAGS) -> str:
        """Return the message.

        Args:
            flags: the command-line flag of each setting, such as `{"view_px": "--view-size"}`.
                A setting without one keeps its name.
        """
        setting, remedy = (
            name and flags.get(name, f"`{name}`") for name in (self.setting, self.remedy)
        )
        subject = self.subject and f"{self.subject}:"
        return escaped(
            " ".join(part for part in (subject, setting, self.problem, remedy) if part).strip()
        )

    def __str__(self) -> str:
        return self.text()


class SettingsError(TrackerBlurError, ValueError):
    """A setting or an option has a value that makes no sense."""


class InputError(TrackerBlurError, ValueError):
    """An argument of the library, or the answer of a detector, is not what it takes."""


class SourceError(TrackerBlurError, OSError):
    """An input cannot be read, or not to its end."""


class SinkError(TrackerBlurError, OSError):
    """An output cannot be written."""

    @classmethod
    def about(cls, subject: str, error: TrackerBlurError) -> SinkError:
        """Return the same problem as one of this file or target, with its setting and remedy."""
        whole = f"{subject}: {error.subject}" if error.subject else subject
        return cls(error.problem, setting=error.setting, remedy=error.remedy, subject=whole)


class TrackFileError(TrackerBlurError):
    """A track file cannot be read, makes no sense, or was made for another video."""


class ModelError(TrackerBlurError):
    """A weight file is missing, damaged, or not what its name says."""


class MissingWeightsError(ModelError):
    """A weight file is missing that `trackblur models pull` downloads.

    Args:
        problem: what happened and what to do, in one line.
        model: the name to pull it by.
        about: what `TrackerBlurError` takes.
    """

    def __init__(self, problem: str = "", *, model: str = "", **about: str | None) -> None:
        self.model = model
        super().__init__(problem, **about)


class MissingPackageError(TrackerBlurError, ImportError):
    """An optional package is needed but not installed.

    Args:
        package: its name on PyPI.
        extra: the extra of trackblur that installs it.
        purpose: what needs it.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self._arguments = package, extra, purpose
        super().__init__(
            f"{purpose} needs the package {package}: pip install '.[{extra}]' in trackblur's folder"
        )

    def __reduce__(self) -> tuple[type[MissingPackageError], tuple[str, str, str]]:
        """Pickle the arguments: the message alone does not make another one."""
        return type(self), self._arguments


def reason_of(error: BaseException) -> str:
    """Return why the system or FFmpeg refused, in lower case, on one line, for a message."""
    return " ".join(str(getattr(error, "strerror", None) or error).lower().split())
