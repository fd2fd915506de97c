"""Plans jobs for files of the folder: what each reads and writes."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from tracker_blur.files.companions import tracks_path
from tracker_blur.files.paths import (
    default_output,
    default_output_folder,
    is_file,
    is_folder,
    is_image,
    is_media,
    original_of,
    why_not_read,
)
from tracker_blur.web.job import NewJob
from tracker_blur.web.job_commands import (
    OVERWRITE,
    PEOPLE,
    Choice,
    ChoiceError,
    redact_arguments,
    track_arguments,
    verify_arguments,
)
from tracker_blur.web.reviews import review_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tracker_blur.web.folder import Folder
    from tracker_blur.web.job import Action, Job


class JobPlans:
    """Plans jobs.

    Args:
        folder: That of the page.
        promised: Outputs of other jobs that are not written yet, as the page names them.
    """

    def __init__(self, folder: Folder, promised: Iterable[str]) -> None:
        self._folder = folder
        self._taken = {folder.root / path for path in promised}

    def plan(self, action: Action, file: str, choice: Choice, made: Iterable[Job] = ()) -> NewJob:
        """Return the job for one file.

        Args:
            action: What to do.
            file: The file, as the page names it.
            choice: How.
            made: Earlier jobs, which may have made the file.

        Raises:
            HTTPException: There is no such file, or this cannot be done with it.
            ChoiceError: The choice makes no sense for it.
        """
        path = self._folder.resolve(file)
        if action == "render":
            raise HTTPException(HTTPStatus.BAD_REQUEST, "a video is rendered from its review")
        if not (is_folder(path) or (is_file(path) and is_media(path))):
            reason = why_not_read(path) or "no video and no image"
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{file}: is {reason}")
        if (link := self._folder.link_out(path)) is not None:
            name = link.relative_to(self._folder.root).as_posix()
            raise HTTPException(
                HTTPStatus.BAD_REQUEST, f"{name}: leads out of this folder: delete that link"
            )
        if action == "redact":
            return self.redact(path, self._output(path, choice), choice)
        if action == "track":
            return self.track(path, choice)
        return self._verify(path, choice, made)

    def redact(self, path: Path, target: Path, choice: Choice) -> NewJob:
        """Return the job that redacts a file or a folder; raises ChoiceError."""
        self._taken.add(target)
        is_video = is_file(path) and not is_image(path)
        tracks = tracks_path(path) if is_video else None
        if tracks is not None and os.path.lexists(tracks):
            tracks = None
        return NewJob(
            action="redact",
            file=self._folder.relative(path),
            output=self._folder.relative(target),
            arguments=redact_arguments(
                path, target, self._found(choice), is_image=not is_video, tracks=tracks
            ),
            settings=choice.settings(),
            review=review_id(path) if is_video else None,
        )

    def track(self, path: Path, choice: Choice, tracks: Path | None = None) -> NewJob:
        """Return the job that writes a video's track file.

        Raises:
            HTTPException: The file is no video, or has tracks.
            ChoiceError: The choice makes no sense.
        """
        name = self._folder.relative(path)
        if is_image(path) or is_folder(path):
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name}: only videos have tracks")
        target = tracks or tracks_path(path)
        if os.path.lexists(target):
            raise HTTPException(
                HTTPStatus.CONFLICT, f"{name}: has tracks already: review it, or delete them first"
            )
        return NewJob(
            action="track",
            file=name,
            output=self._folder.relative(target),
            arguments=track_arguments(path, target, self._found(choice)),
            settings=choice.settings(),
            review=review_id(path, target),
        )

    def upload(self, action: Action, path: Path, choice: Choice) -> NewJob:
        """Return the job for a file that came with a request, in a folder of its own.

        Args:
            action: What to do.
            path: The file.
            choice: How.

        Raises:
            HTTPException: This cannot be done with it.
            ChoiceError: The choice makes no sense.
        """
        target = None
        if action == "redact":
            target = default_output(path)
            tracks = None if is_image(path) else tracks_path(path)
            found = self._found(choice)
            # What is there already is of an earlier attempt, which did not report its end.
            found = found._replace(options={**found.options, OVERWRITE: True})
            arguments = redact_arguments(
                path, target, found, is_image=is_image(path), tracks=tracks
            )
        elif action == "track" and not is_image(path):
            target = tracks_path(path)
            arguments = track_arguments(path, target, self._found(choice))
        elif action == "verify":
            arguments = verify_arguments(path, None, None, choice)
        else:
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{path.name}: only videos have tracks")
        return NewJob(
            action=action,
            file=path.name,
            output=None if target is None else target.name,
            arguments=arguments,
            settings=choice.settings(),
            is_upload=True,
        )

    def _verify(self, path: Path, choice: Choice, made: Iterable[Job]) -> NewJob:
        name = self._folder.relative(path)
        maker = next(
            (job.new for job in reversed(list(made)) if job.new.output == name and _made(job)), None
        )
        source = original_of(path) if maker is None else self._folder.resolve(maker.file)
        if maker is not None and not choice.classes:
            choice = choice._replace(classes=tuple(maker.settings.get("classes", ())))
        return NewJob(
            action="verify",
            file=name,
            arguments=verify_arguments(path, source, maker, choice),
            settings=choice.settings(),
        )

    def _found(self, choice: Choice) -> Choice:
        """Return a choice with the folders that it names, below that of the page, as paths."""
        found = dict(choice.options)
        for name in PEOPLE.keys() & found.keys():
            if found[name] is not None:
                path = self._folder.resolve(str(found[name]))
                if not is_folder(path):
                    raise ChoiceError("is no folder with photos", name)
                found[name] = str(path)
        return choice._replace(options=found)

    def _output(self, path: Path, choice: Choice) -> Path:
        """Return where the output of a file goes: next to it."""
        if path == self._folder.root:
            raise HTTPException(
                HTTPStatus.BAD_REQUEST, "choose files, or a folder in this one, not all of it"
            )
        if is_folder(path):
            output = default_output_folder(path)
        elif choice.options.get(OVERWRITE) is True:
            output = default_output(path)
        else:
            return self._folder.free_output(path, self._taken)
        if not self._folder.holds(output):  # it is there, and a link
            raise HTTPException(
                HTTPStatus.CONFLICT, f"{output.name}: leads out of this folder: delete that link"
            )
        return output


def _made(job: Job) -> bool:
    is_of_folder = job.new.action in ("redact", "render") and not job.new.is_upload
    return is_of_folder and job.state == "done"
