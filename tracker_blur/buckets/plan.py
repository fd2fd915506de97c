"""Planning a run whose inputs or outputs are in buckets: as `files/jobs.py` does, with addresses.

| input | OUT |
|---|---|
| an object | OUT, or OUT/NAME.EXT if OUT ends with "/" or has no suffix |
| a folder in a bucket, or on this machine | OUT/, mirrored |

An output must be named: nothing is written next to an input in a bucket. Outputs that exist are
skipped if there may be several; a single one is left to fail. Folders are listed, and nothing else
is read.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.buckets.objects import objects_in, state_of
from tracker_blur.buckets.staging import StagedJob
from tracker_blur.buckets.urls import as_folder, is_bucket, key_path
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.files.discovery import Finder, InputFile, UnsupportedFile, find_inputs
from tracker_blur.files.jobs import Plan, SkippedFile, output_paths
from tracker_blur.files.paths import exists, is_media, mirrored_output, size_bytes, why_not_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UNSAFE = frozenset(("", ".", ".."))


@dataclass(frozen=True, slots=True)
class _Input:
    """An input: its name, its size, and the path of its output within a folder OUT."""

    name: str
    size_bytes: int
    relative_output: Path


def plan(inputs: Sequence[str], output: str | None, staging: Path, *, overwrite: bool) -> Plan:
    """Return the jobs for these inputs; some of them, or the output, are in buckets.

    Args:
        inputs: Addresses, and what `plan` takes.
        output: An address, a file, or a folder.
        staging: From `opened_staging`.
        overwrite: Redo files whose output exists.

    Raises:
        MissingPackageError: A package for a bucket is not installed.
        SourceError: An input is missing, cannot be listed, or gives no file.
        SettingsError: No output is named, or it makes no sense for these inputs.
    """
    if output is None:
        raise SettingsError(
            f"{inputs[0]}: is in a bucket, where nothing is written unasked: name the output, too"
        )
    finder = Finder()
    files = list(
        {each.name: each for name in inputs for each in _found(name, output, finder)}.values()
    )
    is_single = len(inputs) == 1 and [each.name for each in files] == list(inputs)
    targets = _targets(files, output, is_single)
    _check_targets(files, targets)
    taken = _taken(output, targets) if not (overwrite or is_single) else frozenset[str]()
    jobs, skipped = [], []
    for each, target in zip(files, targets, strict=True):
        if target in taken:
            skipped.append(SkippedFile(each.name, target))
        else:
            jobs.append(StagedJob.between(each.name, target, each.size_bytes, staging))
    return Plan(tuple(jobs), tuple(skipped), tuple(finder.unreadable), tuple(finder.unsupported))


def _found(name: str, output: str, finder: Finder) -> Iterator[_Input]:
    """Yield what a name means."""
    if is_bucket(name):
        yield from _in_bucket(name, output, finder)
        return
    for file in find_inputs(name, None if is_bucket(output) else Path(output), finder):
        yield _Input(str(file.source), size_bytes(file.source), file.relative_output)


def _in_bucket(url: str, output: str, finder: Finder) -> Iterator[_Input]:
    state = None if url.endswith("/") or len(key_path(url).parts) == 1 else state_of(url)
    if state is not None:
        yield _Input(url, state.size_bytes, mirrored_output(Path(key_path(url).name)))
        return
    folder, out = as_folder(url), as_folder(output)
    if folder == out:
        raise SettingsError(f"{output}: is the input folder: choose another for the output")
    is_empty = True
    objects = objects_in(url)
    for each in objects:
        if each.url.startswith(out):  # of an earlier run
            continue
        parts = each.url.removeprefix(folder).split("/")
        relative = Path(*parts)
        if any(part.startswith(".") and part not in _UNSAFE for part in parts):
            continue
        if reason := why_not_read(relative) or _why_no_path(relative, parts):
            finder.unsupported.append(UnsupportedFile(each.url, reason))
        elif is_media(relative):
            is_empty = False
            yield _Input(each.url, each.size_bytes, mirrored_output(relative))
    if is_empty:
        remedy = "; ".join(map(str, finder.unsupported)) or "check the name"
        if glob.has_magic(url):
            remedy = "patterns are for files of this machine: name a folder"
        problem = "contains no videos or images" if objects else "no such object or folder"
        raise SourceError(f"{url}: {problem}: {remedy}")


def _why_no_path(path: Path, parts: Sequence[str]) -> str | None:
    """Return why an object's key cannot be the path of its output; it must not leave OUT."""
    is_path = not _UNSAFE.intersection(parts) and path.parts == tuple(parts)
    return None if is_path and "\\" not in str(path) else "named as no file can be: rename it"


def _targets(files: Sequence[_Input], output: str, is_single: bool) -> list[str]:
    """Return where the outputs go, as this module's docstring says."""
    if not is_bucket(output):
        known = [InputFile(Path(), Path(), each.relative_output) for each in files]
        return [str(path) for path in output_paths(known, output, is_single)]
    has_name = len(key_path(output).parts) > 1
    is_file_name = has_name and not output.endswith("/") and bool(key_path(output).suffix)
    if is_single and is_file_name:
        return [output]
    if is_file_name and is_media(Path(key_path(output).name)):
        raise SettingsError(f"{output}: is a file, but there may be several outputs: name a folder")
    return [as_folder(output) + each.relative_output.as_posix() for each in files]


def _check_targets(files: Sequence[_Input], targets: Sequence[str]) -> None:
    names = {each.name for each in files}
    source_of: dict[str, str] = {}
    for each, target in zip(files, targets, strict=True):
        if target in names:
            raise SettingsError(f"{target}: is an input: choose another name for the output")
        if target in source_of:
            raise SettingsError(
                f"{target}: would be the output of {source_of[target]} and of {each.name}: "
                "redact them one by one"
            )
        source_of[target] = each.name


def _taken(output: str, targets: Sequence[str]) -> frozenset[str]:
    """Return those outputs that exist."""
    if is_bucket(output):
        return frozenset(each.url for each in objects_in(output))
    return frozenset(target for target in targets if exists(Path(target)))
