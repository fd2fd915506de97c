"""Pascal VOC: an .xml file a picture with `object`s, each a `name` and a `bndbox`.

The files lie beside the pictures (Roboflow) or in `Annotations`, pictures in `JPEGImages` (CVAT) or
`images` (Label Studio). A folder `train`, `valid` or `test`, or a list in `ImageSets/Main`, names
the split. Objects marked `difficult` are regions to ignore, as in VOC's own measure.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets.annotated import (
    PICTURE_ENDINGS,
    Annotated,
    Dataset,
    Problems,
    finished,
    split_named,
)

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def is_voc(folder: Path) -> bool:
    """Return whether .xml files lie in the folder or below it."""
    return next(folder.rglob("*.xml"), None) is not None


def read_voc(folder: Path) -> Dataset:
    """Return the data set; raises SourceError."""
    problems = Problems(folder)
    splits: dict[str, list[Annotated]] = defaultdict(list)
    classes: dict[str, None] = {}
    listed = _listed(folder)
    for file in sorted(folder.rglob("*.xml")):
        annotated = _annotated(file, problems)
        if annotated is not None:
            below = file.relative_to(folder).parts[:-1]
            named = next((split for part in below if (split := split_named(part))), "train")
            splits[listed.get(file.stem, named)].append(annotated)
            classes |= dict.fromkeys(name for name, _ in annotated.things)
    return finished(folder, sorted(classes), splits, problems)


def _listed(folder: Path) -> dict[str, str]:
    """Return the split of each picture that a list names, by the file's name without its ending.

    Raises SourceError for a list that cannot be read.
    """
    found: dict[str, str] = {}
    for file in sorted(folder.glob("ImageSets/Main/*.txt")):
        split = split_named(file.stem)
        if split is not None:
            try:
                names = file.read_text(encoding="utf-8-sig").split()
            except (OSError, UnicodeDecodeError) as error:
                raise SourceError(f"{file}: cannot read this list of pictures ({error})") from error
            found |= {Path(name).stem: split for name in names}
    return found


def _annotated(file: Path, problems: Problems) -> Annotated | None:
    try:
        root = ElementTree.parse(file).getroot()
    except (OSError, ValueError, LookupError, ElementTree.ParseError) as error:
        problems.add(f"{file}: cannot read these labels ({error})")
        return None
    picture = _picture(file, root.findtext("filename") or "")
    size = problems.size(picture)
    if size is None:
        return None
    things: list[tuple[str, Box]] = []
    ignored: list[Box] = []
    for number, thing in enumerate(root.iter("object"), 1):
        where = f"{problems.named(file)}, object {number}"
        name = (thing.findtext("name") or "").strip()
        try:
            sides = [float(thing.findtext(f"bndbox/{side}") or "") for side in _SIDES]
        except ValueError:
            problems.add(f"{where}: no box")
            continue
        box = problems.box(Box(*sides), size, where)
        if not name:
            problems.add(f"{where}: no class name")
        elif box is not None and (thing.findtext("difficult") or "").strip() == "1":
            ignored.append(box)
        elif box is not None:
            things.append((name, box))
    return Annotated(picture, size, tuple(things), tuple(ignored))


def _picture(file: Path, name: str) -> Path:
    beside = file.parent, file.parent.parent / "JPEGImages", file.parent.parent / "images"
    # Some tools write another ending, or a path of the machine the picture was annotated on.
    names = [Path(name.replace("\\", "/")).name or file.stem]
    names += [file.stem + ending for ending in sorted(PICTURE_ENDINGS)]
    choices = [folder / one for folder in beside for one in names]
    return next((choice for choice in choices if choice.is_file()), choices[0])
