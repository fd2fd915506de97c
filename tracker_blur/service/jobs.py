"""The jobs of the service: those of the page for the same folder, and those of uploads."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SinkError
from tracker_blur.files.companions import tracks_path
from tracker_blur.files.paths import is_file, is_folder, is_image
from tracker_blur.service.fetching import Fetcher
from tracker_blur.service.job_upkeep import JobUpkeep
from tracker_blur.service.problems import Problem, unavailable
from tracker_blur.service.stored_uploads import stored_bytes
from tracker_blur.service.transfers import Transfers
from tracker_blur.web.job_commands import PEOPLE, tracks_of
from tracker_blur.web.job_plans import JobPlans
from tracker_blur.web.job_store import own_files
from tracker_blur.web.made_files import made_files
from tracker_blur.web.queue_settings import QueueSettings
from tracker_blur.web.services import Services
from tracker_blur.web.state import State, make_private_folder, state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from tracker_blur.service.job_settings import JobSettings
    from tracker_blur.web.job import Action, Job, NewJob
    from tracker_blur.web.job_commands import Choice, Decisions

_NO_ROOT, _ARRIVING = "root", "arriving"
_END_SECONDS = 20.0  # longer than a process has before it is killed


class Jobs:
    """The jobs of the service.

    Args:
        settings: The settings of jobs.
        port: Its port: without a folder, each port has jobs of its own.
        report: Called with a line when something fails that no request waits for.
        models_folder: A folder with weight files that jobs search first.

    Attributes:
        services: The parts behind the page of the folder; without a folder, of an empty one.
        queue: What is run.
        transfers: Takes files in.
        fetcher: Fetches from URLs.

    Raises:
        SinkError: Another service or page has these jobs, or they cannot be kept.
    """

    def __init__(
        self,
        settings: JobSettings,
        port: int,
        report: Callable[[str], None],
        models_folder: Path | None = None,
    ) -> None:
        self._is_closed = False
        self._settings = settings
        self._limits = settings.limits
        self._state = _state_of(settings.root, port)
        if not self._state.acquire():
            opened = str(self._state.read("address", "another address"))
            raise SinkError(
                f"{settings.root or self._state.folder}: another trackblur serves these jobs at "
                f"{opened.partition('?')[0]}: use that one, or end it first"  # not its token
            )
        try:
            root = settings.root
            if root is None:
                root = self._state.folder / _NO_ROOT
                make_private_folder(root)
            queue = QueueSettings(
                at_once=self._limits.at_once,
                unfinished=self._limits.unfinished,
                kept=self._limits.kept,
                models_folder=models_folder,
            )
            self.services = Services(root, self._state, queue, report)
            self.queue = self.services.jobs
            self.fetcher = Fetcher(settings.allowed_hosts, self._limits.fetch_seconds)
            self.transfers = Transfers(
                self._state.folder / _ARRIVING, self._limits, self.fetcher, self._stored_bytes
            )
        except BaseException:
            self._state.release()
            raise
        self._upkeep = JobUpkeep(self.queue, settings, report)

    def start(self, address: str) -> None:
        """Begin to run jobs.

        Args:
            address: Where they are served: shown to others who open the same folder.
        """
        self._state.write("address", address)
        self.services.start()
        self._upkeep.start()

    def close(self) -> None:
        """Stop everything but the processes of jobs, which the next service finds again."""
        self._is_closed = True
        self.fetcher.close()
        self._upkeep.close()
        self.services.close()
        self._state.release()

    def check_room(self) -> None:
        """Check that a further job is taken.

        Raises:
            Problem: The service stops.
            HTTPException: There are too many jobs.
        """
        if self._is_closed:
            raise unavailable("the service stops: try again later", 10)
        self.queue.check_room()

    def add_upload(self, action: Action, file: Path, choice: Choice) -> Job:
        """Add a job for a file that has arrived, which it takes.

        Raises:
            Problem: The service stops, or the choice names what is not there.
            HTTPException: This cannot be done with such a file, or there are too many jobs.
            ChoiceError: The choice makes no sense.
        """
        if self._settings.root is None:
            self._refuse_people(choice)

        def make(folder: Path) -> NewJob:
            self.check_room()
            own = own_files(folder)
            make_private_folder(own)
            path = file.replace(own / file.name)
            new = JobPlans(self.services.folder, ()).upload(action, path, choice)
            if not is_image(path):
                return new
            limit = f"--max-megapixels={self._limits.megapixels}"
            return replace(new, arguments=(*new.arguments, limit))

        return self.queue.add_with_files(make)

    def add_path(
        self, action: Action, path: str, choice: Choice, decisions: Decisions | None
    ) -> Job:
        """Add a job for a file or a folder, named as on the page.

        Args:
            action: What to do.
            path: The file.
            choice: How.
            decisions: What happens to decisions made in its review; None: there are none.

        Raises:
            Problem: There is no folder, or the service stops.
            HTTPException: There is no such file, this cannot be done with it, or there are too many
                jobs.
            ChoiceError: The choice makes no sense.
        """
        if self._settings.root is None:
            raise Problem(
                HTTPStatus.FORBIDDEN, "path: this service has no folder: send the file itself"
            )
        self.check_room()
        (job,) = self.services.add_jobs(action, [path], choice, decisions)
        return job

    def delete(self, job_id: str) -> None:
        """End a job, and delete it with its upload; waits until its process has ended.

        Raises:
            HTTPException: There is no such job, or it has not ended yet.
        """
        self.queue.delete(job_id, _END_SECONDS)

    def output_of(self, job: Job) -> Path:
        """Return the file or the folder that a job has written; raises Problem if there is none."""
        path = self.queue.output_of(job)
        if path is None:
            raise Problem(HTTPStatus.NOT_FOUND, "this job writes no file: its result says it all")
        return self._written(job, path)

    def files_of(self, job: Job) -> list[tuple[Path, str]]:
        """Return what a job for a folder has written; raises Problem if nothing of it is left.

        Returns:
            Each file, with its path in the service's folder.
        """
        made = made_files(job, self.queue.outputs, self.services.folder)
        if not made:
            raise _gone()
        return made

    def tracks_of(self, job: Job) -> Path:
        """Return the track file that a job has written; raises Problem if there is none."""
        path = self._tracks_path(job)
        if path is None:
            raise Problem(HTTPStatus.NOT_FOUND, "this job writes no track file")
        return self._written(job, path)

    def open(self, job: Job, path: Path) -> BinaryIO:
        """Open a file that a job has written; raises Problem if it is another one by now."""
        is_own = self.queue.folder_of(job.id) in path.parents
        file = path.open("rb") if is_own else self.queue.outputs.open(path)
        if file is None:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                "what this job wrote was changed or replaced since: run it again",
            )
        return file

    def _tracks_path(self, job: Job) -> Path | None:
        """Return where a job writes tracks, or has them from."""
        if job.new.action == "track":
            return self.queue.output_of(job)
        if job.new.action == "verify":
            return None
        if job.new.is_upload:
            source = own_files(self.queue.folder_of(job.id)) / job.new.file
            return None if is_image(source) else tracks_path(source)
        named = tracks_of(job.new.arguments)
        return None if named is None else Path(named)

    def _written(self, job: Job, path: Path) -> Path:
        if job.state != "done":
            raise Problem(
                HTTPStatus.CONFLICT, f"this job is {job.state}: there is a result once it is done"
            )
        own = self.queue.folder_of(job.id)
        if own not in path.parents and not self.services.folder.holds(path):
            raise Problem(HTTPStatus.NOT_FOUND, "what this job wrote leads out of the folder")
        if not (is_file(path) or is_folder(path)):
            raise _gone()
        return path

    def _stored_bytes(self) -> int:
        return stored_bytes(self.queue)

    def _refuse_people(self, choice: Choice) -> None:
        if any(choice.options.get(name) is not None for name in PEOPLE):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "options: this service has no folder with photos of people",
            )


def _gone() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "what this job wrote is no longer there")


def _state_of(root: Path | None, port: int) -> State:
    """Return what is kept for a folder, as the page of the folder does, or for no folder."""
    if root is not None:
        return State.of(root)
    folder = state_folder() / f"service-{port}"
    make_private_folder(folder)
    return State(folder)
