"""What `argparse` lacks: a hint for files named as options are, completion scripts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from tracker_blur.errors import MissingPackageError


class Parser(argparse.ArgumentParser):
    """A parser whose errors say how to name a file that begins as options do."""

    def __init__(self, **words: Any) -> None:
        super().__init__(
            formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28), **words
        )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as ever, and remember which options may be meant as files."""
        words = sys.argv[1:] if args is None else args
        self._taken = [word for word in words if word.startswith("-") and Path(word).exists()]
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Exit with the message and the hints."""
        hints = "".join(f"; to name the file {word}, write ./{word}" for word in self._taken)
        super().error(message + hints)


class PrintCompletion(argparse.Action):
    """Prints a completion script for the shell named, and exits."""

    def __call__(self, parser: argparse.ArgumentParser, *values: Any) -> NoReturn:
        """Print the script; what it needs may be missing."""
        try:
            import shtab
        except ImportError:
            parser.error(str(MissingPackageError("shtab", "completion", "--print-completion")))
        sys.stdout.write(shtab.complete(parser, values[1]))
        sys.exit(0)
