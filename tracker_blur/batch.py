"""Which files a command means, and what their outputs are called; nothing is read or written.

| input | without OUT | with OUT |
|---|---|---|
| a file | NAME_redacted.EXT beside it | OUT, or OUT/NAME.EXT where OUT is a folder |
| a folder | FOLDER_redacted/ beside it, mirrored | OUT/, mirrored |
| a pattern | NAME_redacted.EXT beside each file | OUT/, mirrored from the first wildcard on |

OUT is a folder if it exists as one, ends with a separator, has no suffix, or serves several
inputs. An input in a container that is not written becomes NAME.EXT.mkv: its own suffix stays in
the name, so that it cannot collide with a file of the same stem.

A folder that cannot be looked into is told, and the others are gone on with. Links to folders are
not followed in folders and by `**`.

In folders and patterns, files are left out that are hidden, that have no known suffix, that lie in
the output folder, or that are the NAME_redacted.EXT of a file beside them.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tracker_blur.errors import SettingsError, SinkError, SourceError
from tracker_blur.files import (
    ANY_DEPTH,
    NO_FILE,
    Finder,
    Unreadable,
    check_is_file,
    is_stream,
)
from tracker_blur.pictures import FORMATS

Kind = Literal["video", "picture"]

_PICTURE_SUFFIXES = frozenset(FORMATS)
_WRITTEN_VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm"})
_READ_VIDEO_SUFFIXES = frozenset(
    {".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".m2ts", ".m2v", ".mjpeg"}
    | {".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts"}
    | {".vob", ".wmv", ".y4m"}
)
_SUFFIXES = _PICTURE_SUFFIXES | _WRITTEN_VIDEO_SUFFIXES | _READ_VIDEO_SUFFIXES
_CONTAINER_FOR_ANYTHING = ".mkv"
_TAG = "_redacted"
COMPARE_TAG = "_compare"
"""Marks the name of a picture that shows an output beside its input."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to redact; `kind` says by which of the two ways."""

    source: Path
    target: Path
    kind: Kind

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
                reason = (error.strerror or str(error)).lower()
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


@dataclass(frozen=True, slots=True)
class _Found:
    """An input file, its output when no OUT is given, and its place in a folder OUT."""

    source: Path
    default: Path
    place: Path


def kind_of(source: Path, target: Path) -> Kind:
    """Return which way leads from a source to a target, by their suffixes.

    Pictures go to pictures, animated ones included. A GIF may become a video and a video a GIF:
    both go the way of videos. What is not known as a picture is left to FFmpeg.

    Raises SettingsError for a picture that would become a video, or the reverse.
    """
    from_suffix, to_suffix = source.suffix.lower(), target.suffix.lower()
    to_picture = to_suffix in _PICTURE_SUFFIXES
    if from_suffix in _PICTURE_SUFFIXES:
        if to_picture:
            return "picture"
        if from_suffix != ".gif":
            raise SettingsError(
                f"{target}: a picture such as {source.name} is written as a picture: "
                f"choose a suffix such as {source.suffix}"
            )
    elif to_picture and to_suffix != ".gif":
        raise SettingsError(
            f"{target}: a video such as {source.name} cannot become a picture: "
            "choose a suffix such as .mp4 or .gif"
        )
    return "video"


def is_media(path: Path) -> bool:
    """Whether a file is a video or a picture, by its suffix."""
    return path.suffix.lower() in _SUFFIXES


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
    if output is not None and is_stream(str(output)):
        raise SettingsError(f"{output}: {NO_FILE}")
    whole_output = None if output is None else Path(output)
    finder = Finder()
    found = _unique(f for word in inputs for f in _found(str(word), whole_output, finder))
    is_single = len(inputs) == 1 and Path(inputs[0]).is_file()
    if whole_output is None:
        targets = [file.default for file in found]
    elif is_single and not _is_folder(str(output)):
        targets = [whole_output]
    else:
        is_file_name = is_media(whole_output) and not str(output).endswith(os.sep)
        if not whole_output.is_dir() and (whole_output.exists() or is_file_name):
            raise SettingsError(
                f"{whole_output}: is a file, and there may be several outputs: name a folder"
            )
        targets = [whole_output / file.place for file in found]
    sources = [file.source for file in found]
    _check_targets(sources, targets)
    jobs, skipped = [], []
    for source, target in zip(sources, targets, strict=True):
        if target.exists() and not overwrite and not is_single:
            skipped.append(Skipped(source, target))
        else:
            jobs.append(Job(source, target, kind_of(source, target)))
    return Plan(tuple(jobs), tuple(skipped), tuple(finder.unreadable))


def _is_folder(output: str) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep)))
    path = Path(output)
    return output.endswith(separators) or path.is_dir() or not (path.suffix or path.exists())


def _found(word: str, output: Path | None, finder: Finder) -> Iterator[_Found]:
    """Yield the files that one input stands for."""
    path = Path(word)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if glob.has_magic(word):
            yield from _matching(word, output, finder)
            return
        if is_stream(word):
            raise SourceError(f"{word}: {NO_FILE}") from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise SourceError(f"{path}: no such file or folder: check the name") from error
        reason = (error.strerror or str(error)).lower()
        raise SourceError(f"{path}: cannot be looked at ({reason}): check its folders") from error
    if stat.S_ISDIR(mode):
        yield from _in_folder(path, output, finder)
    else:
        check_is_file(path)
        yield _file(path, path.parent)


def _file(path: Path, root: Path) -> _Found:
    return _Found(
        path, path.with_name(_written_name(path.name, _TAG)), _mirrored(path.relative_to(root))
    )


def _in_folder(folder: Path, output: Path | None, finder: Finder) -> Iterator[_Found]:
    """Yield the media files under a folder."""
    _check_apart(folder, output)
    named = folder if folder.name not in ("", "..") else folder.resolve()
    default = named.with_name(named.name + _TAG)
    is_empty = True
    for file in finder.find(folder, ANY_DEPTH):
        if is_media(file) and _is_input(file, folder, output):
            is_empty = False
            place = _mirrored(file.relative_to(folder))
            yield _Found(file, default / place, place)
    if is_empty:
        raise SourceError(f"{folder}: holds no videos or pictures: check the name")


def _matching(pattern: str, output: Path | None, finder: Finder) -> Iterator[_Found]:
    """Yield the media files that a pattern matches; folders that match are not entered."""
    root = Path(pattern)
    while glob.has_magic(str(root)):
        root = root.parent
    _check_apart(root, output)
    is_empty = True
    for path in finder.find(root, *Path(pattern).relative_to(root).parts):
        if is_media(path) and _is_input(path, root, output):
            is_empty = False
            yield _file(path, root)
    if is_empty:
        raise SourceError(f"{pattern}: matches no videos or pictures: check the pattern")


def _is_input(file: Path, root: Path, output: Path | None) -> bool:
    """Return whether a file found under `root` is neither hidden nor an output of ours."""
    if any(part.startswith(".") for part in file.relative_to(root).parts):
        return False
    try:
        if not file.is_file():
            return False
    except PermissionError:  # a link to a place that is closed: told when it is read
        return True
    if output is not None and _is_below(output, root) and _is_below(file, output):
        return False
    return not any(_is_made_from_another(file, tag) for tag in (_TAG, COMPARE_TAG))


def _is_made_from_another(file: Path, tag: str) -> bool:
    head, _, tail = file.name.rpartition(tag)
    return any(
        _written_name(original, tag) == file.name and file.with_name(original).exists()
        for original in (head + tail, (head + tail).removesuffix(_CONTAINER_FOR_ANYTHING))
    )


def _is_below(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents


def _written_name(name: str, tag: str = "") -> str:
    """Return an output's name: the input's, with a tag, in a container that is written."""
    path = Path(name)
    suffix = path.suffix.lower()
    is_written = suffix in _PICTURE_SUFFIXES or suffix in _WRITTEN_VIDEO_SUFFIXES
    return path.stem + tag + path.suffix + ("" if is_written else _CONTAINER_FOR_ANYTHING)


def _mirrored(place: Path) -> Path:
    return place.with_name(_written_name(place.name))


def _unique(found: Iterable[_Found]) -> list[_Found]:
    """Return each file once, however often it was named; links count as files of their own."""
    return list({f.source.parent.resolve() / f.source.name: f for f in found}.values())


def _check_apart(root: Path, output: Path | None) -> None:
    if output is not None and output.resolve() == root.resolve():
        raise SettingsError(f"{output}: is the input folder: choose another for the output")


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
