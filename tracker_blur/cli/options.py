"""What options stand for, and those about files and messages, which most commands share."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tracker_blur.cli.option_values import number
from tracker_blur.cli.parser import OptionalFile, PrintCompletion
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.settings import Settings
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


def option(
    group: argparse._ActionsContainer, flag: str, setting: str, *others: str, **details: Any
) -> None:
    """Add an option whose default is that of its setting; `others` are more names for it."""
    group.add_argument(flag, *others, dest=setting, default=DEFAULTS[setting], **details)


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
