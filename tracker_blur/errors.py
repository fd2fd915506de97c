"""Every error trackblur raises on purpose.

TrackerBlurError
├── SettingsError (ValueError)          an option has a value that makes no sense
├── SourceError (OSError)               an input cannot be read, or not to its end
├── SinkError (OSError)                 an output cannot be written
├── TrackFileError                      a file with tracks cannot be read, or is another video's
├── ModelError                          a weight file is missing, corrupt or of another kind
└── MissingPackageError (ImportError)   an optional package is not installed

Each message is one line that says what happened, to which file, and what to do. In it `name` is a
setting; the command line shows its flag instead.
"""


class TrackerBlurError(Exception):
    """Base of every deliberate error, so that callers can catch them all."""


class SettingsError(TrackerBlurError, ValueError):
    """An option has a value that makes no sense."""


class SourceError(TrackerBlurError, OSError):
    """An input cannot be read, or not to its end."""


class SinkError(TrackerBlurError, OSError):
    """An output cannot be written."""


class TrackFileError(TrackerBlurError):
    """A file with tracks cannot be read, makes no sense, or was made for another video."""


class ModelError(TrackerBlurError):
    """A weight file is missing, corrupt or of another kind than its name says."""


class MissingPackageError(TrackerBlurError, ImportError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}: pip install '.[{extra}]' in trackblur's folder"
        )


def reason_of(error: BaseException) -> str:
    """Return why the system or FFmpeg refused, in lower case, to stand in a message."""
    return str(getattr(error, "strerror", None) or error).lower()
