"""The options that commands share, in groups, and the settings that they stand for."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from tracker_blur.cli.option_values import (
    names,
    number,
    time,
    tracks,
    whole_number,
    whole_number_or_auto,
)
from tracker_blur.cli.parser import Collect, OptionalFile, PrintCompletion
from tracker_blur.core import plugins
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.redaction.methods import names_of
from tracker_blur.settings import (
    AudioRule,
    Codec,
    MetadataRule,
    MethodAliases,
    Settings,
    Shape,
    Tone,
    TrackRule,
)
from tracker_blur.text import listed
from tracker_blur.version import __version__

if TYPE_CHECKING:
    import argparse

SettingsT = TypeVar("SettingsT", Settings, LiveSettings)

DEFAULTS = {
    field.name: field.default
    for kind in (Settings, LiveSettings)
    for field in dataclasses.fields(kind)
    if field.default is not dataclasses.MISSING
}
"""The default of each setting; an option's destination is the name of its setting."""


def settings_from(options: argparse.Namespace, kind: type[SettingsT]) -> SettingsT:
    """Return the Settings or LiveSettings that parsed options stand for.

    Raises:
        SettingsError: an option has a value that makes no sense.
    """
    given = vars(options)
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: given[name] for name in names if name in given})


def option(group: argparse._ActionsContainer, flag: str, setting: str, **details: Any) -> None:
    """Add an option whose default is that of its setting."""
    group.add_argument(flag, dest=setting, default=DEFAULTS[setting], **details)


def add_hide_option(group: argparse._ActionsContainer, purpose: str = "hide") -> None:
    """Add the option that says what to hide, or what else its help says."""
    option(
        group,
        "--hide",
        "hide",
        type=names,
        metavar="A,B",
        help=f"what to {purpose}: faces, plates, or classes of FILE.onnx (default: faces, or "
        "everything that FILE.onnx detects)",
    )


def add_models_option(group: argparse._ActionsContainer, what: str = "weight files") -> None:
    """Add the option that names a folder of weight files."""
    option(
        group,
        "--face",
        "models_folder",
        type=Path,
        metavar="DIR",
        help=f"folder with {what}, searched first",
    )


def add_detector_option(group: argparse._ActionsContainer) -> None:
    """Add the option that names the detector."""
    option(
        group,
        "--detector",
        "detector",
        metavar="NAME",
        help=_plugin_list(
            "detectors",
            "auto",
            "a FILE.onnx: of 'trackblur train', or a YOLO, SCRFD, RetinaFace or Ultra-Light",
        )
        + ". Parameters may follow, as in lbp:scale_factor=1.2,min_size=24; 'trackblur detectors' "
        "lists them",
    )


def add_detection_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how faces are detected and tracked."""
    add_hide_option(group)
    add_detector_option(group)
    add_models_option(group)
    option(
        group,
        "--confidence",
        "confidence",
        type=number,
        metavar="SCORE",
        help="score, from 0 to 1, from which a detection counts by itself; lower ones count where "
        "a face is known, or the classifier sees one (default: the detector's own)",
    )
    option(
        group,
        "--detect-every",
        "detect_every_frames",
        type=whole_number_or_auto,
        metavar="N",
        help="detect in every Nth frame and track in between, or 'auto' (default: %(default)s)",
    )
    option(
        group,
        "--view-size",
        "view_px",
        type=whole_number,
        metavar="PX",
        help="longest side of the reduced frame used for detection; a larger one detects smaller "
        "faces but takes longer (default: as large as the smallest faces need; live: a third of "
        "the frame's, at least 640)",
    )
    option(group, "--tracker", "tracker", metavar="NAME", help=_plugin_list("trackers", "none"))
    option(
        group,
        "--margin",
        "margin_seconds",
        type=number,
        metavar="SECONDS",
        help="hide a face for this long before its first and after its last detection, and for at "
        "least three frames; 0: not at all (default: %(default)s)",
    )


def add_zone_options(group: argparse._ArgumentGroup, *, has_times: bool = True) -> None:
    """Add the options of zones and limits.

    Args:
        group: where to add them.
        has_times: whether frames have times to choose from, which live ones have not.
    """
    times = ". Times: TIME..TIME=AREA; it moves: TIME=AREA..TIME=AREA" if has_times else ""
    option(
        group,
        "--ignore-zone",
        "ignore_zones",
        action=Collect,
        metavar="AREA",
        help="leave faces visible here, as on a poster: only those that never leave the area; in "
        "doubt they are hidden. left,top,right,bottom, or corners x,y,x,y,x,y, in pixels or in "
        f"percent (10%%,20%%,50%%,40%%){times}. May be repeated",
    )
    option(
        group,
        "--hide-zone",
        "hide_zones",
        action=Collect,
        metavar="AREA",
        help="always hide this, as a screen or a name plate; in the same form. May be repeated",
    )
    option(
        group,
        "--min-size",
        "min_size",
        metavar="SIZE",
        help="leave faces visible that are always smaller, by their longer side: pixels, or a "
        "share of the frame's shorter side such as 3%%",
    )
    option(
        group,
        "--max-size",
        "max_size",
        metavar="SIZE",
        help="leave faces visible that are always larger",
    )
    if not has_times:
        return
    option(
        group,
        "--from",
        "from_seconds",
        type=time,
        metavar="TIME",
        help="videos: hide nothing before this time (12.5s or 1:02:03), but zones; the whole video "
        "is written",
    )
    option(
        group,
        "--to",
        "to_seconds",
        type=time,
        metavar="TIME",
        help="videos: hide nothing after this time, but zones",
    )


def add_people_options(group: argparse._ActionsContainer) -> None:
    """Add the options that say who stays visible, or who alone is hidden."""
    option(
        group,
        "--keep-people",
        "keep_people",
        type=Path,
        metavar="DIR",
        help="leave the people visible of whom this folder has photos, and hide everyone else; a "
        "folder in it is one person's. Only where it is they beyond doubt; needs 'trackblur models "
        "pull sface' and yunet. With sface, only 'trackblur track' takes it",
    )
    option(
        group,
        "--hide-people",
        "hide_people",
        type=Path,
        metavar="DIR",
        help="hide only the people of whom this folder has photos, and whoever may be one of them",
    )


def add_careful_option(group: argparse._ActionsContainer) -> None:
    """Add the option of a careful run, which live streams have no time for."""
    option(
        group,
        "--careful",
        "careful",
        action="store_true",
        help="search the result, as 'verify' would, before it is written, and hide what is found; "
        "takes several times as long. For publication",
    )


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
            "out the subtitles that are shown meanwhile; may be repeated",
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


def add_file_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say which outputs are replaced and which inputs are accepted."""
    group.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    group.add_argument(
        "--partial",
        action="store_true",
        help="accept truncated or damaged inputs, and use what can be read",
    )
    add_size_limit(group)


def add_size_limit(group: argparse._ActionsContainer) -> None:
    """Add the option that says how large images and frames may be."""
    option(
        group,
        "--max-megapixels",
        "max_megapixels",
        type=number,
        metavar="N",
        help="refuse images of more million pixels, animations of 10 times as many in all frames, "
        "and videos of an eighth in a frame: small files may hold them (default: %(default)s)",
    )


def add_message_options(group: argparse._ArgumentGroup, *, is_live: bool = False) -> None:
    """Add the options that say what is printed; a live session prints JSON all the time."""
    group.add_argument("--quiet", "-q", action="store_true", help="print only errors and warnings")
    group.add_argument(
        "--verbose", "-v", action="store_true", help="print how long each stage took"
    )
    if is_live:
        group.add_argument("--json", action="store_true", help="print the status as JSON")
    else:
        add_json_option(group)
        add_progress_file(group)
    group.add_argument(
        "--version",
        action="version",
        version=f"trackblur {__version__}",
        help="print the version and exit",
    )
    group.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        metavar="SHELL",
        help="print a completion script for bash, zsh or tcsh (needs the extra 'completion')",
    )


def add_json_option(
    group: argparse._ActionsContainer,
    what: str = "a summary",
    suffix: str | tuple[str, ...] = ".json",
) -> None:
    """Add the option that asks for a machine-readable result; see `OptionalFile`."""
    group.add_argument(
        "--json",
        action=OptionalFile,
        suffix=suffix,
        metavar="FILE.json",
        help=f"print {what} as JSON, or write it to this file",
    )


def add_progress_file(group: argparse._ActionsContainer) -> None:
    """Add the option that names a file for programs that watch the run."""
    group.add_argument(
        "--progress-file",
        type=Path,
        metavar="FILE",
        help="append progress, warnings and errors to this file as JSON lines, for programs",
    )


def _plugin_list(package: str, *others: str) -> str:
    """Return "one, two or three (default: x)" for the plug-ins of a package and other values."""
    known = [*plugins.names(f"tracker_blur.{package}"), *others]
    return f"{listed(known)} (default: %(default)s)"
