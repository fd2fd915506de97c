"""What the commands' parsers share: the parser class, value types, option groups."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args

from tracker_blur.core import plugins
from tracker_blur.errors import MissingPackageError
from tracker_blur.files.paths import exists
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.redaction.methods import names_of
from tracker_blur.settings import (
    TRACK_KINDS,
    Codec,
    MetadataRule,
    MethodAliases,
    Settings,
    Shape,
    Tone,
    TrackRule,
)
from tracker_blur.text import escaped
from tracker_blur.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SettingsT = TypeVar("SettingsT", Settings, LiveSettings)

DEFAULTS = {
    field.name: field.default
    for kind in (Settings, LiveSettings)
    for field in dataclasses.fields(kind)
    if field.default is not dataclasses.MISSING
}
"""The default of each setting; an option's destination is the name of its setting."""

FILES = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}
"""How each shell completes file names; shtab reads it from an action's `complete`."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors say how to name a file that begins like an option.

    Args:
        examples: whole commands, for the end of the help.
        arguments: those of `argparse.ArgumentParser`.

    Attributes:
        root: the parser of the whole command line, whose completion script is printed.
    """

    def __init__(self, *, examples: Sequence[str] = (), **arguments: Any) -> None:
        if "formatter_class" not in arguments:
            arguments["formatter_class"] = formatter()
        super().__init__(**arguments)
        self.root: argparse.ArgumentParser = self
        self._examples = examples
        self._has_input = False
        self._files_like_options: list[str] = []

    def add_input(self, help: str) -> None:  # noqa: A002  # as argparse calls it
        """Add the argument IN, whose value is `source`; -i FILE and --input FILE are the same."""
        self._has_input = True
        path = self.add_argument(
            "source", nargs="?", metavar="IN", default=argparse.SUPPRESS, help=help
        )
        path.complete = FILES  # type: ignore[attr-defined]  # for shtab
        add_input_option(self, dest="source", default=argparse.SUPPRESS)

    def format_help(self) -> str:
        """Return the help, with the examples at its end."""
        text = super().format_help()
        if self._examples:
            text += "\nExamples:\n" + "".join(f"  {example}\n" for example in self._examples)
        return text

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and remember which options may be meant as files."""
        arguments = sys.argv[1:] if args is None else args
        self._files_like_options = [
            argument
            for argument in arguments
            if argument.startswith("-") and exists(Path(argument))
        ]
        options, rest = super().parse_known_args(args, namespace)
        if self._has_input:
            if not hasattr(options, "source"):
                self.error("the following arguments are required: IN")
            options.source = Path(options.source)  # `type` would also convert what is suppressed
        return options, rest

    def error(self, message: str) -> NoReturn:
        """Exit with the message and the hints."""
        hints = "".join(
            f"; to name the file {name}, write ./{name}" for name in self._files_like_options
        )
        super().error(escaped(message + hints))


def formatter(
    kind: type[argparse.HelpFormatter] = argparse.HelpFormatter,
) -> Callable[[str], argparse.HelpFormatter]:
    """Return a formatter class whose help texts begin in the same column for all commands."""
    return lambda prog: kind(prog, max_help_position=28)


class PrintCompletion(argparse.Action):
    """Prints the completion script for a shell and exits."""

    def __call__(self, parser: argparse.ArgumentParser, *values: Any) -> NoReturn:
        """Print the script, or fail where shtab is not installed."""
        try:
            import shtab
        except ImportError:
            parser.error(str(MissingPackageError("shtab", "completion", "--print-completion")))
        script = shtab.complete(getattr(parser, "root", parser), values[1])
        # The first argument may be a file instead of a command: bash then completes file names.
        sys.stdout.write(script.replace("\ncomplete -o", "\ncomplete -o default -o"))
        sys.exit(0)


def settings_from(options: argparse.Namespace, kind: type[SettingsT]) -> SettingsT:
    """Return the Settings or LiveSettings that parsed options stand for.

    Raises:
        SettingsError: an option has a value that makes no sense.
    """
    given = vars(options)
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: given[name] for name in names if name in given})


def flags_of(parser: argparse.ArgumentParser) -> Mapping[str, str]:
    """Return the flag of each option by its destination, for messages that name settings."""
    actions = parser._actions  # noqa: SLF001  # argparse has no public list of them
    return {action.dest: action.option_strings[0] for action in actions if action.option_strings}


def whole_number(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a whole number") from None


def whole_number_from(least: int) -> Callable[[str], int]:
    """Return a type that reads a whole number of at least this."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise ArgumentTypeError(f"'{text}': give a whole number from {least}")
        return value

    return read


def number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a number") from None


def number_between(low: float, high: float) -> Callable[[str], float]:
    """Return a type that reads a number within these bounds."""

    def read(text: str) -> float:
        value = number(text)
        if not low <= value <= high:  # also refuses NaN
            raise ArgumentTypeError(f"'{text}': give a number from {low:g} to {high:g}")
        return value

    return read


def numbers(text: str) -> tuple[float, ...]:
    """Read numbers separated by commas."""
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give numbers separated by commas") from None


def names(text: str) -> tuple[str, ...]:
    """Read names separated by commas; none may be empty."""
    values = tuple(name.strip() for name in text.split(","))
    if not all(values):
        raise ArgumentTypeError(f"'{text}': give names separated by commas")
    return values


def tracks(text: str) -> tuple[int | str, ...]:
    """Read numbers and kinds of tracks separated by commas."""
    listed = tuple(int(name) if name.isdecimal() else name for name in text.split(","))
    if not all(isinstance(name, int) or name in TRACK_KINDS for name in listed):
        raise ArgumentTypeError(
            f"'{text}': give track numbers, 'audio' or 'subtitles', separated by commas"
        )
    return listed


def whole_number_or_auto(text: str) -> int | str:
    """Read a whole number, or 'auto'."""
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': give a whole number, or 'auto'") from None


def option(group: argparse._ActionsContainer, flag: str, setting: str, **details: Any) -> None:
    """Add an option whose default is that of its setting."""
    group.add_argument(flag, dest=setting, default=DEFAULTS[setting], **details)


def add_input_option(group: argparse._ActionsContainer, **details: Any) -> None:
    """Add -i and --input, which many programs have, as another way to name an input."""
    group.add_argument("-i", "--input", metavar="IN", help="the same as IN", **details)


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


def add_detection_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how faces are detected and tracked."""
    add_hide_option(group)
    option(
        group,
        "--detector",
        "detector",
        metavar="NAME",
        help=_plugin_list(
            "detectors",
            "auto",
            "a FILE.onnx: of 'trackblur train', or a YOLO, SCRFD, RetinaFace or Ultra-Light",
        ),
    )
    add_models_option(group)
    option(
        group,
        "--confidence",
        "confidence",
        type=number,
        metavar="SCORE",
        help="lowest score, from 0 to 1, at which a detection counts (default: the detector's own)",
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
        "faces but takes longer (default: a third of the frame's, at least 640)",
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


def add_redaction_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how faces are hidden."""
    option(
        group,
        "--method",
        "method",
        choices=sorted((*plugins.names("tracker_blur.redaction.methods"), *MethodAliases)),
        help="how faces are hidden (default: %(default)s). Nothing of a face is left: "
        f"{', '.join(names_of('destructive'))}. Cosmetic, a program may still recognize it: "
        f"{', '.join(names_of('cosmetic'))}. simple means gaussian",
    )
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
        choices=get_args(TrackRule),
        help="videos: keep or drop the audio (default: %(default)s)",
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
    option(
        group,
        "--max-megapixels",
        "max_megapixels",
        type=number,
        metavar="N",
        help="refuse images of more million pixels, and animations of 10 times as many in all "
        "frames: small files may hold them (default: %(default)s)",
    )


def add_message_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say what is printed."""
    group.add_argument("--quiet", "-q", action="store_true", help="print only errors and warnings")
    group.add_argument(
        "--verbose", "-v", action="store_true", help="print how long each stage took"
    )
    group.add_argument("--json", action="store_true", help="print a machine-readable summary")
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


def _plugin_list(package: str, *others: str) -> str:
    """Return "one, two or three (default: x)" for the plug-ins of a package and other values."""
    known = [*plugins.names(f"tracker_blur.{package}"), *others]
    return f"{', '.join(known[:-1])} or {known[-1]} (default: %(default)s)"
