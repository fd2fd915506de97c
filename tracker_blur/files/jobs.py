"""Planning a run: which files are redacted, and where their outputs go. Nothing is read or written.

| input | without OUT | with OUT |
|---|---|---|
| a file | NAME_redacted.EXT next to it | OUT, or OUT/NAME.EXT if OUT is a folder |
| a folder | FOLDER_redacted/ next to it, mirrored | OUT/, mirrored |
| a pattern | NAME_redacted.EXT next to each file | OUT/, mirrored from the first wildcard on |

OUT is a folder if it exists as one, ends with a separator, has no suffix, or serves several inputs.
It is created, as are folders in it, but none above it: the folder in which OUT lies must exist.
An input in a container that is not written becomes NAME.EXT.mkv: its own suffix stays in the name,
so that it cannot collide with the output of another file with the same stem.

Unreadable folders are reported and skipped.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError, SinkError, reason_of
from tracker_blur.files.atomic import check_folder
from tracker_blur.files.discovery import (
    Finder,
    InputFile,
    UnreadableFolder,
    UnsupportedFile,
    find_inputs,
)
from tracker_blur.files.paths import (
    MediaKind,
    check_is_file_name,
    check_is_written_as_video,
    exists,
    is_folder,
    is_media,
    media_kind,
    real_path,
    size_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class TargetFolders:
    """Creates OUT and the folders in it, and removes them again where nothing was written."""

    def __init__(self) -> None:
        self._created: set[Path] = set()

    def create(self, target: Path) -> None:
        """Create the folder of a target if it is missing.

        Raises:
            SinkError: it cannot be created.
        """
        self._created.update(folder for folder in target.parents if not exists(folder))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(
                f"{target}: its folder cannot be created ({reason_of(error)}): choose another"
            ) from error

    def remove_empty(self) -> None:
        """Remove those that it created, and that are empty."""
        for folder in sorted(self._created, key=lambda path: len(path.parts), reverse=True):
            with suppress(OSError):  # it is not empty
                folder.rmdir()


@dataclass(frozen=True, slots=True)
class Job:
    """One file to redact, as a video or as an image.

    Attributes:
        source: The file to read.
        target: The file to write.
        kind: What both are.
    """

    source: Path
    target: Path
    kind: MediaKind

    @property
    def source_name(self) -> str:
        """What the user calls the input."""
        return str(self.source)

    @property
    def shown_names(self) -> dict[str, str]:
        """What the user calls files that have other names while they are redacted."""
        return {}

    @property
    def size_bytes(self) -> int:
        """Size of the input; 0 if it cannot be read: redacting it will fail with the reason."""
        return size_bytes(self.source)

    @contextmanager
    def at_hand(self, *, overwrite: bool) -> Iterator[Callable[[], None]]:  # noqa: ARG002  # for staged jobs
        """Have the input where `source` says while the block lasts.

        Args:
            overwrite: Whether an output that exists may be replaced.

        Yields:
            What is called when `target` is complete.
        """
        yield lambda: None

    @classmethod
    def of(cls, source: Path, target: Path) -> Job:
        """Return the job of a file, as a video or as an image by both suffixes.

        Raises:
            SettingsError: what the source is cannot be written with the target's suffix.
        """
        kind = media_kind(source, target)
        if kind == "video":
            check_is_written_as_video(target)
        return cls(source, target, kind)

    @contextmanager
    def target_folder(self) -> Iterator[None]:
        """Create the target's folder if missing; remove it, if empty, when the block fails.

        Raises:
            SinkError: it cannot be created.
        """
        folders = TargetFolders()
        try:
            folders.create(self.target)
            yield
        except BaseException:
            folders.remove_empty()
            raise


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that is not redacted because its output exists."""

    source: Path | str
    target: Path | str

    @property
    def reason(self) -> str:
        """Why it is skipped."""
        return f"{self.target} already exists"

    def __str__(self) -> str:
        return f"{self.source}: skipped, {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. No two targets are the same, and none is an input.

    Attributes:
        jobs: what to redact, in order.
        skipped: what has an output already.
        unreadable: folders in which there may be more.
        unsupported: files of cameras that show people but are not read.
    """

    jobs: tuple[Job, ...]
    skipped: tuple[SkippedFile, ...]
    unreadable: tuple[UnreadableFolder, ...] = ()
    unsupported: tuple[UnsupportedFile, ...] = ()


def plan(
    inputs: Sequence[str | Path], output: str | Path | None = None, *, overwrite: bool = False
) -> Plan:
    """Return the jobs for these inputs, sorted within each.

    Args:
        inputs: files, folders, or patterns as in `glob` (`**` for any depth).
        output: a file, or a folder for several inputs; see this module's docstring.
        overwrite: redo files whose output exists. Otherwise they are skipped if there are several
            inputs, and a single one is left to fail.

    Raises:
        SourceError: an input is missing or not a file, or a folder or pattern gives no file.
        SinkError: the folder in which the output lies is missing.
        SettingsError: an output is not the name of a file, has a suffix that is not written, would
            overwrite an input or another output, or is a file for several inputs.
    """
    if not all(str(name) for name in inputs) or output == "":
        raise SettingsError("a name is empty: name a file, a folder or a pattern")
    if output is not None:
        check_is_file_name(output)
    finder = Finder()
    output_path = None if output is None else Path(output)
    files = _unique(file for name in inputs for file in find_inputs(str(name), output_path, finder))
    is_single = len(inputs) == 1 and Path(inputs[0]).is_file()
    targets = output_paths(files, None if output is None else str(output), is_single)
    sources = [file.source for file in files]
    _check_targets(sources, targets)
    jobs, skipped = [], []
    for source, target in zip(sources, targets, strict=True):
        if exists(target) and not overwrite and not is_single:
            skipped.append(SkippedFile(source, target))
        else:
            jobs.append(Job.of(source, target))
    return Plan(tuple(jobs), tuple(skipped), tuple(finder.unreadable), tuple(finder.unsupported))


def _unique(files: Iterable[InputFile]) -> list[InputFile]:
    """Return each file once, however often it was named; links count as files of their own."""
    return list({real_path(file.source.parent) / file.source.name: file for file in files}.values())


def output_paths(files: Sequence[InputFile], output: str | None, is_single: bool) -> list[Path]:
    """Return where the outputs go, as this module's docstring says.

    Raises:
        SettingsError: the output is a file, but there may be several.
        SinkError: its folder is missing.
    """
    if output is None:
        return [file.default_output for file in files]
    path = Path(output)
    if is_single and not _names_folder(output):
        check_folder(path)
        return [path]
    is_file_name = is_media(path) and not output.endswith(os.sep)
    if not is_folder(path) and (exists(path) or is_file_name):
        raise SettingsError(f"{path}: is a file, but there may be several outputs: name a folder")
    check_folder(path)
    return [path / file.relative_output for file in files]


def _names_folder(output: str) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep)))
    path = Path(output)
    return output.endswith(separators) or is_folder(path) or not (path.suffix or exists(path))


def _check_targets(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    inputs = {real_path(source) for source in sources}
    source_of: dict[Path, Path] = {}
    for source, target in zip(sources, targets, strict=True):
        place = real_path(target)
        if place in inputs:
            raise SettingsError(f"{target}: is an input: choose another name for the output")
        if place in source_of:
            raise SettingsError(
                f"{target}: would be the output of {source_of[place]} and of {source}: "
                "redact them one by one"
            )
        source_of[place] = source
