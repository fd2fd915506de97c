"""The options that say what is detected, where, and whom it concerns: for several commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli.option_values import (
    names,
    number,
    time,
    whole_number,
    whole_number_or_auto,
)
from tracker_blur.cli.options import option
from tracker_blur.cli.parser import Collect
from tracker_blur.core import plugins
from tracker_blur.text import listed

if TYPE_CHECKING:
    import argparse


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


def _plugin_list(package: str, *others: str) -> str:
    """Return "one, two or three (default: x)" for the plug-ins of a package and other values."""
    known = [*plugins.names(f"tracker_blur.{package}"), *others]
    return f"{listed(known)} (default: %(default)s)"
