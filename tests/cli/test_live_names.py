"""The source and the targets of `trackblur live` are different places, whatever their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_blur.cli.live_names import check_names
from tracker_blur.errors import SettingsError


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("link").symlink_to(".")
    Path("clip.mp4").write_bytes(b"precious")
    Path("hard.mp4").hardlink_to("clip.mp4")


@pytest.mark.parametrize(
    "targets",
    [
        ["-", "-"],
        ["web", "web"],
        ["out.mkv", "./out.mkv"],
        ["out.mkv", "other.mkv", "link/out.mkv"],
        ["folder", "folder/live.m3u8"],
        ["live.m3u8", "folder/../live.m3u8"],
        ["udp://host:1?pkt_size=1316", "UDP://host:1"],
    ],
)
def test_a_target_is_named_once(targets: list[str]) -> None:
    with pytest.raises(SettingsError, match="is named twice by --to"):
        check_names("0", targets, overwrite=True)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("clip.mp4", "./clip.mp4"),
        ("clip.mp4", "link/clip.mp4"),
        ("clip.mp4", "hard.mp4"),
        ("rtsp://user:secret@host/1", "rtsp://host/1"),
        ("udp://127.0.0.1:5000?fifo_size=9", "udp://127.0.0.1:5000"),
    ],
)
def test_a_target_is_never_the_source(source: str, target: str) -> None:
    with pytest.raises(SettingsError, match="is the source"):
        check_names(source, [target], overwrite=True)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("out-0002.mkv", "out.mkv"),
        ("link/out-0002.mkv", "out.mkv"),
        ("live-000000.ts", "live.m3u8"),
        ("folder/live-000007.ts", "folder"),
    ],
)
def test_no_part_of_a_target_is_the_source(source: str, target: str) -> None:
    with pytest.raises(SettingsError, match="would write a part over the source"):
        check_names(source, [target], overwrite=True)


@pytest.mark.parametrize(
    "targets",
    [
        ["out.mp4", "out-0002.mp4"],
        ["out-0002.mp4", "window", "out.mp4"],
        ["out.mp4", "link/out-12345.mp4"],
        ["folder/out.mkv", "out.mkv", "folder/out-0001.mkv"],
    ],
)
def test_no_part_of_a_target_is_another(targets: list[str]) -> None:
    with pytest.raises(
        SettingsError, match=r"out-\d+\.m\w\w: is the name of a part of .*out\.m\w\w: "
    ):
        check_names("0", targets, overwrite=True)
    check_names("0", targets, overwrite=False)  # then it has no number


def test_names_that_only_resemble_a_part_are_different() -> None:
    targets = ["out.mkv", "out-two.mkv", "out-2.mp4", "folder/out-2.mkv", "live.m3u8", "live-1.mkv"]
    check_names("0", targets, overwrite=True)


def test_secrets_stay_secret() -> None:
    with pytest.raises(SettingsError) as raised:
        check_names("0", ["rtmp://host/live/KEY", "rtmp://host/live/KEY"], overwrite=False)
    assert "KEY" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "targets"),
    [
        ("-", ["-"]),
        ("0", ["window", "web", "virtual", "out.mkv", "out.mp4", "folder/out.mkv"]),
        ("out-0002.mkv", ["out.mkv"]),  # it has no number, because nothing is overwritten
        ("out-two.mkv", ["out.mkv"]),
        ("rtsp://[::1/x", ["udp://host:port"]),  # opening them says what is wrong
        ("a" * 300, ["b" * 300 + ".mkv"]),
    ],
)
def test_different_places_may_be_named_together(source: str, targets: list[str]) -> None:
    check_names(source, targets, overwrite=False)
