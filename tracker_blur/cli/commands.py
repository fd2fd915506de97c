"""The commands: builds their parsers, runs one, chooses the exit code."""

from __future__ import annotations

import errno
import glob
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli import (
    app,
    detect,
    detectors,
    evaluate,
    live,
    models,
    redact,
    render,
    report,
    review,
    serve,
    track,
    tracks,
    train,
    verify,
)
from tracker_blur.cli.console import EXIT_FAILED, EXIT_USAGE, Console
from tracker_blur.cli.parser import Parser, flags_of
from tracker_blur.errors import SettingsError, SourceError, TrackerBlurError, reason_of
from tracker_blur.files.paths import exists, is_stream
from tracker_blur.text import escaped

if TYPE_CHECKING:
    import argparse

    from tracker_blur.cli.progress_file import ProgressFile

_COMMANDS = (
    *(redact, live, track, tracks, render, verify, report),
    *(app, review, serve, detect, detectors, models, train, evaluate),
)
"""These modules import OpenCV only when they run: no help should wait for it."""

_WITH_FILE = ("app", "review", "live", "track", "tracks", "render", "verify", "report", "detect")
"""Commands whose next argument is mostly a file, as it is where the command is meant as one."""


_WORDS = ("help", "version")  # commands of many programs; options of this one
_ALIKE = 0.8  # of a word and a command, from 0 to 1, from where on it may be meant


def build_parser() -> tuple[Parser, dict[str, Parser]]:
    """Return the parser of the whole command line, and each command's parser by its name.

    The first parser is for help and completion. It shows the options of `redact`, which is the
    command where none is named.
    """
    root = Parser(
        prog="trackblur",
        usage=f"{redact.USAGE}\n       %(prog)s COMMAND ...",
        description=redact.DESCRIPTION,
        epilog=redact.EPILOG,
        formatter_class=redact.FORMATTER,
        examples=redact.EXAMPLES,
    )
    commands = root.add_subparsers(
        title="commands",
        description="Without a command, 'redact' is run; its options are listed below.\n"
        "'trackblur COMMAND --help' lists those of another command.",
        metavar="COMMAND",
        prog="trackblur",
    )
    for module in _COMMANDS:
        parser = module.add_parser(commands)
        parser.root = root
        parser.set_defaults(run=module.run)
    redact.add_options(root)
    parsers: dict[str, Parser] = dict(commands.choices)
    for parser in parsers.values():
        parser.commands = parsers
    return root, parsers


def run_command(arguments: list[str]) -> int:
    """Run trackblur with these arguments and return the exit code."""
    root, parsers = build_parser()
    if arguments[:1] in (["-h"], ["--help"]):
        root.print_help()
        return 0
    if _is_ambiguous(arguments):
        kind = "folder" if Path("redact").is_dir() else "file"
        Console().error(
            f"redact is a command and a {kind} here: write ./redact, or redact redact; to redact "
            "something else, leave out the command"
        )
        return EXIT_USAGE
    is_command = bool(arguments) and arguments[0] in parsers
    parser = parsers[arguments[0] if is_command else "redact"]
    parser.command_hint = _meant(arguments)
    options = parser.parse_args(arguments[is_command:])
    quiet, flags = getattr(options, "quiet", False), flags_of(parser)
    try:
        progress_file = _progress_file(options)
    except TrackerBlurError as error:
        Console(quiet, flags).error(error)
        return EXIT_FAILED
    code = _run(options, arguments, Console(quiet, flags, progress_file))
    if progress_file is not None:
        progress_file.end(code)
    return code


def _run(options: argparse.Namespace, arguments: list[str], console: Console) -> int:
    try:
        code: int = options.run(options, console)
    except TrackerBlurError as error:
        text, meant = console.text(error), _meant(arguments)
        console.error(f"{text}{_hint(arguments)}{meant}")
        is_mistyped = (
            meant != ""
            and isinstance(error, SourceError)
            and text.startswith(f"{escaped(arguments[0])}:")
        )
        is_usage = is_mistyped or isinstance(error, SettingsError)
        return EXIT_USAGE if is_usage else EXIT_FAILED
    except BrokenPipeError:
        raise
    except OSError as error:
        console.error(_refusal(error))
        return EXIT_FAILED
    return code


def _progress_file(options: argparse.Namespace) -> ProgressFile | None:
    """Return the file for programs that watch, if there is to be one; raises SinkError."""
    path = getattr(options, "progress_file", None)
    if path is None:
        return None
    from tracker_blur.cli.progress_file import ProgressFile

    return ProgressFile(path)


def _refusal(error: OSError) -> str:
    """Return what the system refused, where no check has said it before."""
    if error.errno == errno.ENAMETOOLONG:
        return f"{error.filename}: the name is too long: choose a shorter one"
    if error.filename is None:
        return f"the system refused to continue ({reason_of(error)}): try again"
    return f"{error.filename}: cannot be used ({reason_of(error)}): check its name and permissions"


def _is_ambiguous(arguments: list[str]) -> bool:
    """Return whether `redact`, a newer command, may be meant as a file or folder of that name."""
    return (
        arguments[:1] == ["redact"]
        and arguments[1:2] != ["redact"]
        and not {"-h", "--help"} & set(arguments)
        and Path("redact").exists()
    )


def _hint(arguments: list[str]) -> str:
    """Return how to redact a file that is named like the command, where that may be meant."""
    name = arguments[0] if arguments else ""
    is_meant = name in _WITH_FILE and len(arguments) > 1 and not exists(Path(arguments[1]))
    return f"; to redact {name}, write ./{name}" if is_meant and Path(name).exists() else ""


def _meant(arguments: list[str]) -> str:
    """Return what to do about a first argument that may be a mistyped command.

    It may be one if it is a bare word, as commands are, and no file or folder.
    """
    names = [module.__name__.rpartition(".")[2] for module in _COMMANDS]
    name = arguments[0] if arguments else ""
    is_word = bool(name) and not (
        name.startswith("-") or Path(name).name != name or Path(name).suffix
    )
    if name in names or not is_word or glob.has_magic(name) or is_stream(name):
        return ""
    if exists(Path(name)):
        return ""
    if name in _WORDS:
        return f"; did you mean 'trackblur --{name}'?"
    close = get_close_matches(name, names, 1, cutoff=_ALIKE)
    if close:
        return f"; did you mean 'trackblur {close[0]}'?"
    return f"; no command is called {name}: 'trackblur --help' lists them"
