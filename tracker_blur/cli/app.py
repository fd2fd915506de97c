"""`trackblur app`: the page for those who never open a terminal."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, Console, silence_libraries
from tracker_blur.cli.detection_options import add_models_option
from tracker_blur.cli.option_values import whole_number
from tracker_blur.cli.parser import complete_files
from tracker_blur.cli.worker_count import core_count
from tracker_blur.errors import SettingsError
from tracker_blur.text import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from tracker_blur.cli.parser import Parser
    from tracker_blur.web.job import JobState
    from tracker_blur.web.site import Site

_HOST = "127.0.0.1"
_LAST_PORT = 65_535
_CORES_OF_A_JOB = 2  # one detects while the other writes


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "app",
        help="open a page in the browser: jobs and reviews",
        description="Open a page in the browser: choose files, hide what they show, review and "
        "correct the result. It works on this machine only, and loads nothing from elsewhere. "
        "Ctrl-C ends it; running jobs continue, and the next page of the folder shows them.",
        examples=(
            "trackblur app                                # the current folder",
            "trackblur app videos/",
            "trackblur app videos/ --no-browser --port 8700",
        ),
    )
    folder = parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="the folder that the page may read and write (default: the current one)",
    )
    complete_files(folder)
    add_page_options(parser)
    return parser


def add_page_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that serve a page."""
    group = parser.add_argument_group("page")
    group.add_argument(
        "--no-browser", action="store_true", help="do not open a browser: print the address only"
    )
    group.add_argument(
        "--port",
        type=whole_number,
        default=0,
        metavar="N",
        help="port to listen on (default: any free one)",
    )
    add_models_option(group)
    group.add_argument(
        "--host",
        default=_HOST,
        metavar="ADDRESS",
        help="address to listen on, such as 0.0.0.0 for other machines: whoever has the printed "
        "address with its token sees all files of the folder, and nothing is encrypted on the way "
        "(default: %(default)s)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Serve the page until it is interrupted."""
    with site_of(options, options.folder, console) as site:
        return serve(site, options, console)


def site_of(
    options: argparse.Namespace, folder: Path, console: Console, own_state_of: Path | None = None
) -> Site:
    """Return the site of a folder.

    Args:
        options: The parsed options of the page.
        folder: What it shows.
        console: Prints which requests fail.
        own_state_of: A file in it whose page keeps its own state.

    Raises:
        SettingsError: There is no such folder, no such folder of weights, or no such port.
        SourceError: The folder cannot be read.
        SinkError: It cannot be served.
    """
    from tracker_blur.files.paths import check_is_folder
    from tracker_blur.weights.store import Weights

    check_is_folder(folder)
    if not 0 <= options.port <= _LAST_PORT:
        raise SettingsError(f"--port {options.port}: is not a port: choose one up to {_LAST_PORT}")
    Weights(options.models_folder)  # is it there?
    from tracker_blur.web.queue_settings import QueueSettings
    from tracker_blur.web.site import Site

    silence_libraries()
    at_once = max(1, core_count() // _CORES_OF_A_JOB)
    queue = QueueSettings(at_once=at_once, models_folder=options.models_folder)
    address = options.host, options.port
    return Site(folder, address, console.warn, queue=queue, own_state_of=own_state_of)


def serve(site: Site, options: argparse.Namespace, console: Console, path: str = "") -> int:
    """Print the address of a page, open it in the browser, and wait for an interrupt.

    Args:
        site: Which is served.
        options: The parsed options of the page.
        console: Prints the address.
        path: Of the page.
    """
    url = site.url(path)
    console.announce(f"open {url} in a browser; Ctrl-C ends it")
    if paused := site.services.jobs.unfinished()["paused"]:
        console.note(
            f"paused since an earlier page: {counted(paused, 'job')}: resume or cancel on the page"
        )
    if not options.no_browser:
        import webbrowser

        if not webbrowser.open(url):
            console.note("no browser can be opened here: open the address in one")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.note(f"the page has ended{left_over(site.services.jobs.unfinished(), 'page')}")
    return EXIT_DONE


def left_over(counts: Mapping[JobState, int], server: str) -> str:
    """Return the rest of the message that a server has ended.

    Args:
        counts: How many jobs are not over, by their state.
        server: What has ended: "page" or "service".
    """
    states: tuple[JobState, ...] = ("running", "paused", "waiting")
    listed = ", ".join(f"{counts[state]} {state}" for state in states if counts.get(state))
    if not listed:
        return ""
    return f", not all jobs ({listed}): running ones continue, the rest waits for the next {server}"
