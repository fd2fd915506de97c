"""The words of `trackblur`, `trackblur track` and `trackblur render`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tracker_blur.cli.options import (
    DEFAULTS,
    add_finding,
    add_hiding,
    add_keeping,
    add_telling,
    add_writing,
    option,
)
from tracker_blur.cli.parser import Parser
from tracker_blur.cli.values import number
from tracker_blur.settings import Settings


def parser() -> argparse.ArgumentParser:
    """Return the parser; an option's destination is the name of its setting."""
    words = Parser(
        prog="trackblur",
        usage="%(prog)s IN [IN ...] [[-o] OUT] [options]\n       %(prog)s COMMAND [-h]",
        description="Hide every face in videos, pictures and folders of them; "
        "keep everything else as it was.",
        epilog="Commands: 'live' hides faces as a camera or a stream shows them, 'track' writes "
        "down where faces are, 'tracks' shows and changes that, 'render' hides what it says, "
        "'verify' looks for faces in a finished file, 'models' lists and fetches weight files, "
        "'train' makes a detector of your own, 'evaluate' measures one. "
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a face was found exposed, 130 interrupted.",
    )
    words.add_argument(
        "paths",
        nargs="+",
        metavar="IN [OUT]",
        help="a video, a picture, a folder or a quoted pattern; OUT is a file, or a folder for "
        "several (default: NAME_redacted beside IN)",
    )
    words.add_argument(
        "-o",
        "--out",
        metavar="OUT",
        help="the output; all other names are inputs. Only so named is a file replaced that lies "
        "beside IN",
    )
    finding = words.add_argument_group("finding faces")
    add_finding(finding)
    option(
        finding,
        "--one-pass",
        "one_pass",
        action="store_true",
        help="do not look at the whole video before writing it: a face may show until it is found",
    )
    option(
        finding,
        "--delay",
        "delay_seconds",
        type=number,
        metavar="SECONDS",
        help="one pass: how long, 30 frames at most, a frame waits for what later ones tell "
        "(default: %(default)s)",
    )
    option(
        finding,
        "--hold",
        "hold_seconds",
        type=number,
        metavar="SECONDS",
        help="one pass: how long a lost face stays hidden (default: %(default)s)",
    )
    add_hiding(words.add_argument_group("hiding faces"))
    writing = words.add_argument_group("writing")
    add_writing(writing)
    add_keeping(writing)
    writing.add_argument(
        "--tracks", type=Path, metavar="FILE", help="also write where faces were, to be rendered"
    )
    _add_showing(writing)
    add_telling(words.add_argument_group("telling"))
    return words


def track_parser() -> argparse.ArgumentParser:
    """Return the parser of `trackblur track`."""
    words = Parser(
        prog="trackblur track",
        description="Look at a whole video and write down where its faces are; nothing is hidden. "
        "See or change that with 'trackblur tracks', then hide it with 'trackblur render'.",
    )
    words.add_argument("source", type=Path, metavar="IN", help="a video")
    words.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the track file (default: NAME.tracks.jsonl beside IN)",
    )
    add_finding(words.add_argument_group("finding faces"))
    add_keeping(words.add_argument_group("files"))
    add_telling(words.add_argument_group("telling"))
    return words


def render_parser() -> argparse.ArgumentParser:
    """Return the parser of `trackblur render`."""
    words = Parser(
        prog="trackblur render",
        description="Hide in a video what its track file says; nothing is detected.",
    )
    words.add_argument("source", type=Path, metavar="IN", help="the video")
    words.add_argument("tracks", type=Path, metavar="FILE", help="its track file")
    words.add_argument("target", type=Path, metavar="OUT", help="the output")
    add_hiding(words.add_argument_group("hiding faces"))
    writing = words.add_argument_group("writing")
    add_writing(writing)
    add_keeping(writing)
    add_telling(words.add_argument_group("telling"))
    return words


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings that parsed options stand for; raises SettingsError."""
    given = vars(options)
    return Settings(**{name: given[name] for name in DEFAULTS if name in given})


def _add_showing(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--verify",
        action="store_true",
        help="look at the finished videos as an adversary would; exit code 3 if a face is exposed",
    )
    group.add_argument(
        "--verify-report",
        type=Path,
        metavar="FILE.html",
        help="the same, and write a page to look at; it shows faces",
    )
    group.add_argument(
        "--compare",
        action="store_true",
        help="pictures: also write NAME_compare with before and after side by side; "
        "it shows the faces",
    )
    group.add_argument("--show", action="store_true", help="pictures: show the result in a window")
