"""Which output was made of which input, by their names."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError
from tracker_blur.files.discovery import (
    Finder,
    InputFile,
    UnreadableFolder,
    UnsupportedFile,
    find_inputs,
)
from tracker_blur.files.paths import default_output, exists, is_folder, real_path

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Pair:
    """An output, and the input that it was made of; None if that is not known."""

    output: Path
    source: Path | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Outputs with their inputs.

    Attributes:
        pairs: each output, in order.
        without_output: inputs without an output.
        unreadable: folders in which there may be more.
        unsupported: files of cameras that show people but are not read.
        are_several: whether a folder or a pattern was named, however many files it means.
    """

    pairs: tuple[Pair, ...]
    without_output: tuple[Path, ...] = ()
    unreadable: tuple[UnreadableFolder, ...] = ()
    unsupported: tuple[UnsupportedFile, ...] = ()
    are_several: bool = False


def pair_outputs(outputs: str, inputs: str | None) -> Pairs:
    """Return the outputs that a name, a folder or a pattern means, each with its input.

    Args:
        outputs: a file, a folder, or a pattern as in `glob`.
        inputs: the same for the inputs, as they were given when the outputs were made; None: no
            input is known.

    Raises:
        SourceError: there is no such file.
        SettingsError: there are several outputs for one input.
    """
    is_single = not is_folder(Path(outputs)) and not _is_pattern(outputs)
    if is_single and (inputs is None or not _means_several(inputs)):
        return Pairs((Pair(Path(outputs), None if inputs is None else Path(inputs)),))
    if inputs is not None and not _means_several(inputs):
        raise SettingsError(
            f"{inputs}: is one input for several outputs: name a folder or a pattern"
        )
    found, known = Finder(takes_outputs=True), Finder()
    files = [file.source for file in find_inputs(outputs, None, found)]
    originals = [] if inputs is None else list(find_inputs(inputs, None, known))
    pairs, missing = _paired(files, _root(outputs), originals)
    return Pairs(
        tuple(pairs),
        missing,
        (*found.unreadable, *known.unreadable),
        tuple(found.unsupported),
        are_several=not is_single,
    )


def _paired(
    outputs: Iterable[Path], root: Path, originals: Iterable[InputFile]
) -> tuple[list[Pair], tuple[Path, ...]]:
    """Return each output with the input whose output has this name, and the inputs without one."""
    source_of: dict[Path, Path] = {}
    for original in originals:
        source = original.source
        names = (root / original.relative_output, original.default_output, default_output(source))
        for output in names:
            source_of.setdefault(real_path(output), source)
    pairs = [Pair(output, source_of.get(real_path(output))) for output in outputs]
    used = {pair.source for pair in pairs}
    unused = dict.fromkeys(source for source in source_of.values() if source not in used)
    return pairs, tuple(unused)


def _root(outputs: str) -> Path:
    """Return the folder that mirrors the inputs: of a pattern, that before the first wildcard."""
    root = Path(outputs)
    if not _is_pattern(outputs):
        return root if is_folder(root) else root.parent
    while glob.has_magic(str(root)):
        root = root.parent
    return root


def _means_several(name: str) -> bool:
    return is_folder(Path(name)) or _is_pattern(name)


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) and not exists(Path(name))
