"""The options that several commands share, in groups: their help, their defaults."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any, get_args

from tracker_blur.cli.parser import PrintCompletion
from tracker_blur.cli.values import every, names, number, whole_number
from tracker_blur.core import plugins
from tracker_blur.settings import Codec, MetadataRule, MethodAliases, Settings, Shape
from tracker_blur.version import __version__

DEFAULTS = {
    field.name: field.default
    for field in dataclasses.fields(Settings)
    if field.default is not dataclasses.MISSING
}
"""The settings that options set, by name, with their defaults."""


def add_hide(group: argparse._ActionsContainer) -> None:
    """Add the option that says what to hide."""
    option(
        group,
        "--hide",
        "hide",
        type=names,
        metavar="A,B",
        help="what to hide: faces, plates, classes of FILE.onnx (default: faces, or all that "
        "FILE.onnx finds)",
    )


def add_finding(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how faces are found."""
    add_hide(group)
    option(
        group,
        "--detector",
        "detector",
        metavar="NAME",
        help=_listing("detectors", extra="auto") + ", or FILE.onnx of trackblur train",
    )
    option(
        group,
        "--face",
        "models_folder",
        type=Path,
        metavar="DIR",
        help="a folder with weight files, looked in first",
    )
    option(
        group,
        "--confidence",
        "confidence",
        type=number,
        metavar="SCORE",
        help="score from 0 to 1 from which a find is a face (default: the detector's own)",
    )
    option(
        group,
        "--detect-every",
        "detect_every_frames",
        type=every,
        metavar="N",
        help="detect on every Nth frame and follow in between, or 'auto' (default: %(default)s)",
    )
    option(
        group,
        "--view-size",
        "view_px",
        type=whole_number,
        metavar="PX",
        help="longest side of the picture that is looked at; more finds smaller faces and takes "
        "longer (default: a third of the picture's, 640 at least)",
    )
    option(group, "--tracker", "tracker", metavar="NAME", help=_listing("trackers", extra="none"))
    option(
        group,
        "--margin",
        "margin_seconds",
        type=number,
        metavar="SECONDS",
        help="how long before its first and after its last sight a face is hidden, too (default: "
        "%(default)s)",
    )


def add_hiding(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how faces are hidden."""
    option(
        group,
        "--method",
        "method",
        choices=sorted((*plugins.names("tracker_blur.redaction.methods"), *MethodAliases)),
        help=_listing("redaction.methods") + "; simple: gaussian",
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
    option(group, "--color", "color", metavar="#RRGGBB", help="solid: the color")
    option(group, "--image", "image", type=Path, metavar="FILE", help="image: the picture")
    option(
        group,
        "--shape",
        "shape",
        choices=get_args(Shape),
        help="outline of the hidden area (default: %(default)s)",
    )
    option(
        group,
        "--padding",
        "padding_ratio",
        type=number,
        metavar="RATIO",
        help="added on each side, as a share of the face (default: %(default)s)",
    )
    option(
        group,
        "--feather",
        "feather_ratio",
        type=number,
        metavar="RATIO",
        help="soft edge outside the hidden area, as a share of it (default: %(default)s)",
    )


def add_writing(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how outputs are written."""
    add_encoding(group, "as the input's")
    option(
        group,
        "--metadata",
        "metadata",
        choices=get_args(MetadataRule),
        help="what tells of place, device and person (default: %(default)s)",
    )


def add_encoding(group: argparse._ArgumentGroup, usual_codec: str) -> None:
    """Add the options that say how pictures are encoded; `usual_codec` tells which one else."""
    option(group, "--codec", "codec", choices=get_args(Codec), help=f"(default: {usual_codec})")
    option(group, "--encoder", "encoder", metavar="NAME", help="FFmpeg's name, such as h264_nvenc")
    option(
        group,
        "--quality",
        "quality",
        type=number,
        metavar="Q",
        help="constant quality on the encoder's scale; lower is better",
    )
    option(group, "--preset", "preset", metavar="NAME", help="the encoder's preset")


def add_keeping(group: argparse._ArgumentGroup) -> None:
    """Add the options that say what is replaced, and what is accepted."""
    group.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    group.add_argument(
        "--partial", action="store_true", help="accept inputs that break off before their end"
    )


def add_telling(group: argparse._ArgumentGroup) -> None:
    """Add the options that say what is told."""
    group.add_argument("--quiet", "-q", action="store_true", help="only errors and warnings")
    group.add_argument("--verbose", "-v", action="store_true", help="where the time went")
    group.add_argument("--json", action="store_true", help="print a machine-readable summary")
    group.add_argument("--version", action="version", version=f"trackblur {__version__}")
    group.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        metavar="SHELL",
        help="print a completion script for bash, zsh or tcsh (extra: completion)",
    )


def option(group: argparse._ActionsContainer, flag: str, setting: str, **details: Any) -> None:
    """Add an option whose default is that of its setting."""
    group.add_argument(flag, dest=setting, default=DEFAULTS[setting], **details)


def _listing(package: str, extra: str = "") -> str:
    """Return "one, two or three (default: x)" for the plug-ins of a package."""
    names = [*plugins.names(f"tracker_blur.{package}"), *([extra] if extra else [])]
    return f"{', '.join(names[:-1])} or {names[-1]} (default: %(default)s)"
