"""Which encoder writes a video, and with which settings.

The default qualities and presets are measured: docs/media.md holds the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import av
from av.codec.codec import UnknownCodecError, find_best_pix_fmt_of_list
from av.video.format import VideoFormat

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.video.pixel_formats import has_alpha

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.settings import Settings
    from tracker_blur.video.containers import ContainerFormat
    from tracker_blur.video.stream_info import VideoTrack

_QSCALE_UNIT = 118  # FF_QP2LAMBDA: FFmpeg counts quantizer scales in 1/118


@dataclass(frozen=True, slots=True)
class Encoder:
    """One of FFmpeg's encoders.

    Attributes:
        name: FFmpeg's name.
        codec: FFmpeg's name of what it writes.
        quality_option: The option that sets a constant quality; None: it has no such scale.
        quality: Our default in that scale.
        qualities: The ends of that scale, because encoders silently clip values beyond them; None:
            unknown, so the encoder checks the value.
        preset_option: The option that trades speed for size; None: it has none.
        preset: Our default.
        presets: All that it has; empty: unknown, so the encoder checks the value.
        options: Always set.
        counts_frames: Whether it takes frame numbers only, not times.
        needs_even: Whether sides must be even if chroma is subsampled.
        keeps_alpha: Whether it is to encode the track's alpha channel.
    """

    name: str
    codec: str
    quality_option: str | None = None
    quality: float | None = None
    qualities: tuple[float, float] | None = None
    preset_option: str | None = None
    preset: str | None = None
    presets: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    counts_frames: bool = False
    needs_even: bool = False
    keeps_alpha: bool = False

    @property
    def stores_aspect(self) -> bool:
        """Whether the codec stores the pixel aspect; with PyAV the container cannot."""
        return self.codec not in _SQUARE_PIXELS

    def options_for(self, settings: Settings) -> dict[str, str]:
        """Return FFmpeg's options.

        Raises:
            SettingsError: The encoder does not have this quality or preset, or the settings name
                the encoder, and it has no qualities or presets.
            SinkError: The encoder was chosen here, and it has no qualities or presets.
        """
        missing = SinkError if settings.encoder is None else SettingsError
        options = dict(self.options)
        quality = self.quality if settings.quality is None else settings.quality
        preset = self.preset if settings.preset is None else settings.preset
        if quality is not None:
            if self.quality_option is None:
                raise missing(
                    f"encoder {self.name} has no quality scale: leave out", remedy="quality"
                )
            if self.qualities and not self.qualities[0] <= quality <= self.qualities[1]:
                scale = "from {:g} to {:g}".format(*self.qualities)
                raise SettingsError(
                    f"is {quality:g}: {self.name} takes a number {scale}", setting="quality"
                )
            if self.quality_option == "qscale":
                options["flags"] = "+qscale"
                options["global_quality"] = str(round(quality * _QSCALE_UNIT))
            else:
                options[self.quality_option] = f"{quality:g}"
        if preset is not None:
            if self.preset_option is None:
                raise missing(f"encoder {self.name} has no presets: leave out", remedy="preset")
            if self.presets and preset not in self.presets:
                known = ", ".join(self.presets)
                raise SettingsError(
                    f"is '{preset}': {self.name} takes one of {known}", setting="preset"
                )
            options[self.preset_option] = preset
        return options


def _numbers(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(first, last + 1))


_X264_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
    "placebo",
)  # fmt: skip
_DEFAULTS = {
    "h264": Encoder(
        "libx264", "h264", "crf", 18, (0, 51), "preset", "veryfast", _X264_PRESETS, needs_even=True
    ),
    "hevc": Encoder(
        "libx265", "hevc", "crf", 17, (0, 51), "preset", "superfast", _X264_PRESETS, needs_even=True
    ),
    "av1": Encoder(
        "libsvtav1", "av1", "crf", 24, (0, 63), "preset", "8", _numbers(0, 13), needs_even=True
    ),
    "vp9": Encoder(
        "libvpx-vp9",
        "vp9",
        "crf",
        22,
        (0, 63),
        "cpu-used",
        "6",
        _numbers(-8, 8),
        {"deadline": "realtime", "row-mt": "1", "tile-columns": "2", "b": "0"},
    ),
    "vp8": Encoder(
        "libvpx",
        "vp8",
        "crf",
        10,
        (4, 63),
        "cpu-used",
        "4",
        _numbers(-16, 16),
        # Its threads wait in a busy loop: 40 times slower on a loaded machine.
        {"deadline": "realtime", "b": "20M", "threads": "1"},
    ),
    "mpeg4": Encoder("mpeg4", "mpeg4", "qscale", 2, (1, 31), counts_frames=True),
    "mpeg2video": Encoder(
        "mpeg2video",
        "mpeg2video",
        "qscale",
        2,
        (1, 31),
        options={"strict": "unofficial"},  # for frame rates that the standard does not list
        counts_frames=True,
    ),
    "mjpeg": Encoder(
        "mjpeg",
        "mjpeg",
        "qscale",
        2,
        (1, 31),
        options={"strict": "unofficial"},  # for the video range
    ),
    "prores": Encoder("prores_ks", "prores"),
    "ffv1": Encoder("ffv1", "ffv1", options={"level": "3", "g": "1"}),
    "png": Encoder("png", "png"),
    "qtrle": Encoder("qtrle", "qtrle"),
    "gif": Encoder("gif", "gif"),
}
_HARDWARE = {  # by the last part of the name; untested, by their makers' documentation
    "nvenc": Encoder("", "", "cq", 19, (0, 51), "preset", "p4", options={"rc": "vbr", "b": "0"}),
    "qsv": Encoder("", "", "global_quality", 20, (1, 51), "preset", "veryfast"),
    "amf": Encoder(
        "", "", "qvbr_quality_level", 20, (1, 51), "quality", "speed", options={"rc": "qvbr"}
    ),
    "videotoolbox": Encoder("", "", "qscale", 65, (1, 100)),
}
_SQUARE_PIXELS = {"av1", "vp9", "vp8"}
_RGB_CODECS = {"ffv1", "prores", "gif", "png", "qtrle"}
_ALPHA_OPTIONS = {"auto-alt-ref": "0"}  # of libvpx, which cannot encode alpha otherwise


def choose_encoder(settings: Settings, track: VideoTrack, container: ContainerFormat) -> Encoder:
    """Return the encoder that the settings name, or else the one that keeps the track's codec.

    If the container cannot hold that codec, or the encoder not the alpha channel or not all bits of
    a sample, the container's preferred codecs follow.

    Raises:
        SettingsError: FFmpeg has no such encoder here.
        SinkError: The container cannot hold what the encoder writes.
    """
    if settings.encoder is not None:
        return _with_alpha(_checked(_named(settings.encoder), container), track, container)
    if settings.codec is not None:
        return _with_alpha(_checked(_DEFAULTS[settings.codec], container), track, container)
    bits, is_transparent = _bits(track.pixel_format), has_alpha(track.pixel_format)
    others = container.preferred if bits == 8 else container.preferred[::-1]
    if is_transparent:
        others = (*container.transparent, *others)
    candidates = [
        _with_alpha(_DEFAULTS[codec], track, container)
        for codec in (track.codec, *others)
        if codec in (*container.codecs, *container.transparent) and codec in _DEFAULTS
    ]
    # The first that keeps most: alpha above bits.
    return max(
        candidates,
        key=lambda candidate: (
            candidate.keeps_alpha,
            _bits(pixel_format(candidate, track)) >= bits,
        ),
    )


def pixel_format(encoder: Encoder, track: VideoTrack) -> str:
    """Return the pixel format nearest to the track's that the encoder takes.

    RGB becomes 4:2:0 for codecs whose players support little else. It does not if the input has
    the same codec, or an odd side, which would change.
    """
    offered = [form.name for form in _codec(encoder.name).video_formats or ()]
    wanted = track.pixel_format
    if encoder.keeps_alpha and encoder.codec in ("vp8", "vp9"):
        return "yuva420p"  # the only one that players know, and the only one of 8 bits
    if encoder.keeps_alpha:
        offered = [name for name in offered if has_alpha(name)]
    else:
        offered = [name for name in offered if not has_alpha(name)] or offered
    if wanted in offered or not offered:
        return wanted
    full_range = wanted.startswith("yuvj")
    usable = [
        name
        for name in offered
        if name.startswith("yuvj") == full_range and VideoFormat(name).components
    ] or [name for name in offered if VideoFormat(name).components]
    if wanted.startswith("gbr") and encoder.codec not in _RGB_CODECS | {track.codec}:
        keeps_size = encoder.needs_even and any(side % 2 for side in track.size)
        common = "yuv444p" if keeps_size else "yuv420p"
        usable = [name for name in usable if name.startswith(common)] or usable
    best, _ = find_best_pix_fmt_of_list(usable, wanted, has_alpha=encoder.keeps_alpha)
    return usable[0] if best is None else best.name


def _with_alpha(encoder: Encoder, track: VideoTrack, container: ContainerFormat) -> Encoder:
    """Return the encoder as it encodes the track's alpha channel, if it can and there is one."""
    if not has_alpha(track.pixel_format) or encoder.codec not in container.transparent:
        return encoder
    if not any(has_alpha(form.name) for form in _codec(encoder.name).video_formats or ()):
        return encoder
    options = {**encoder.options, **(_ALPHA_OPTIONS if "libvpx" in encoder.name else {})}
    return replace(encoder, options=options, keeps_alpha=True)


def _named(name: str) -> Encoder:
    for encoder in _DEFAULTS.values():
        if encoder.name == name:
            return encoder
    try:
        codec = av.Codec(name, "w")
    except UnknownCodecError:
        raise SettingsError(
            f"is '{name}', which FFmpeg does not have here: choose one such as libx264",
            setting="encoder",
        ) from None
    if codec.type != "video":
        raise SettingsError(
            f"is '{name}', which does not encode video: choose one such as libx264",
            setting="encoder",
        )
    like = _HARDWARE.get(name.rpartition("_")[2], Encoder(name, codec.canonical_name))
    return replace(like, name=name, codec=codec.canonical_name)


def _checked(encoder: Encoder, container: ContainerFormat) -> Encoder:
    _codec(encoder.name)
    codecs = container.codecs.union(container.transparent)
    if encoder.codec not in codecs:
        known = ", ".join(sorted(codecs))
        raise SinkError(
            f"{container.muxer} files cannot hold {encoder.codec}: choose one of {known}, "
            "or another container"
        )
    return encoder


def _codec(name: str) -> av.Codec:
    try:
        return av.Codec(name, "w")
    except UnknownCodecError:
        raise SinkError(f"FFmpeg has no encoder {name} here: choose one such as libx264") from None


def _bits(name: str) -> int:
    return max(component.bits for component in VideoFormat(name).components)
