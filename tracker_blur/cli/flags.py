"""Names settings as the command line does: `delay_seconds` is --delay."""

from __future__ import annotations

import re

from tracker_blur.cli.arguments import parser
from tracker_blur.cli.live_arguments import live_parser


def in_flags(message: str) -> str:
    """Return a message that names `settings` with the flags that set them instead."""
    flags = {
        action.dest: action.option_strings[0]
        for words in (live_parser(), parser())
        for action in words._actions  # argparse has no other list of them
        if action.option_strings
    }
    return re.sub(r"`(\w+)`", lambda name: flags.get(name[1], name[0]), message)
