"""Redacts files on the machines of a Ray cluster, several at once."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from tracker_blur.buckets.staging import StagedJob
from tracker_blur.cli.console import silence_libraries
from tracker_blur.cli.one_by_one import OneByOne
from tracker_blur.cli.worker import RecordingConsole, Task
from tracker_blur.cluster.parameters import ClusterParameters
from tracker_blur.cluster.ray import RayExecutor
from tracker_blur.cluster.redact import PieceRedactor
from tracker_blur.cluster.sharing import SharedExecutor
from tracker_blur.cluster.whole import WholeRedactor

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from tracker_blur.cli.console import Console
    from tracker_blur.cli.outcome import Outcome
    from tracker_blur.files.jobs import Job
    from tracker_blur.settings import Settings

_FILES_AT_ONCE = 32  # each has a thread here, which waits most of the time
_STAGED_AT_ONCE = 8  # each of these needs space for its input, its pieces and its output
_POLL_SECONDS = 0.5


class RayFiles(OneByOne):
    """Redacts files, the largest first: long videos in pieces, others each on one machine.

    Args:
        address: Of the cluster.
        settings: Those of the run.
        options: The parsed options of `redact`.
        console: Prints what happens.

    Raises:
        TrackerBlurError: A detector cannot be loaded.
    """

    def __init__(
        self, address: str, settings: Settings, options: argparse.Namespace, console: Console
    ) -> None:
        super().__init__(settings, options, console)
        self._address, self._settings = address, settings
        self._shares: dict[Job, float] = {}
        self._lock = threading.Lock()

    def redact(self, jobs: Sequence[Job], add: Callable[[Outcome], None]) -> None:
        """Redact these files, and call `add` with the outcome of each, in their order."""
        absolute = [
            replace(job, source=job.source.absolute(), target=job.target.absolute()) for job in jobs
        ]
        order = sorted(range(len(jobs)), key=lambda index: -absolute[index].size_bytes)
        at_once = _STAGED_AT_ONCE if _any_staged(jobs) else _FILES_AT_ONCE
        outcomes: dict[int, Outcome] = {}
        added = 0
        with (
            RayExecutor(self._address, self._settings, silence_libraries) as executor,
            SharedExecutor(executor) as shared,
            ThreadPoolExecutor(at_once, "file") as pool,
            self._console.files_progress(len(jobs)) as show,
        ):
            futures: dict[Future[Outcome], int] = {
                pool.submit(self._redact_one, absolute[index], shared): index for index in order
            }
            try:
                while futures:
                    done, _ = wait(futures, _POLL_SECONDS, FIRST_COMPLETED)
                    for future in done:
                        outcomes[futures.pop(future)] = future.result()
                    while added in outcomes:
                        add(outcomes.pop(added))
                        added += 1
                    show(len(jobs) - len(futures), sum(self._shares.values()))
            except BaseException as error:
                for future in futures:
                    future.cancel()
                shared.end(error if isinstance(error, Exception) else KeyboardInterrupt())
                raise

    def _redact_one(self, job: Job, shared: SharedExecutor) -> Outcome:
        """Redact a file in a thread of its own, and return the outcome."""

        def advance(share: float) -> None:
            with self._lock:
                self._shares[job] = share

        console = RecordingConsole(
            Task(self._settings, self._options, self._console.flags, "", 1), advance
        )
        file = OneByOne(self._settings, self._options, console, self.engine)
        parameters = ClusterParameters()
        whole = WholeRedactor(shared.lane, parameters.attempts)
        pieces = PieceRedactor(
            self.engine, self._settings, shared.lane, console.note, parameters, whole.redact_file
        )
        file.redact_file = pieces.redact_file
        outcome = file.redact_one(job, job.source.name)
        outcome.messages = console.take()
        with self._lock:
            self._shares.pop(job, None)
        return outcome


def _any_staged(jobs: Sequence[Job]) -> bool:
    return any(isinstance(job, StagedJob) for job in jobs)
