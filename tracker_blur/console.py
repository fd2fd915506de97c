"""What a terminal shows: notes, warnings, progress bars, results."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tracker_blur.pipeline import Progress, Report


class Console:
    """Prints notes to standard error and results to standard output.

    quiet   only errors and results
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def note(self, text: str) -> None:
        """Say something that helps but need not be known."""
        if not self._quiet:
            self._print(f"trackblur: {text}")

    def warn(self, text: str) -> None:
        """Say something that the user should know even when quiet."""
        self._print(f"trackblur: warning: {text}")

    def error(self, text: str) -> None:
        """Say, in one line, what failed."""
        self._print(f"trackblur: error: {' '.join(text.split())}")

    def result(self, value: dict[str, Any]) -> None:
        """Print a machine-readable result."""
        json.dump(value, sys.stdout, indent=2)
        sys.stdout.write("\n")

    @contextmanager
    def progress(self, name: str) -> Iterator[Progress | None]:
        """Show a progress bar, on a terminal only, fed by the yielded function."""
        from tqdm import tqdm  # not needed by --help

        # disable=None: no bar where standard error is not a terminal
        with tqdm(
            desc=name, unit=" frames", leave=False, disable=True if self._quiet else None
        ) as bar:

            def show(report: Report) -> None:
                bar.total = report.expected_frames
                bar.set_postfix_str(f"{report.tracks} faces", refresh=False)
                bar.update()

            yield show

    def _print(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
