"""trackblur hides every face in videos and images, and keeps everything else as it was.

```python
import tracker_blur

tracker_blur.redact_video("in.mp4", "out.mp4")
tracker_blur.redact_image("in.jpg", "out.jpg", tracker_blur.Settings(method="solid"))
hidden = tracker_blur.redact_array(image)
for frame in tracker_blur.live(0):
    ...

redactor = tracker_blur.Redactor()  # loads the detector once, for any number of images and videos
hidden = redactor.hide(image, redactor.detect(image))
```

Only the names that `dir(tracker_blur)` shows are public. All errors derive from
`TrackerBlurError`.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from tracker_blur.version import __version__

# pdoc, which renders the API reference, sees only what is imported.
if TYPE_CHECKING or "pdoc" in sys.modules:
    from tracker_blur.annotations.supervision import from_supervision, to_supervision
    from tracker_blur.api.functions import (
        redact_array,
        redact_frames,
        redact_image,
        redact_picture,
        redact_video,
    )
    from tracker_blur.api.redactor import Redactor
    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.predictions import Prediction, Predictions
    from tracker_blur.core.report import Report
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.errors import (
        InputError,
        MissingPackageError,
        ModelError,
        SettingsError,
        SinkError,
        SourceError,
        TrackerBlurError,
        TrackFileError,
    )
    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.live import live
    from tracker_blur.realtime.settings import LiveSettings
    from tracker_blur.redaction.filters import anonymize_face_pixelate, anonymize_face_simple
    from tracker_blur.settings import Settings
    from tracker_blur.verification.verdict import Verdict

# Otherwise imported when they are first used: `trackblur --help` should not wait for OpenCV.
_HOMES = {
    "Box": "core.box",
    "Controls": "realtime.controls",
    "Detection": "core.box",
    "InputError": "errors",
    "LiveSettings": "realtime.settings",
    "MissingPackageError": "errors",
    "ModelError": "errors",
    "Prediction": "core.predictions",
    "Predictions": "core.predictions",
    "Redactor": "api.redactor",
    "Report": "core.report",
    "Settings": "settings",
    "SettingsError": "errors",
    "SinkError": "errors",
    "SourceError": "errors",
    "TrackFileError": "errors",
    "TrackerBlurError": "errors",
    "Tracks": "core.tracks",
    "Verdict": "verification.verdict",
    "anonymize_face_pixelate": "redaction.filters",
    "anonymize_face_simple": "redaction.filters",
    "from_supervision": "annotations.supervision",
    "live": "realtime.live",
    "redact_array": "api.functions",
    "redact_frames": "api.functions",
    "redact_image": "api.functions",
    "redact_picture": "api.functions",
    "redact_video": "api.functions",
    "to_supervision": "annotations.supervision",
}

__all__ = [
    "Box",
    "Controls",
    "Detection",
    "InputError",
    "LiveSettings",
    "MissingPackageError",
    "ModelError",
    "Prediction",
    "Predictions",
    "Redactor",
    "Report",
    "Settings",
    "SettingsError",
    "SinkError",
    "SourceError",
    "TrackFileError",
    "TrackerBlurError",
    "Tracks",
    "Verdict",
    "__version__",
    "anonymize_face_pixelate",
    "anonymize_face_simple",
    "from_supervision",
    "live",
    "redact_array",
    "redact_frames",
    "redact_image",
    "redact_picture",
    "redact_video",
    "to_supervision",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"tracker_blur.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'tracker_blur' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
