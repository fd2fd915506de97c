"""`trackblur serve`: the service that other programs call over HTTP."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.app import left_over
from tracker_blur.cli.console import EXIT_DONE, Console, silence_libraries
from tracker_blur.cli.detection_options import add_detector_option, add_models_option
from tracker_blur.cli.option_values import number_between, whole_number, whole_number_from
from tracker_blur.cli.parser import complete_files
from tracker_blur.cli.serve_jobs import add_job_options, job_settings
from tracker_blur.cli.worker_count import core_count

if TYPE_CHECKING:
    import argparse

    from tracker_blur.cli.parser import Parser
    from tracker_blur.service.settings import ServiceSettings

_LARGE_BODIES = 4  # how many of the longest ones may wait
_HOST, _PORT = "127.0.0.1", 9001  # where clients of Roboflow's server look for one


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "serve",
        help="answer other programs over HTTP: detect, redact",
        description="Answer other programs over HTTP: POST /v1/predict gives what is detected in "
        "an image, POST /v1/redact the image with it hidden. /docs lists everything. Ctrl-C or "
        "SIGTERM ends it: running requests end, new ones are refused.",
        epilog="Exit codes: 0 ended, 1 it cannot listen or load its detector, 2 wrong usage.",
        examples=(
            "trackblur serve",
            "trackblur serve --host 0.0.0.0 --token-file token.txt",
            "trackblur serve --detector yunet --queue 8",
        ),
    )
    group = parser.add_argument_group("server")
    group.add_argument(
        "--port",
        type=whole_number,
        default=_PORT,
        metavar="N",
        help="port to listen on; 0: any free one (default: %(default)s)",
    )
    group.add_argument(
        "--host",
        default=_HOST,
        metavar="ADDRESS",
        help="address to listen on, such as 0.0.0.0 for other machines; then a token is needed, "
        "and nothing is encrypted on the way (default: %(default)s)",
    )
    file = group.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="a text file, readable for you alone, whose first line clients send as "
        "'Authorization: Bearer TOKEN' (default: none on 127.0.0.1; elsewhere one is made, and "
        "where it lies is printed)",
    )
    complete_files(file)
    detection = parser.add_argument_group("detection, for requests that say nothing else")
    add_detector_option(detection)
    add_models_option(detection)
    _add_limits(parser.add_argument_group("limits"))
    add_job_options(parser)
    return parser


def _add_limits(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max-megapixels",
        type=number_between(1, 1e6),
        metavar="N",
        help="refuse images with more million pixels, also those that are sent for jobs (default: "
        "50)",
    )
    group.add_argument(
        "--max-megabytes",
        type=whole_number_from(1),
        metavar="N",
        help="refuse images of more megabytes (default: 64)",
    )
    group.add_argument(
        "--queue",
        type=whole_number_from(0),
        metavar="N",
        help="how many requests wait for their turn; further ones get 503 (default: 64)",
    )
    group.add_argument(
        "--at-once",
        type=whole_number_from(1),
        metavar="N",
        help="images that are worked on at the same time (default: one a core)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Serve until a signal ends it."""
    from tracker_blur.service.server import ServiceServer

    silence_libraries()
    settings = _settings(options, console)
    with ServiceServer(settings, console.warn) as server:
        console.announce(f"serves {server.url}docs; Ctrl-C ends it")
        if server.page_url is not None:
            # The token itself would end up in logs.
            console.announce(
                f"the page of {options.root} is {server.url}?token=TOKEN, with your token"
            )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            jobs = server.service.jobs.queue.unfinished()
            console.note(f"ends when running requests have{left_over(jobs, 'service')}")
    return EXIT_DONE


def _settings(options: argparse.Namespace, console: Console) -> ServiceSettings:
    from tracker_blur.cli.token_files import generated_token, read_token
    from tracker_blur.service.settings import ServiceLimits, ServiceSettings
    from tracker_blur.serving.authorization import is_loopback

    given = {
        "megapixels": options.max_megapixels,
        "image_bytes": options.max_megabytes and options.max_megabytes << 20,
        "queue": options.queue,
        "at_once": options.at_once or core_count(),
    }
    limits = replace(
        ServiceLimits(), **{name: value for name, value in given.items() if value is not None}
    )
    most = max(limits.waiting_bytes, _LARGE_BODIES * limits.body_bytes)
    limits = replace(limits, waiting_bytes=most)
    token = None
    if options.token_file is not None:
        token = read_token(options.token_file, is_private=True)
    elif not is_loopback(options.host):
        path, token = generated_token()
        console.announce(f"the token is in {path}")
    return ServiceSettings(
        host=options.host,
        port=options.port,
        token=token,
        detector=options.detector,
        models_folder=options.models_folder,
        limits=limits,
        jobs=job_settings(options),
    )
