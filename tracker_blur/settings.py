"""Settings: every knob of trackblur with its unit, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tracker_blur.core import plugins
from tracker_blur.errors import SettingsError

Shape = Literal["ellipse", "rectangle"]
Codec = Literal["h264", "hevc", "av1", "vp9"]
MetadataRule = Literal["drop", "keep"]
MethodAliases = {"simple": "gaussian"}

FACE = "face"
"""What detections and tracks of faces are called."""

DETECTOR_FILE_ENDING = ".onnx"
"""Of a detector that `trackblur train` made, named in place of one of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How faces are found, followed, hidden and written; immutable.

    Raises SettingsError (a ValueError) at construction when a value makes no sense.

    Finding
        detector             a file's name in `tracker_blur.detectors`, or "auto": the best one
                             whose weights are on this machine; or the path of a file that
                             `trackblur train` made, ending in ".onnx"
        models_folder        a folder with weight files, looked in first
        confidence           score, 0 to 1, from which a find is a face; None: the detector's own
        detect_every_frames  the detector runs on every Nth frame; "auto" adapts N to what
                             detecting and following cost here and to how fast faces move; where
                             frames are more than 0.12 seconds apart, on each
        view_px              longest side, in pixels, of the reduced picture that is looked at;
                             None: a third of the picture's, 640 at least
    Following
        tracker              a file's name in `tracker_blur.trackers`, or "none": the detector
                             looks at every frame
        one_pass             look at each frame as it is written, as for what comes as it happens,
                             instead of looking at the whole video first
        delay_seconds        in one pass: how long a frame waits for what later ones tell of it, 30
                             frames at the most
        margin_seconds       how long before its first and after its last sight a face is hidden,
                             too; in one pass, as far as frames wait
        hold_seconds         in one pass: how long a face that was lost stays hidden where it was
                             seen last, and at least until the detector has missed it three
                             times; a tracker that no detection confirms is trusted for twice as
                             long
    Hiding
        hide                 any of "faces", "plates" and the classes of a detector file; none:
                             faces, or all that the detector file finds
        method               a file's name in `tracker_blur.redaction.methods`, or "simple" for
                             "gaussian"
        factor               gaussian: the kernel is the face's size divided by this
        blocks               pixelated: blocks across the face's longer side
        image                image: the picture put over the face
        color                solid: the color, as "#rrggbb"; image: what lies under its
                             transparent parts
        shape                outline of what hides a face: "ellipse" or "rectangle"; all else is
                             hidden as a rectangle
        padding_ratio        added on each side of a face, as a share of its width and height
        feather_ratio        width of the soft edge, outside the hidden area, as a share of
                             its size
    Writing
        codec                family of the output's codec; None: as the input's
        encoder              FFmpeg's name of an encoder, such as "h264_nvenc"; None: by codec
        quality              constant quality in the encoder's own scale (CRF, lower is better);
                             None: our default for that encoder
        preset               the encoder's preset; None: our default for that encoder
        metadata             "drop" what tells of place, device and person, or "keep" it
        partial              accept an input that breaks off, and write what there is of it
        overwrite            replace an output that exists
    """

    detector: str = "auto"
    models_folder: Path | None = None
    confidence: float | None = None
    detect_every_frames: int | Literal["auto"] = 2
    view_px: int | None = None
    tracker: str = "csrt"
    one_pass: bool = False
    delay_seconds: float = 0.0
    margin_seconds: float = 0.2
    hold_seconds: float = 1.0
    hide: tuple[str, ...] = ()
    method: str = "pixelated"
    factor: float = 3.0
    blocks: int = 5
    image: Path | None = None
    color: str = "#000000"
    shape: Shape = "ellipse"
    padding_ratio: float = 0.3
    feather_ratio: float = 0.05
    codec: Codec | None = None
    encoder: str | None = None
    quality: float | None = None
    preset: str | None = None
    metadata: MetadataRule = "drop"
    partial: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", MethodAliases.get(self.method, self.method))
        if not self.detector.endswith(DETECTOR_FILE_ENDING):
            self._check_choice("detector", (*plugins.names("tracker_blur.detectors"), "auto"))
        if not isinstance(self.hide, tuple) or not all(self.hide):
            raise SettingsError(f"hide is {self.hide!r}: name what to hide: ('faces', 'plates')")
        self._check_choice("tracker", (*plugins.names("tracker_blur.trackers"), "none"))
        self._check_choice("method", plugins.names("tracker_blur.redaction.methods"))
        self._check_choice("shape", get_args(Shape))
        self._check_choice("codec", (*get_args(Codec), None))
        self._check_choice("metadata", get_args(MetadataRule))
        if self.confidence is not None:
            self._check_range("confidence", 0.0, 1.0)
        if self.detect_every_frames != "auto":
            self._check_whole("detect_every_frames", 1, 1000)
        if self.view_px is not None:
            self._check_whole("view_px", 64, 8192)
        self._check_whole("blocks", 1, 40)
        self._check_range("hold_seconds", 0.0, 3600.0)
        self._check_range("margin_seconds", 0.0, 60.0)
        self._check_range("delay_seconds", 0.0, 10.0)
        if self.delay_seconds and not self.one_pass:
            raise SettingsError("`delay_seconds` is for one pass: add `one_pass`")
        self._check_range("factor", 1.0, 8.0)
        self._check_range("padding_ratio", 0.0, 2.0)
        self._check_range("feather_ratio", 0.0, 1.0)
        if self.method == "image" and self.image is None:
            raise SettingsError("`method` 'image' needs a picture: name one with `image`")

    def _check_choice(self, name: str, choices: tuple[str | None, ...]) -> None:
        value = getattr(self, name)
        if value not in choices:
            known = ", ".join(sorted(choice for choice in choices if choice))
            raise SettingsError(f"`{name}` is '{value}': choose one of {known}")

    def _check_range(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SettingsError(f"`{name}` is {value!r}: give a number from {low:g} to {high:g}")
        if not (math.isfinite(value) and low <= value <= high):
            raise SettingsError(f"`{name}` is {value:g}: give a number from {low:g} to {high:g}")

    def _check_whole(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SettingsError(f"`{name}` is {value!r}: give a whole number from {low} to {high}")
