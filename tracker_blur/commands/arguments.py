"""The words of the command line: every option, its help and its default."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any, NoReturn, get_args

from tracker_blur import plugins
from tracker_blur.errors import MissingPackageError
from tracker_blur.settings import Codec, MetadataRule, MethodAliases, Settings, Shape
from tracker_blur.version import __version__

DEFAULTS = {
    field.name: field.default
    for field in dataclasses.fields(Settings)
    if field.default is not dataclasses.MISSING
}
"""The settings that options set, by name, with their defaults."""


def parser() -> argparse.ArgumentParser:
    """Return the parser; an option's destination is the name of its setting."""
    words = _Parser(
        prog="trackblur",
        usage="%(prog)s IN [IN ...] [[-o] OUT] [options]\n       %(prog)s COMMAND [-h]",
        description="Hide every face in videos, pictures and folders of them; "
        "keep everything else as it was.",
        epilog="Commands: 'live' hides faces as a camera or a stream shows them, 'track' writes "
        "down where faces are, 'tracks' shows and changes that, 'render' hides what it says, "
        "'verify' looks for faces in a finished file, 'models' lists and fetches weight files, "
        "'train' makes a detector of your own, 'evaluate' measures one. "
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a face was found exposed, 130 interrupted.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
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
        type=float,
        metavar="SECONDS",
        help="one pass: how long, 30 frames at most, a frame waits for what later ones tell "
        "(default: %(default)s)",
    )
    option(
        finding,
        "--hold",
        "hold_seconds",
        type=float,
        metavar="SECONDS",
        help="one pass: how long a lost face stays hidden (default: %(default)s)",
    )
    add_hiding(words.add_argument_group("hiding faces"))
    writing = words.add_argument_group("writing")
    _add_writing(writing)
    _add_keeping(writing)
    writing.add_argument(
        "--tracks", type=Path, metavar="FILE", help="also write where faces were, to be rendered"
    )
    _add_showing(writing)
    add_telling(words.add_argument_group("telling"))
    return words


def track_parser() -> argparse.ArgumentParser:
    """Return the parser of `trackblur track`."""
    words = _Parser(
        prog="trackblur track",
        description="Look at a whole video and write down where its faces are; nothing is hidden. "
        "See or change that with 'trackblur tracks', then hide it with 'trackblur render'.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
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
    _add_keeping(words.add_argument_group("files"))
    add_telling(words.add_argument_group("telling"))
    return words


def render_parser() -> argparse.ArgumentParser:
    """Return the parser of `trackblur render`."""
    words = _Parser(
        prog="trackblur render",
        description="Hide in a video what its track file says; nothing is detected.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
    )
    words.add_argument("source", type=Path, metavar="IN", help="the video")
    words.add_argument("tracks", type=Path, metavar="FILE", help="its track file")
    words.add_argument("target", type=Path, metavar="OUT", help="the output")
    add_hiding(words.add_argument_group("hiding faces"))
    writing = words.add_argument_group("writing")
    _add_writing(writing)
    _add_keeping(writing)
    add_telling(words.add_argument_group("telling"))
    return words


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings that parsed options stand for; raises SettingsError."""
    given = vars(options)
    return Settings(**{name: given[name] for name in DEFAULTS if name in given})


def add_hide(group: argparse._ActionsContainer) -> None:
    """Add the option that says what to hide."""
    option(
        group,
        "--hide",
        "hide",
        type=_names,
        metavar="A,B",
        help="what to hide: faces, plates, classes of FILE.onnx (default: faces, or all that "
        "FILE.onnx finds)",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


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
        type=float,
        metavar="SCORE",
        help="score from 0 to 1 from which a find is a face (default: the detector's own)",
    )
    option(
        group,
        "--detect-every",
        "detect_every_frames",
        type=_every,
        metavar="N",
        help="detect on every Nth frame and follow in between, or 'auto' (default: %(default)s)",
    )
    option(
        group,
        "--view-size",
        "view_px",
        type=int,
        metavar="PX",
        help="longest side of the picture that is looked at; more finds smaller faces and takes "
        "longer (default: a third of the picture's, 640 at least)",
    )
    option(group, "--tracker", "tracker", metavar="NAME", help=_listing("trackers", extra="none"))
    option(
        group,
        "--margin",
        "margin_seconds",
        type=float,
        metavar="SECONDS",
        help="how long before its first and after its last sight a face is hidden, too (default: "
        "%(default)s)",
    )


def add_hiding(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how faces are hidden."""
    names = plugins.names("tracker_blur.methods")
    option(
        group,
        "--method",
        "method",
        choices=sorted((*names, *MethodAliases)),
        help=_listing("methods") + "; simple: gaussian",
    )
    option(
        group,
        "--blocks",
        "blocks",
        type=int,
        metavar="N",
        help="pixelated: blocks across a face (default: %(default)s)",
    )
    option(
        group,
        "--factor",
        "factor",
        type=float,
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
        type=float,
        metavar="RATIO",
        help="added on each side, as a share of the face (default: %(default)s)",
    )
    option(
        group,
        "--feather",
        "feather_ratio",
        type=float,
        metavar="RATIO",
        help="soft edge outside the hidden area, as a share of it (default: %(default)s)",
    )


def _add_writing(group: argparse._ArgumentGroup) -> None:
    option(group, "--codec", "codec", choices=get_args(Codec), help="(default: as the input's)")
    option(group, "--encoder", "encoder", metavar="NAME", help="FFmpeg's name, such as h264_nvenc")
    option(
        group,
        "--quality",
        "quality",
        type=float,
        metavar="Q",
        help="constant quality on the encoder's scale; lower is better",
    )
    option(group, "--preset", "preset", metavar="NAME", help="the encoder's preset")
    option(
        group,
        "--metadata",
        "metadata",
        choices=get_args(MetadataRule),
        help="what tells of place, device and person (default: %(default)s)",
    )


def _add_keeping(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    group.add_argument(
        "--partial", action="store_true", help="accept inputs that break off before their end"
    )


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


def add_telling(group: argparse._ArgumentGroup) -> None:
    """Add the options that say what is told."""
    group.add_argument("--quiet", "-q", action="store_true", help="only errors and warnings")
    group.add_argument("--verbose", "-v", action="store_true", help="where the time went")
    group.add_argument("--json", action="store_true", help="print a machine-readable summary")
    group.add_argument("--version", action="version", version=f"trackblur {__version__}")
    group.add_argument(
        "--print-completion",
        action=_PrintCompletion,
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


def _every(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}': give a whole number, or 'auto'") from None


class _Parser(argparse.ArgumentParser):
    """Says of a file whose name begins as options do how it can be named."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        words = sys.argv[1:] if args is None else args
        self._taken = [word for word in words if word.startswith("-") and Path(word).exists()]
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        hints = "".join(f"; to name the file {word}, write ./{word}" for word in self._taken)
        super().error(message + hints)


class _PrintCompletion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *values: Any) -> NoReturn:
        try:
            import shtab
        except ImportError:
            parser.error(str(MissingPackageError("shtab", "completion", "--print-completion")))
        sys.stdout.write(shtab.complete(parser, values[1]))
        sys.exit(0)
