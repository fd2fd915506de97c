"""Pascal VOC layout: one .xml file per image with `object`s, each a `name` and a `bndbox`.

The files lie next to the images (Roboflow), or in `Annotations` with images in `JPEGImages` (CVAT)
or `images` (Label Studio). A folder `train`, `valid` or `test`, or a list in `ImageSets/Main`,
names the split. Objects marked `difficult` become ignored regions, as in VOC's own evaluation.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from defusedxml import DTDForbidden, ElementTree

from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError, reason_of
from tracker_blur.training.datasets.dataset import (
    IMAGE_SUFFIXES,
    AnnotatedImage,
    Dataset,
    Problems,
    build_dataset,
    split_from_name,
)

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def is_voc(folder: Path) -> bool:
    """Return whether the folder or a folder below it holds .xml files."""
    return next(folder.rglob("*.xml"), None) is not None


def read_voc(folder: Path) -> Dataset:
    """Return the dataset; raises SourceError."""
    problems = Problems(folder)
    splits: dict[str, list[AnnotatedImage]] = defaultdict(list)
    classes: dict[str, None] = {}
    listed = _listed_splits(folder)
    for file in sorted(folder.rglob("*.xml")):
        image = _annotated_image(file, problems)
        if image is not None:
            parts = file.relative_to(folder).parts[:-1]
            named = next((split for part in parts if (split := split_from_name(part))), "train")
            splits[listed.get(file.stem, named)].append(image)
            classes |= dict.fromkeys(name for name, _ in image.objects)
    return build_dataset(folder, sorted(classes), splits, problems)


def _listed_splits(folder: Path) -> dict[str, str]:
    """Return the split of each image that a list names, by the image's stem."""
    splits: dict[str, str] = {}
    for file in sorted(folder.glob("ImageSets/Main/*.txt")):
        split = split_from_name(file.stem)
        if split is not None:
            try:
                names = file.read_text(encoding="utf-8-sig").split()
            except (OSError, UnicodeDecodeError) as error:
                raise SourceError(
                    f"{file}: cannot read this list of images ({reason_of(error)})"
                ) from error
            splits |= {Path(name).stem: split for name in names}
    return splits


def _annotated_image(file: Path, problems: Problems) -> AnnotatedImage | None:
    try:
        root = ElementTree.parse(file, forbid_dtd=True).getroot()
    except DTDForbidden:
        problems.add(f"{file}: declares a document type, which labels never do: remove it")
        return None
    except (OSError, ValueError, LookupError, ElementTree.ParseError) as error:
        problems.add(f"{file}: cannot read these labels ({reason_of(error)})")
        return None
    path = _image_path(file, root.findtext("filename") or "")
    size = problems.image_size(path)
    if size is None:
        return None
    objects: list[tuple[str, Box]] = []
    ignored: list[Box] = []
    for number, element in enumerate(root.iter("object"), 1):
        where = f"{problems.relative(file)}, object {number}"
        name = (element.findtext("name") or "").strip()
        try:
            sides = [float(element.findtext(f"bndbox/{side}") or "") for side in _SIDES]
        except ValueError:
            problems.add(f"{where}: the box is missing or incomplete")
            continue
        box = problems.clipped_box(Box(*sides), size, where)
        if not name:
            problems.add(f"{where}: the class name is missing")
        elif box is not None and (element.findtext("difficult") or "").strip() == "1":
            ignored.append(box)
        elif box is not None:
            objects.append((name, box))
    is_empty = root.find(".//object") is None
    return AnnotatedImage(path, size, tuple(objects), tuple(ignored), is_empty)


def _image_path(file: Path, name: str) -> Path:
    folders = file.parent, file.parent.parent / "JPEGImages", file.parent.parent / "images"
    # Some tools write another suffix, or a path of the machine on which the image was annotated.
    names = [Path(name.replace("\\", "/")).name or file.stem]
    names += [file.stem + suffix for suffix in sorted(IMAGE_SUFFIXES)]
    candidates = [folder / name for folder in folders for name in names]
    return next(filter(Path.is_file, candidates), candidates[0])
