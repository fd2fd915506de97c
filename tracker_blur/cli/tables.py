"""Tables in Markdown, as the commands that measure print them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.cli.standard_output import print_line

if TYPE_CHECKING:
    from collections.abc import Sequence


def print_header(cells: Sequence[str]) -> None:
    """Print the first two lines of a table."""
    print_row(cells)
    print_row(["---"] * len(cells))


def print_row(cells: Sequence[str]) -> None:
    """Print a line of a table."""
    print_line(f"| {' | '.join(cells)} |")


def share_text(share: float) -> str:
    """Return a share with three decimals, "-" for nan."""
    return "-" if share != share else f"{share:.3f}"
