"""Settings: every option of trackblur with its unit, checked once."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from tracker_blur.core import plugins
from tracker_blur.core.detector_choice import DetectorChoice
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.core.setting_checks import (
    as_path,
    check_bool,
    check_choice,
    check_number,
    check_text,
    check_whole_number,
)
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.rules import Rules

Shape = Literal["ellipse", "rectangle"]
Codec = Literal["h264", "hevc", "av1", "vp9"]
Tone = Literal["neutral", "scene", "mean"]
MetadataRule = Literal["drop", "keep"]
TrackRule = Literal["drop", "keep"]
AudioRule = Literal["bleep", "drop", "keep", "mute"]
TRACK_KINDS = ("audio", "subtitles")
MethodAliases = {"simple": "gaussian"}
MethodClass = Literal["cosmetic", "destructive"]
"""What a redaction method leaves of a face: "cosmetic", parts of it, so that a program may still
recognize it; "destructive", nothing."""

MAX_MEGAPIXELS = 300
"""The default of `Settings.max_megapixels`: phones take images of 200 million pixels."""

VIEW_PX_LIMITS = 64, 8192
"""The least and the largest longest side of a view, in pixels."""

RULE_SETTINGS = (
    *("ignore_zones", "hide_zones", "min_size", "max_size", "from_seconds", "to_seconds"),
    *("mute", "bleep"),
)
"""The settings of zones, limits and spans of audio."""

_LATEST_SECONDS = 1e7  # four months

FACE = "face"
"""The label of detections and tracks of faces."""


def method_class_of(*names: str) -> MethodClass:
    """Return the class of redaction methods together: cosmetic if any of them is.

    One that declares no class counts as cosmetic.
    """
    return "destructive" if all(map(_is_destructive, names)) else "cosmetic"


@cache
def _is_destructive(name: str) -> bool:
    return plugins.constant("tracker_blur.redaction.methods", name, "CLASS") == "destructive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How faces are detected, tracked, hidden and written; immutable.

    Attributes:
        detector: Name of a module in `tracker_blur.detectors`, or "auto": the best one whose
            weights are on this machine. Or the path of a file that `trackblur train` made, or of
            another network that docs/detectors.md lists, ending in ".onnx". Values for its
            parameters may follow, as in "lbp:scale_factor=1.2,min_size=24".
        models_folder: A folder with weight files, searched first.
        confidence: Score, 0 to 1, from which a detection is a face, if size and place allow (large
            faces must reach it often). A lower one counts where a face is known, or if the
            classifier takes it for one. None: the detector's own.
        detect_every_frames: The detector runs on every Nth frame. When it reads ahead, it runs on
            every third where N is 2, frames are close in time, and faces are slow and seen well.
            "auto" adapts N to the cost of detection and tracking on this machine and to the speed
            of the faces. It runs on every frame where frames are more than 0.12 seconds apart.
        view_px: Longest side, in pixels, of the reduced frame that the detector gets. None: as
            large as the smallest faces need, up to 1920; live, a third of the frame's, at least
            640.
        tracker: Name of a module in `tracker_blur.trackers`, or "none": the detector runs
            on every frame.
        one_pass: Detect in each frame just before it is written, as for live video, instead of
            reading ahead.
        delay_seconds: One pass: how long a frame waits for what later frames show, at most 30
            frames.
        careful: Search the result before it is written, as verification does, and hide what is
            found; at most two rounds. It takes several times as long.
        margin_seconds: How long before its first and after its last detection a face is hidden as
            well, and at least for three frames; 0: not at all. In one pass, as far as frames wait.
        hold_seconds: One pass: how long a lost face stays hidden where it was last seen, and at
            least until the detector has missed it three times. A tracker that no detection
            confirms is trusted for twice as long.
        hide: Any of "faces", "plates" and the classes of a detector file. Empty: faces,
            or all classes of the detector file.
        ignore_zones: Parts of the frame in which faces stay visible, such as posters, each as text:
            "left,top,right,bottom" in pixels or percent, the corners of a polygon, with times;
            `tracker_blur.core.zones` has examples. A face stays visible if three quarters of it lie
            in one, in all frames in which both exist. What is in doubt is hidden.
        hide_zones: Parts of the frame that are always hidden, in the same form.
        min_size: Faces that are always smaller stay visible: by their longer side, in pixels, or as
            text in percent of the frame's shorter side, such as "3%".
        max_size: Faces that are always larger stay visible.
        from_seconds: What is detected before this time in a video stays visible; None: nothing.
        to_seconds: What is detected after this time stays visible. Zones have times of their own.
        keep_people: A folder of photos of people who stay visible; everyone else is hidden. A
            folder in it is one person's. Faces stay visible where it is they beyond doubt.
        hide_people: A folder of photos of the only people who are hidden. Faces stay visible where
            they are surely not one of theirs.
        method: Name of a module in `tracker_blur.redaction.methods`, or "simple" for "gaussian".
        tone: Method "mosaic": the color of its blocks. "neutral": one of a few, by the track's
            number; gray in a film without color. "scene": the mean of what surrounds the face.
            "mean": the face's own, one of two. Both of these can link appearances of a person.
        factor: Method "gaussian": the kernel is the face's size divided by this.
        blocks: Method "pixelated": blocks across the longer side of the face.
        image: Method "image": the image put over the face.
        color: "#rrggbb". Method "solid": the color. Method "image": what lies under the transparent
            parts.
        shape: Shape of the hidden area of a face: "ellipse" or "rectangle". Everything else is
            hidden by a rectangle.
        padding_ratio: Added at least on each side of a face, as a share of its width and height.
        feather_ratio: Width of the soft edge outside the hidden area, as a share of its size. The
            blocks of the method "mosaic" make its edge instead.
        accept_cosmetic: Do not warn that a program may still recognize faces under a method of the
            class "cosmetic".
        codec: Codec family of the output; None: as the input.
        encoder: FFmpeg's name of an encoder, such as "h264_nvenc". None: chosen by codec.
        quality: Constant quality in the encoder's own scale (CRF, lower is better). None: our
            default for that encoder.
        preset: The encoder's preset. None: our default for that encoder.
        metadata: "drop" metadata that identifies a place, device or person, or "keep" it.
        audio: "keep" the audio, "drop" it, or "mute" or "bleep" all of it.
        mute: Spans of the video in which its audio is silent, each as text such as "10s..15s".
        bleep: Spans in which it is a tone. All tracks of audio are edited.
        subtitles: "keep" subtitles of speech, or "drop" them. Telemetry in subtitles goes unless
            `metadata` is "keep".
        tracks_kept: The only tracks of audio and subtitles that stay: their numbers in the input,
            counted from 0 as FFmpeg does, or "audio" or "subtitles" for all of a kind. Empty: all.
        partial: Accept a truncated input, and write what can be read of it.
        overwrite: Replace an existing output.
        max_megapixels: Images with more million pixels are refused, as are animations with 10 times
            as many in all their frames, and videos with more than an eighth of it in a frame: a
            small file may hold more than the memory does.
        tracking: Tuning parameters for benchmarks.

    Raises:
        SettingsError: a value makes no sense (a ValueError).
    """

    # Detection
    detector: str = "auto"
    models_folder: Path | None = None
    confidence: float | None = None
    detect_every_frames: int | Literal["auto"] = 2
    view_px: int | None = None
    # Tracking
    tracker: str = "csrt"
    one_pass: bool = False
    delay_seconds: float = 0.0
    careful: bool = False
    margin_seconds: float = 0.2
    hold_seconds: float = 1.0
    # Redaction
    hide: tuple[str, ...] = ()
    ignore_zones: tuple[str, ...] = ()
    hide_zones: tuple[str, ...] = ()
    min_size: float | str | None = None
    max_size: float | str | None = None
    from_seconds: float | None = None
    to_seconds: float | None = None
    keep_people: Path | None = None
    hide_people: Path | None = None
    method: str = "mosaic"
    tone: Tone = "neutral"
    factor: float = 3.0
    blocks: int = 5
    image: Path | None = None
    color: str = "#000000"
    shape: Shape = "ellipse"
    padding_ratio: float = 0.3
    feather_ratio: float = 0.05
    accept_cosmetic: bool = False
    # Output
    codec: Codec | None = None
    encoder: str | None = None
    quality: float | None = None
    preset: str | None = None
    metadata: MetadataRule = "drop"
    audio: AudioRule = "keep"
    mute: tuple[str, ...] = ()
    bleep: tuple[str, ...] = ()
    subtitles: TrackRule = "keep"
    tracks_kept: tuple[int | str, ...] = ()
    partial: bool = False
    overwrite: bool = False
    max_megapixels: float = MAX_MEGAPIXELS
    # Benchmarks
    tracking: TrackingParameters = field(default_factory=TrackingParameters)

    def __post_init__(self) -> None:
        for name in ("models_folder", "image", "keep_people", "hide_people"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, as_path(getattr(self, name), name))
        for name in ("detector", "tracker", "method", "tone", "color", "metadata"):
            check_text(getattr(self, name), name)
        for name in ("encoder", "preset"):
            if getattr(self, name) is not None:
                check_text(getattr(self, name), name)
        for name in ("one_pass", "careful", "accept_cosmetic", "partial", "overwrite"):
            check_bool(getattr(self, name), name)
        object.__setattr__(self, "method", MethodAliases.get(self.method, self.method))
        DetectorChoice.of(self.detector).check()
        if not isinstance(self.hide, tuple) or not all(
            isinstance(word, str) and word for word in self.hide
        ):
            raise SettingsError(
                f"is {self.hide!r}: give a tuple such as ('faces', 'plates')", setting="hide"
            )
        check_choice(self.tracker, "tracker", (*plugins.names("tracker_blur.trackers"), "none"))
        check_choice(self.method, "method", plugins.names("tracker_blur.redaction.methods"))
        check_choice(self.tone, "tone", get_args(Tone))
        check_choice(self.shape, "shape", get_args(Shape))
        check_choice(self.codec, "codec", (*get_args(Codec), None))
        check_choice(self.metadata, "metadata", get_args(MetadataRule))
        check_choice(self.audio, "audio", get_args(AudioRule))
        check_choice(self.subtitles, "subtitles", get_args(TrackRule))
        self._check_tracks_kept()
        for name in ("from_seconds", "to_seconds"):
            if getattr(self, name) is not None:
                check_number(getattr(self, name), name, 0.0, _LATEST_SECONDS)
        if self.has_rules:
            self.rules()  # says what is wrong with zones and sizes
        if self.confidence is not None:
            check_number(self.confidence, "confidence", 0.0, 1.0)
        if not isinstance(self.detect_every_frames, str) or self.detect_every_frames != "auto":
            check_whole_number(self.detect_every_frames, "detect_every_frames", 1, 1000)
        if self.view_px is not None:
            check_whole_number(self.view_px, "view_px", *VIEW_PX_LIMITS)
        check_whole_number(self.blocks, "blocks", 1, 40)
        check_number(self.hold_seconds, "hold_seconds", 0.0, 3600.0)
        check_number(self.margin_seconds, "margin_seconds", 0.0, 60.0)
        check_number(self.delay_seconds, "delay_seconds", 0.0, 10.0)
        if self.delay_seconds and not self.one_pass:
            raise SettingsError(
                "works only in one pass: add", setting="delay_seconds", remedy="one_pass"
            )
        if self.careful and self.one_pass:
            raise SettingsError(
                "searches the whole result before it is written: leave out",
                setting="careful",
                remedy="one_pass",
            )
        self._check_people()
        check_number(self.factor, "factor", 1.0, 8.0)
        if self.quality is not None:
            check_number(self.quality, "quality", -255.0, 255.0)
        check_number(self.padding_ratio, "padding_ratio", 0.0, 2.0)
        check_number(self.feather_ratio, "feather_ratio", 0.0, 1.0)
        check_number(self.max_megapixels, "max_megapixels", 1, 1_000_000)
        if self.method == "image" and self.image is None:
            raise SettingsError(
                "image needs an image: give one with", setting="method", remedy="image"
            )
        if not isinstance(self.tracking, TrackingParameters):
            raise SettingsError(
                f"is {self.tracking!r}: give TrackingParameters", setting="tracking"
            )

    @property
    def method_class(self) -> MethodClass:
        """The class of the method."""
        return method_class_of(self.method)

    def options(self) -> dict[str, Any]:
        """Return the settings that users choose, by name: all but the tuning parameters."""
        return {
            setting.name: getattr(self, setting.name)
            for setting in fields(self)
            if setting.name != "tracking"
        }

    @property
    def chooses_people(self) -> bool:
        """Whether who someone is decides about being hidden."""
        return self.keep_people is not None or self.hide_people is not None

    @property
    def has_rules(self) -> bool:
        """Whether there are any zones, limits or spans of audio."""
        unset = dict.fromkeys(("ignore_zones", "hide_zones", "mute", "bleep"), ())
        if self.audio in unset:
            return True
        return any(getattr(self, name) != unset.get(name) for name in RULE_SETTINGS)

    def rules(self) -> Rules:
        """Return the zones and limits, parsed; those in a track file replace them."""
        from tracker_blur.core import rule_settings  # imports NumPy: not needed by --help
        from tracker_blur.core.rules import Rules

        start, end = (
            None if seconds is None else Fraction(str(seconds))
            for seconds in (self.from_seconds, self.to_seconds)
        )
        return Rules(
            rule_settings.zones("ignore", self.ignore_zones)
            + rule_settings.zones("hide", self.hide_zones),
            rule_settings.size("min_size", self.min_size),
            rule_settings.size("max_size", self.max_size),
            start,
            end,
            rule_settings.audio_spans(self.audio, {"mute": self.mute, "bleep": self.bleep}),
        )

    def _check_people(self) -> None:
        if self.keep_people is not None and self.hide_people is not None:
            raise SettingsError(
                "already says who is hidden, which is everyone else: leave out",
                setting="keep_people",
                remedy="hide_people",
            )
        for name in ("keep_people", "hide_people"):
            if getattr(self, name) is not None and self.one_pass:
                raise SettingsError(
                    "needs to see all of a face before it is written: leave out",
                    setting=name,
                    remedy="one_pass",
                )

    def _check_tracks_kept(self) -> None:
        names = self.tracks_kept
        if not isinstance(names, tuple) or not all(map(_names_tracks, names)):
            raise SettingsError(
                f"is {names!r}: give a tuple of track numbers, 'audio' or 'subtitles'",
                setting="tracks_kept",
            )
        for kind in TRACK_KINDS:
            if kind in names and getattr(self, kind) == "drop":
                raise SettingsError(
                    f"names {kind}, which is dropped: leave out", setting="tracks_kept", remedy=kind
                )


def _names_tracks(name: object) -> bool:
    is_number = isinstance(name, int) and not isinstance(name, bool) and name >= 0
    return is_number or name in TRACK_KINDS
