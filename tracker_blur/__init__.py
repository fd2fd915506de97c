"""trackblur hides every face in videos and images, and keeps everything else as it was.

```python
import tracker_blur

tracker_blur.redact_video("in.mp4", "out.mp4")
tracker_blur.redact_image("in.jpg", "out.jpg", tracker_blur.Settings(method="solid"))
hidden = tracker_blur.redact_array(image)
for frame in tracker_blur.live(0):
    ...
```

Only these names are public. All errors derive from `TrackerBlurError`.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from tracker_blur.version import __version__

# pdoc, which renders the API reference, sees only what is imported.
if TYPE_CHECKING or "pdoc" in sys.modules:
    from tracker_blur.api import (
        redact_array,
        redact_frames,
        redact_image,
        redact_picture,
        redact_video,
    )
    from tracker_blur.core.report import Report
    from tracker_blur.errors import (
        MissingPackageError,
        ModelError,
        SettingsError,
        SinkError,
        SourceError,
        TrackerBlurError,
    )
    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.session import live
    from tracker_blur.realtime.settings import LiveSettings
    from tracker_blur.redaction.filters import anonymize_face_pixelate, anonymize_face_simple
    from tracker_blur.settings import Settings

# Otherwise imported when they are first used: `trackblur --help` should not wait for OpenCV.
_HOMES = {
    "Controls": "realtime.controls",
    "LiveSettings": "realtime.settings",
    "MissingPackageError": "errors",
    "ModelError": "errors",
    "Report": "core.report",
    "Settings": "settings",
    "SettingsError": "errors",
    "SinkError": "errors",
    "SourceError": "errors",
    "TrackerBlurError": "errors",
    "anonymize_face_pixelate": "redaction.filters",
    "anonymize_face_simple": "redaction.filters",
    "live": "realtime.session",
    "redact_array": "api",
    "redact_frames": "api",
    "redact_image": "api",
    "redact_picture": "api",
    "redact_video": "api",
}

__all__ = [
    "Controls",
    "LiveSettings",
    "MissingPackageError",
    "ModelError",
    "Report",
    "Settings",
    "SettingsError",
    "SinkError",
    "SourceError",
    "TrackerBlurError",
    "__version__",
    "anonymize_face_pixelate",
    "anonymize_face_simple",
    "live",
    "redact_array",
    "redact_frames",
    "redact_image",
    "redact_picture",
    "redact_video",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"tracker_blur.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'tracker_blur' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
