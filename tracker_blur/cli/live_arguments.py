"""The words of `trackblur live`: every option, its help and its default."""

from __future__ import annotations

import argparse
import dataclasses
import re
from pathlib import Path
from typing import Any, get_args

from tracker_blur.cli.options import add_encoding, add_finding, add_hiding, add_telling, option
from tracker_blur.cli.values import number
from tracker_blur.realtime.settings import LiveSettings, Transport

_DEFAULTS = {field.name: field.default for field in dataclasses.fields(LiveSettings)}


def live_parser() -> argparse.ArgumentParser:
    """Return the parser; an option's destination is the name of its setting."""
    words = argparse.ArgumentParser(
        prog="trackblur live",
        usage="%(prog)s [SOURCE] [--to TARGET ...] [options]",
        description="Hide every face in what a camera or a stream shows, as it happens. Whatever "
        "fails: all is hidden until it works again.",
        epilog="It ends when you quit (q, Ctrl-C) or the source ends, with exit code 0 (1 when a "
        "target or the detector does not work then, or there should be more of the source); files "
        "are whole then. Targets: window, virtual, web, "
        "a file (.mp4, .mkv), an address (rtmp, rtsp, srt, udp), a playlist (live.m3u8), "
        "or - for standard output. --json prints a line each second, to standard error "
        "where standard output carries pictures.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
    )
    words.add_argument(
        "source",
        nargs="?",
        default="0",
        metavar="SOURCE",
        help="a camera's number or device, an address (rtsp, rtmp, srt, udp, http, HLS), a file "
        "with --realtime, or - for standard input (default: %(default)s)",
    )
    words.add_argument(
        "--to",
        action="append",
        nargs="+",
        metavar="TARGET",
        help="where it goes; several at once (default: window)",
    )
    _add_source(words.add_argument_group("source"))
    finding = words.add_argument_group("finding faces")
    add_finding(finding)
    words.set_defaults(one_pass=True, detect_every_frames="auto")
    option(
        finding,
        "--delay",
        "delay_seconds",
        type=number,
        metavar="SECONDS",
        help="how long, 30 frames at most, a frame waits for what later ones tell, so that a face "
        "is hidden from the frame it appears (default: %(default)s)",
    )
    option(
        finding,
        "--hold",
        "hold_seconds",
        type=number,
        metavar="SECONDS",
        help="how long a lost face stays hidden (default: %(default)s)",
    )
    hiding = words.add_argument_group("hiding faces")
    add_hiding(hiding)
    _add_safety(hiding)
    _add_targets(words.add_argument_group("targets"))
    telling = words.add_argument_group("telling")
    add_telling(telling)
    telling.add_argument(
        "--metrics-port",
        type=_port,
        metavar="PORT",
        help="figures for Prometheus at http://127.0.0.1:PORT/metrics",
    )
    return words


def live_settings_of(options: argparse.Namespace) -> LiveSettings:
    """Return the live settings that parsed options stand for; raises SettingsError."""
    given = vars(options)
    return LiveSettings(**{name: given[name] for name in _DEFAULTS if name in given})


def _add_source(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--list-cameras", action="store_true", help="list the cameras of this machine"
    )
    group.add_argument("--realtime", action="store_true", help="play a file at its own speed")
    _live_option(
        group,
        "--size",
        "size",
        type=_size,
        metavar="WxH",
        help="size of the pictures (default: as the source's)",
    )
    _live_option(
        group,
        "--rate",
        "rate",
        type=number,
        metavar="FPS",
        help="frames a second (default: the source's)",
    )
    _live_option(
        group,
        "--rtsp-transport",
        "transport",
        choices=get_args(Transport),
        help="(default: %(default)s)",
    )
    _live_option(
        group,
        "--timeout",
        "timeout_seconds",
        type=number,
        metavar="SECONDS",
        help="a source or a target that is silent for so long is connected anew (default: "
        "%(default)s)",
    )
    _live_option(
        group,
        "--raw-format",
        "raw_format",
        metavar="WxH:FORMAT",
        help="standard input brings raw frames, such as 1280x720:bgr24, at --rate",
    )


def _add_safety(group: argparse._ArgumentGroup) -> None:
    _live_option(
        group,
        "--watchdog",
        "watchdog_seconds",
        type=number,
        metavar="SECONDS",
        help="all is hidden when the last look at the picture is older (default: %(default)s)",
    )
    _live_option(
        group,
        "--cover",
        "cover",
        type=Path,
        metavar="FILE",
        help="a picture to show while all is hidden (default: a coarse mosaic)",
    )
    _live_option(
        group,
        "--hide-all",
        "hide_all",
        action="store_true",
        help="start with all hidden, and no sound",
    )


def _add_targets(group: argparse._ArgumentGroup) -> None:
    _live_option(
        group,
        "--segment-minutes",
        "segment_minutes",
        type=number,
        metavar="N",
        help="begin another file after so long",
    )
    _live_option(
        group,
        "--listen",
        "listen",
        metavar="HOST:PORT",
        help="of the page (default: %(default)s)",
    )
    _live_option(
        group, "--token", "token", help="that the page must be asked with, if not on loopback"
    )
    _live_option(
        group,
        "--stills",
        "stills_folder",
        type=Path,
        metavar="DIR",
        help="where pictures that you ask for are saved (default: here)",
    )
    add_encoding(group, "as it fits")
    group.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _live_option(group: argparse._ArgumentGroup, flag: str, setting: str, **details: Any) -> None:
    group.add_argument(flag, dest=setting, default=_DEFAULTS[setting], **details)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"'{text}': give a number below 65536")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}': give WIDTHxHEIGHT, such as 1280x720")
    return int(match[1]), int(match[2])
