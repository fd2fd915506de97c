"""What outputs are called, and that they are known again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_blur.files.paths import compared, is_output, mirrored, redacted, redacted_folder


@pytest.mark.parametrize(
    ("name", "beside", "elsewhere"),
    [
        ("a.mp4", "a_redacted.mp4", "a.mp4"),
        ("a.b.JPG", "a.b_redacted.JPG", "a.b.JPG"),
        ("a.avi", "a_redacted.avi.mkv", "a.avi.mkv"),
        ("a", "a_redacted.mkv", "a.mkv"),
    ],
)
def test_an_output_keeps_its_name_and_is_known_again(
    name: str, beside: str, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    assert redacted(file) == tmp_path / beside
    assert mirrored(Path("x", name)) == Path("x", elsewhere)
    assert not is_output(redacted(file))
    file.touch()
    assert is_output(redacted(file))
    assert not is_output(file)


def test_a_picture_to_compare_is_known_again(tmp_path: Path) -> None:
    output = tmp_path / "a_redacted.jpg"
    output.touch()
    assert compared(output) == tmp_path / "a_redacted_compare.jpg"
    assert is_output(compared(output))


def test_every_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    beside = tmp_path.with_name(f"{tmp_path.name}_redacted")
    assert redacted_folder(tmp_path) == beside
    assert redacted_folder(Path()) == beside
    assert redacted_folder(Path("in")) == Path("in_redacted")
