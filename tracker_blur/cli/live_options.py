"""The options of `trackblur live`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from tracker_blur.cli.detection_options import add_detection_options, add_zone_options
from tracker_blur.cli.option_values import number
from tracker_blur.cli.options import add_message_options, option
from tracker_blur.cli.output_options import add_encoding_options, add_redaction_options
from tracker_blur.realtime.settings import Transport

if TYPE_CHECKING:
    from tracker_blur.cli.parser import Parser


def add_options(parser: Parser) -> None:
    """Add the source, the targets and all options."""
    parser.add_argument(
        "source",
        nargs="?",
        default="0",
        metavar="SOURCE",
        help="a camera's number or device, an address (rtsp, rtmp, srt, udp, http, HLS), a file "
        "with --realtime, or - for standard input (default: %(default)s)",
    )
    parser.add_argument(
        "--to",
        action="append",
        nargs="+",
        metavar="TARGET",
        help="where the frames go; several targets at once are possible (default: window)",
    )
    _add_source_options(parser.add_argument_group("source"))
    detection = parser.add_argument_group("detection")
    add_detection_options(detection)
    parser.set_defaults(one_pass=True, detect_every_frames="auto")
    option(
        detection,
        "--delay",
        "delay_seconds",
        type=number,
        metavar="SECONDS",
        help="how long each frame waits for later detections, for at most 30 frames, so that a "
        "face is hidden from the frame in which it appears (default: %(default)s)",
    )
    option(
        detection,
        "--hold",
        "hold_seconds",
        type=number,
        metavar="SECONDS",
        help="how long a lost face stays hidden (default: %(default)s)",
    )
    redaction = parser.add_argument_group("redaction")
    add_redaction_options(redaction)
    _add_safety_options(redaction)
    add_zone_options(parser.add_argument_group("zones and limits"), has_times=False)
    _add_target_options(parser.add_argument_group("targets"))
    messages = parser.add_argument_group("messages")
    add_message_options(messages, is_live=True)
    messages.add_argument(
        "--metrics-port",
        type=_port,
        metavar="PORT",
        help="serve metrics for Prometheus at http://127.0.0.1:PORT/metrics",
    )


def _add_source_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--list-cameras", action="store_true", help="list the cameras of this machine and exit"
    )
    group.add_argument("--realtime", action="store_true", help="play a file at its own speed")
    option(
        group,
        "--size",
        "size",
        type=_size,
        metavar="WxH",
        help="size of the frames (default: the source's)",
    )
    option(
        group,
        "--rate",
        "rate",
        type=number,
        metavar="FPS",
        help="frames per second (default: the source's)",
    )
    option(
        group,
        "--rtsp-transport",
        "transport",
        choices=get_args(Transport),
        help="how RTSP carries video (default: %(default)s)",
    )
    option(
        group,
        "--timeout",
        "timeout_seconds",
        type=number,
        metavar="SECONDS",
        help="reconnect a source or target that stalls for this long (default: %(default)s)",
    )
    option(
        group,
        "--raw-format",
        "raw_format",
        metavar="WxH:FORMAT",
        help="standard input carries raw frames of this format, such as 1280x720:bgr24, at --rate",
    )


def _add_safety_options(group: argparse._ArgumentGroup) -> None:
    option(
        group,
        "--watchdog",
        "watchdog_seconds",
        type=number,
        metavar="SECONDS",
        help="hide the whole frame if the last detection is older than this (default: %(default)s)",
    )
    option(
        group,
        "--cover",
        "cover",
        type=Path,
        metavar="FILE",
        help="the image to show while the whole frame is hidden (default: a gray pattern)",
    )
    option(
        group,
        "--hide-all",
        "hide_all",
        action="store_true",
        help="start with the whole frame hidden and the audio muted",
    )
    option(
        group,
        "--allow-weaker",
        "allow_weaker",
        action="store_true",
        help="let keys and buttons hide faces less than at the start, also with methods under "
        "which people can be recognized",
    )


def _add_target_options(group: argparse._ArgumentGroup) -> None:
    option(
        group,
        "--segment-minutes",
        "segment_minutes",
        type=number,
        metavar="N",
        help="start a new file of a recording after this many minutes",
    )
    option(
        group,
        "--listen",
        "listen",
        metavar="HOST:PORT",
        help="where the web page is served (default: %(default)s)",
    )
    tokens = group.add_mutually_exclusive_group()
    option(
        tokens,
        "--token",
        "token",
        help="secret that requests for the web page must contain (default: a random one, which is "
        "printed in the page's address)",
    )
    tokens.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="read that secret from the first line of a file: what stands in a command can be read "
        "by others",
    )
    option(
        group,
        "--stills",
        "stills_folder",
        type=Path,
        metavar="DIR",
        help="where snapshots are saved (default: the current folder)",
    )
    add_encoding_options(group, "one that suits the target")
    group.add_argument("--overwrite", action="store_true", help="replace existing files")


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"'{text}': give a number below 65536")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}': give WIDTHxHEIGHT, such as 1280x720")
    return int(match[1]), int(match[2])
