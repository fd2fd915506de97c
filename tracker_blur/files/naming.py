"""What the output of a file is called, and whose output a file is."""

from __future__ import annotations

from pathlib import Path

from tracker_blur.files.suffixes import is_written

_CONTAINER_FOR_ANYTHING = ".mkv"
_REDACTED_TAG = "_redacted"
_COMPARE_TAG = "_compare"


def redacted(path: Path) -> Path:
    """Return the name of a file's output, beside it."""
    return path.with_name(_written_name(path.name, _REDACTED_TAG))


def redacted_folder(folder: Path) -> Path:
    """Return the name of the folder for the outputs of a folder's files, beside it."""
    named = folder if folder.name not in ("", "..") else folder.resolve()
    return named.with_name(named.name + _REDACTED_TAG)


def mirrored(place: Path) -> Path:
    """Return the name of a file's output where it lies in another folder, in the same place."""
    return place.with_name(_written_name(place.name))


def compared(output: Path) -> Path:
    """Return the name of the picture that shows an output beside its input."""
    return output.with_name(f"{output.stem}{_COMPARE_TAG}{output.suffix}")


def is_output(file: Path) -> bool:
    """Whether a file has the name of an output of a file beside it."""
    return any(_is_made_from_another(file, tag) for tag in (_REDACTED_TAG, _COMPARE_TAG))


def _is_made_from_another(file: Path, tag: str) -> bool:
    head, _, tail = file.name.rpartition(tag)
    return any(
        _written_name(original, tag) == file.name and file.with_name(original).exists()
        for original in (head + tail, (head + tail).removesuffix(_CONTAINER_FOR_ANYTHING))
    )


def _written_name(name: str, tag: str = "") -> str:
    """Return an output's name: the input's, with a tag, in a container that is written."""
    path = Path(name)
    return path.stem + tag + path.suffix + ("" if is_written(path) else _CONTAINER_FOR_ANYTHING)
