"""What `redact` does where inputs or outputs are in buckets; see `buckets/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tracker_blur.files.jobs import Plan

_LOCAL_ONLY = ("compare", "show", "verify_report")
_ONE_MACHINE = "local"  # the Ray cluster that is started here


def plan_with_buckets(
    inputs: Sequence[str], output: str | None, options: argparse.Namespace
) -> Plan:
    """Return the jobs for these inputs; the folder for what is fetched is made.

    Raises:
        TrackerBlurError: They cannot be planned, or an option needs files of this machine.
    """
    import platformdirs

    from tracker_blur.buckets.plan import plan
    from tracker_blur.buckets.staging import opened_staging

    for name in _LOCAL_ONLY:
        if getattr(options, name):
            flag = f"--{name.replace('_', '-')}"
            raise SettingsError(
                f"{flag} is for files of this machine, not for buckets: leave it out"
            )
    if options.staging is None and options.ray not in (None, _ONE_MACHINE):
        raise SettingsError(
            "with --ray, what is fetched from buckets must be seen by all machines: name a folder "
            "that they share with --staging"
        )
    parent = options.staging or platformdirs.user_cache_path("trackblur", appauthor=False)
    staging = opened_staging(parent.absolute())
    return plan(inputs, output, staging, overwrite=options.overwrite)
