"""One file to redact.

From the words of a command to jobs: which file goes where; nothing is read or written.

| input | without OUT | with OUT |
|---|---|---|
| a file | NAME_redacted.EXT beside it | OUT, or OUT/NAME.EXT where OUT is a folder |
| a folder | FOLDER_redacted/ beside it, mirrored | OUT/, mirrored |
| a pattern | NAME_redacted.EXT beside each file | OUT/, mirrored from the first wildcard on |

OUT is a folder if it exists as one, ends with a separator, has no suffix, or serves several
inputs. An input in a container that is not written becomes NAME.EXT.mkv: its own suffix stays in
the name, so that it cannot collide with a file of the same stem.

A folder that cannot be looked into is told, and the others are gone on with.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tracker_blur.errors import SettingsError, SinkError, reason_of
from tracker_blur.files.discovery import Finder, Input, Unreadable, files_of
from tracker_blur.files.paths import MediaKind, check_names_file, is_media, kind_of


@dataclass(frozen=True, slots=True)
class Job:
    """One file to redact; `kind` says by which of the two ways."""

    source: Path
    target: Path
    kind: MediaKind

    @contextmanager
    def folder_made(self) -> Iterator[None]:
        """Make the target's folder where it is missing; remove it if the block fails, if empty.

        Raises SinkError when it cannot be made.
        """
        made = [folder for folder in self.target.parents if not folder.exists()]
        try:
            try:
                self.target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                reason = reason_of(error)
                raise SinkError(
                    f"{self.target}: its folder cannot be made ({reason}): choose another"
                ) from error
            yield
        except BaseException:
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()
            raise


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that needs no work, since its output exists."""

    source: Path
    target: Path

    def __str__(self) -> str:
        return f"{self.source}: skipped, {self.target} exists already"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in order; no two targets are the same, and none is an input.

    unreadable  folders in which there may be more
    """

    jobs: tuple[Job, ...]
    skipped: tuple[Skipped, ...]
    unreadable: tuple[Unreadable, ...] = ()


def plan(
    inputs: Sequence[str | Path], output: str | Path | None = None, *, overwrite: bool = False
) -> Plan:
    """Return the jobs for these inputs, sorted within each.

    inputs     files, folders, or patterns as of `glob` (`**` for any depth)
    output     a file, or a folder for several inputs; see this module's docstring
    overwrite  redo files whose output exists; without it they are skipped where there are
               several, and a single one is left to fail

    Raises SourceError when an input is missing or no file, or a folder or pattern gives no file;
    and SettingsError when an output is no file's name, would overwrite an input or another output,
    or is a file for several inputs.
    """
    if not all(str(word) for word in inputs) or output == "":
        raise SettingsError("a name is empty: name a file, a folder or a pattern")
    if output is not None:
        check_names_file(output)
    finder = Finder()
    whole = None if output is None else Path(output)
    found = _unique(file for word in inputs for file in files_of(str(word), whole, finder))
    is_single = len(inputs) == 1 and Path(inputs[0]).is_file()
    targets = _targets(found, None if output is None else str(output), is_single)
    sources = [file.source for file in found]
    _check_targets(sources, targets)
    jobs, skipped = [], []
    for source, target in zip(sources, targets, strict=True):
        if target.exists() and not overwrite and not is_single:
            skipped.append(Skipped(source, target))
        else:
            jobs.append(Job(source, target, kind_of(source, target)))
    return Plan(tuple(jobs), tuple(skipped), tuple(finder.unreadable))


def _targets(found: Sequence[Input], output: str | None, is_single: bool) -> list[Path]:
    """Return where the outputs go, as this module's docstring says."""
    if output is None:
        return [file.beside for file in found]
    whole = Path(output)
    if is_single and not _is_folder(output):
        return [whole]
    is_file_name = is_media(whole) and not output.endswith(os.sep)
    if not whole.is_dir() and (whole.exists() or is_file_name):
        raise SettingsError(f"{whole}: is a file, and there may be several outputs: name a folder")
    return [whole / file.place for file in found]


def _is_folder(output: str) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep)))
    path = Path(output)
    return output.endswith(separators) or path.is_dir() or not (path.suffix or path.exists())


def _unique(found: Iterable[Input]) -> list[Input]:
    """Return each file once, however often it was named; links count as files of their own."""
    return list({f.source.parent.resolve() / f.source.name: f for f in found}.values())


def _check_targets(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    read = {source.resolve() for source in sources}
    written: dict[Path, Path] = {}
    for source, target in zip(sources, targets, strict=True):
        place = target.resolve()
        if place in read:
            raise SettingsError(f"{target}: is an input: choose another name for the output")
        if place in written:
            raise SettingsError(
                f"{target}: would be the output of {written[place]} and of {source}: "
                "redact them one by one"
            )
        written[place] = source
