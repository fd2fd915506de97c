"""The options that say how faces are hidden and outputs are written: for several commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from tracker_blur.cli.option_values import (
    number,
    tracks,
    whole_number,
)
from tracker_blur.cli.options import option
from tracker_blur.cli.parser import Collect
from tracker_blur.core import plugins
from tracker_blur.redaction.methods import names_of
from tracker_blur.settings import (
    AudioRule,
    Codec,
    MetadataRule,
    MethodAliases,
    Shape,
    Tone,
    TrackRule,
)

if TYPE_CHECKING:
    import argparse


def add_method_option(group: argparse._ArgumentGroup) -> None:
    """Add the option that says by which method faces are hidden."""
    option(
        group,
        "--method",
        "method",
        choices=sorted((*plugins.names("tracker_blur.redaction.methods"), *MethodAliases)),
        help="how faces are hidden (default: %(default)s). Nothing of a face is left: "
        f"{', '.join(names_of('destructive'))}. Cosmetic, a program may still recognize it: "
        f"{', '.join(names_of('cosmetic'))}. simple means gaussian",
    )


def add_redaction_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how faces are hidden."""
    add_method_option(group)
    option(
        group,
        "--tone",
        "tone",
        choices=get_args(Tone),
        help="mosaic: the color of its blocks (default: %(default)s). neutral: the same few for "
        "all; scene: of what surrounds the face; mean: of the face, dark or light. By scene or "
        "mean, appearances of a person can be linked",
    )
    option(
        group,
        "--accept-cosmetic",
        "accept_cosmetic",
        action="store_true",
        help="do not warn that cosmetic methods are only for looks",
    )
    option(
        group,
        "--blocks",
        "blocks",
        type=whole_number,
        metavar="N",
        help="pixelated: blocks across a face (default: %(default)s)",
    )
    option(
        group,
        "--factor",
        "factor",
        type=number,
        metavar="F",
        help="gaussian: the kernel is the face's size divided by this (default: %(default)s)",
    )
    option(
        group,
        "--color",
        "color",
        metavar="#RRGGBB",
        help="solid: the color; image: the color behind transparent parts (default: %(default)s)",
    )
    option(
        group,
        "--image",
        "image",
        type=Path,
        metavar="FILE",
        help="image: the image to put over faces",
    )
    option(
        group,
        "--shape",
        "shape",
        choices=get_args(Shape),
        help="shape of the hidden area (default: %(default)s)",
    )
    option(
        group,
        "--padding",
        "padding_ratio",
        type=number,
        metavar="RATIO",
        help="enlarge the hidden area on each side by this share of the face (default: "
        "%(default)s)",
    )
    option(
        group,
        "--feather",
        "feather_ratio",
        type=number,
        metavar="RATIO",
        help="width of the soft edge around the hidden area, as a share of its size; mosaic has "
        "none, its blocks make the edge (default: %(default)s)",
    )


def add_encoding_options(group: argparse._ArgumentGroup, default_codec: str) -> None:
    """Add the options that say how video is encoded.

    Args:
        group: where to add them.
        default_codec: how the help describes the codec that is used without --codec.
    """
    option(
        group,
        "--codec",
        "codec",
        choices=get_args(Codec),
        help=f"video codec (default: {default_codec})",
    )
    option(
        group,
        "--encoder",
        "encoder",
        metavar="NAME",
        help="FFmpeg's name of an encoder, such as h264_nvenc",
    )
    option(
        group,
        "--quality",
        "quality",
        type=number,
        metavar="Q",
        help="constant quality on the encoder's scale; lower is better",
    )
    option(group, "--preset", "preset", metavar="NAME", help="name of one of the encoder's presets")


def add_metadata_option(group: argparse._ArgumentGroup) -> None:
    """Add the option that says what happens to metadata."""
    option(
        group,
        "--metadata",
        "metadata",
        choices=get_args(MetadataRule),
        help="drop or keep what reveals place, device and person (default: %(default)s)",
    )


def add_track_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say which other tracks of a video get into the output."""
    option(
        group,
        "--audio",
        "audio",
        choices=get_args(AudioRule),
        help="videos: keep or drop the audio, or make all of it silent or a tone, which "
        "leaves out all subtitles (default: %(default)s)",
    )
    for effect, result in (("mute", "make the audio silent"), ("bleep", "put a tone in its place")):
        option(
            group,
            f"--{effect}",
            effect,
            action=Collect,
            metavar="SPAN",
            help=f"videos: {result} in this time, such as 10s..15s or 0:10..0:15, and leave "
            "out the subtitles that are shown meanwhile; may be repeated. Times count from the "
            "first frame of the video; where the audio begins earlier, the span does, too, and "
            "where it begins later, the span ends that much later, so that an audio editor's times "
            "are covered",
        )
    option(
        group,
        "--subtitles",
        "subtitles",
        choices=get_args(TrackRule),
        help="videos: keep or drop the subtitles (default: %(default)s); telemetry in subtitles "
        "is dropped in any case, unless metadata is kept",
    )
    option(
        group,
        "--tracks-kept",
        "tracks_kept",
        type=tracks,
        metavar="LIST",
        help="videos: keep only these tracks of audio and subtitles: numbers, counted from 0 as by "
        "ffprobe, 'audio' or 'subtitles', separated by commas (default: all)",
    )
