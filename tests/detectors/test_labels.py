"""Class names in the metadata of Ultralytics."""

from __future__ import annotations

import pytest

from tracker_blur.detectors._labels import class_names, has_class_names


@pytest.mark.parametrize(
    ("names", "count", "expected"),
    [
        ("{0: 'face'}", 1, ("face",)),
        (
            "{0: 'Faces', 1: 'License_Plate', 2: 'traffic light'}",
            3,
            ("face", "plate", "traffic light"),
        ),
        ("['a', 'b']", 2, ("a", "b")),
        ("{1: 'b', 0: 'a'}", 2, ("a", "b")),
        ("{0: 'a,b\\n\\x1b[31mc', 1: ''}", 2, ("a b [31mc", "class1")),
        ("{0: '" + "x" * 300 + "'}", 1, ("x" * 100,)),
        ("{5: 'a'}", 1, ("face",)),
        ("{}", 1, ("face",)),
        ("", 2, ("class0", "class1")),
        ("__import__('os').getcwd()", 1, ("face",)),
        ("(" * 5000, 1, ("face",)),
    ],
)
def test_names_are_read_or_made_up(names: str, count: int, expected: tuple[str, ...]) -> None:
    assert class_names({"names": names}, count) == expected


@pytest.mark.parametrize(
    ("names", "is_said"), [("{0: 'head'}", True), ("{5: 'a'}", False), ("", False)]
)
def test_whether_the_file_says_what_its_classes_are(names: str, is_said: bool) -> None:
    assert has_class_names({"names": names}) == is_said


def test_without_metadata_names_are_made_up() -> None:
    assert class_names({}, 1) == ("face",)
    assert class_names({}, 2) == ("class0", "class1")
