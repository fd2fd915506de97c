"""The options of `trackblur serve` about jobs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli.option_values import number, whole_number_from
from tracker_blur.cli.parser import complete_files
from tracker_blur.cli.worker_count import core_count

if TYPE_CHECKING:
    import argparse

    from tracker_blur.service.job_settings import JobSettings

_CORES_OF_A_JOB = 2  # one detects while the other writes
_HOUR_SECONDS = 3600


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("jobs")
    root = group.add_argument(
        "--root",
        type=Path,
        metavar="FOLDER",
        help="a folder whose files jobs may name; results lie next to them. With a token, its page "
        "(as 'trackblur app' has it) is served, too (default: none; clients send files)",
    )
    complete_files(root)
    group.add_argument(
        "--allow-url",
        action="append",
        default=[],
        metavar="HOST",
        help="a host, or HOST:PORT, whose files may be named by their URL; its name must lead to "
        "public addresses. Several times for several (default: none)",
    )
    group.add_argument(
        "--keep-hours",
        type=number,
        metavar="N",
        help="delete uploads and what was made of them so long after their job (default: 24)",
    )
    group.add_argument(
        "--max-upload",
        type=whole_number_from(1),
        metavar="MEGABYTES",
        help="refuse larger files for jobs (default: 10240)",
    )
    group.add_argument(
        "--max-stored",
        type=whole_number_from(1),
        metavar="MEGABYTES",
        help="how much uploads and what is made of them may take together (default: 51200)",
    )
    group.add_argument(
        "--max-jobs",
        type=whole_number_from(1),
        metavar="N",
        help="how many jobs may run and wait; further ones get 429 (default: 100)",
    )
    group.add_argument(
        "--max-job-hours",
        type=whole_number_from(1),
        metavar="N",
        help="end jobs that run for longer (default: 24)",
    )


def job_settings(options: argparse.Namespace) -> JobSettings:
    """Return what the options say; raises SettingsError, or SourceError for a closed folder."""
    from tracker_blur.files.paths import check_is_folder
    from tracker_blur.service.addresses import AllowedHost
    from tracker_blur.service.job_settings import JobLimits, JobSettings

    if options.root is not None:
        check_is_folder(options.root)
    given = {
        "upload_bytes": options.max_upload and options.max_upload << 20,
        "megapixels": options.max_megapixels,
        "stored_bytes": options.max_stored and options.max_stored << 20,
        "unfinished": options.max_jobs,
        "job_seconds": options.max_job_hours and options.max_job_hours * _HOUR_SECONDS,
        "at_once": max(1, core_count() // _CORES_OF_A_JOB),
    }
    settings = JobSettings(
        root=options.root,
        allowed_hosts=tuple(map(AllowedHost.parse, options.allow_url)),
        limits=replace(
            JobLimits(), **{name: value for name, value in given.items() if value is not None}
        ),
    )
    if options.keep_hours is None:
        return settings
    return replace(settings, keep_hours=options.keep_hours)
