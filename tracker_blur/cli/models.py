"""`trackblur models`: what weight files are known, found and missing; fetches them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tracker_blur.cli.console import Console, guarded, say
from tracker_blur.weights.catalog import MODELS, OWN


def run_models(words: Sequence[str]) -> int:
    """Run the sub-command with these arguments; return the exit code."""
    options = _parser().parse_args(words)
    return guarded(Console(quiet=False), lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    if options.action == "pull":
        _pull(options.names)
    else:
        _list(options.face)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trackblur models",
        description="List the weight files of detectors and trackers, or fetch them.",
    )
    actions = parser.add_subparsers(dest="action", metavar="{list,pull}")
    parser.add_argument("--face", type=Path, metavar="DIR", help="list: a folder to look in first")
    actions.add_parser("list", help="what is known, found and missing (the default)")
    pull = actions.add_parser(
        "pull",
        help="download from the official address, check the hash, show the licence",
        description="Download weights into your cache folder. Only this touches the network.",
    )
    pull.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        choices=[model.name for model in MODELS],
        help=", ".join(model.name for model in MODELS),
    )
    return parser


def _list(folder: Path | None) -> None:
    from tracker_blur.weights.store import Weights, listing

    weights = Weights(folder)
    for row in listing(weights):
        where = f"  {row.path}" if row.path else ""
        say(f"{row.model.name:12} {row.state:8} {row.file.name}{where}")
    say("\nname         licence       what")
    for model in (*MODELS, OWN):
        say(f"{model.name:12} {model.license_name:13} {model.summary}")
    say("\nlooked in: " + ", ".join(map(str, weights.folders)))


def _pull(names: Sequence[str]) -> None:
    from tracker_blur.weights.download import pull

    for name in names:
        model = next(model for model in MODELS if model.name == name)
        say(f"{name}: {model.summary}; licence: {model.license_name}, {model.license_url}")
        for path in pull(name):
            say(f"{name}: {path}")
