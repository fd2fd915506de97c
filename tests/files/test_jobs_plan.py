"""Which files are redacted, and where their outputs go."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.files.empty_files import touch
from tracker_blur.errors import SettingsError, SinkError, SourceError
from tracker_blur.files.jobs import Job, Plan, SkippedFile, plan


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that names may be relative."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sources_and_targets(planned: Plan) -> list[tuple[str, str]]:
    return [(job.source.as_posix(), job.target.as_posix()) for job in planned.jobs]


class TestOneFile:
    def test_the_output_is_next_to_it_by_default(self) -> None:
        touch("a/clip.mp4", "IMG_1.JPG")
        assert sources_and_targets(plan(["a/clip.mp4"])) == [("a/clip.mp4", "a/clip_redacted.mp4")]
        assert sources_and_targets(plan(["IMG_1.JPG"])) == [("IMG_1.JPG", "IMG_1_redacted.JPG")]

    def test_the_output_may_be_named(self) -> None:
        touch("clip.mp4")
        Path("b").mkdir()
        assert sources_and_targets(plan(["clip.mp4"], "b/out.mkv")) == [("clip.mp4", "b/out.mkv")]

    @pytest.mark.parametrize(
        ("source", "output"),
        [("a/clip.mp4", "b/out.mkv"), ("a/clip.mp4", "b/c/"), ("a", "b/c"), ("a/*.mp4", "b/c")],
    )
    def test_no_folder_above_the_output_is_created(self, source: str, output: str) -> None:
        touch("a/clip.mp4")
        with pytest.raises(SinkError, match=r"b/.*: the folder .*/b does not exist: create it"):
            plan([source], output)

    @pytest.mark.parametrize("output", ["b", "c/", "d.d/"])
    def test_it_keeps_its_name_in_a_folder(self, output: str) -> None:
        touch("a/clip.mp4")
        Path("b").mkdir()
        assert sources_and_targets(plan(["a/clip.mp4"], output)) == [
            ("a/clip.mp4", f"{output.rstrip('/')}/clip.mp4")
        ]

    def test_a_container_that_is_not_written_stays_in_the_name(self) -> None:
        touch("clip.avi", "clip.xyz")
        assert sources_and_targets(plan(["clip.avi"])) == [("clip.avi", "clip_redacted.avi.mkv")]
        assert sources_and_targets(plan(["clip.xyz"])) == [("clip.xyz", "clip_redacted.xyz.mkv")]
        assert sources_and_targets(plan(["clip.avi"], "out/")) == [("clip.avi", "out/clip.avi.mkv")]

    def test_an_existing_output_is_left_to_fail(self) -> None:
        touch("clip.mp4", "clip_redacted.mp4")
        planned = plan(["clip.mp4"])
        assert len(planned.jobs) == 1
        assert not planned.skipped

    def test_a_hidden_or_tagged_file_that_is_named_is_redacted(self) -> None:
        touch(".a.jpg", "b.jpg", "b_redacted.jpg")
        assert len(plan([".a.jpg"]).jobs) == 1
        assert len(plan(["b_redacted.jpg"]).jobs) == 1

    def test_a_name_with_wildcards_is_a_file_if_there_is_one(self) -> None:
        touch("a[1].jpg", "a1.jpg")
        assert sources_and_targets(plan(["a[1].jpg"])) == [("a[1].jpg", "a[1]_redacted.jpg")]


class TestFolders:
    def test_the_output_mirrors_the_folder(self) -> None:
        touch("in/b.jpg", "in/x/a.mp4", "in/x/y/c.PNG", "in/x/notes.txt", "in/Thumbs.db", "in/jpg")
        assert sources_and_targets(plan(["in"])) == [
            ("in/b.jpg", "in_redacted/b.jpg"),
            ("in/x/a.mp4", "in_redacted/x/a.mp4"),
            ("in/x/y/c.PNG", "in_redacted/x/y/c.PNG"),
        ]
        assert sources_and_targets(plan(["in/"], "out")) == [
            ("in/b.jpg", "out/b.jpg"),
            ("in/x/a.mp4", "out/x/a.mp4"),
            ("in/x/y/c.PNG", "out/x/y/c.PNG"),
        ]

    def test_the_current_folder_has_a_name_too(self, folder: Path) -> None:
        touch("a.jpg")
        (job,) = plan(["."]).jobs
        assert job.target == folder.with_name(folder.name + "_redacted") / "a.jpg"

    def test_hidden_files_and_folders_are_skipped(self) -> None:
        touch("in/a.jpg", "in/.b.jpg", "in/.cache/c.jpg", "in/._a.jpg", "in/x/.y/d.jpg")
        assert [job.source.name for job in plan(["in"]).jobs] == ["a.jpg"]

    def test_a_hidden_folder_that_is_named_is_entered(self) -> None:
        touch(".in/a.jpg")
        assert len(plan([".in"]).jobs) == 1

    def test_existing_outputs_are_skipped_unless_they_may_be_overwritten(self) -> None:
        touch("in/a.jpg", "in/b.jpg", "out/a.jpg")
        planned = plan(["in"], "out")
        assert sources_and_targets(planned) == [("in/b.jpg", "out/b.jpg")]
        assert planned.skipped == (SkippedFile(Path("in/a.jpg"), Path("out/a.jpg")),)
        assert "in/a.jpg: skipped" in str(planned.skipped[0])
        assert len(plan(["in"], "out", overwrite=True).jobs) == 2

    def test_an_output_folder_inside_the_input_is_not_redacted_again(self) -> None:
        touch("in/a.jpg", "in/out/a.jpg", "in/out/x/b.jpg", "in/other/c.jpg")
        for output in ("in/out", Path("in/out").absolute()):
            planned = plan(["in"], output, overwrite=True)
            names = [job.source.as_posix() for job in planned.jobs]
            assert names == ["in/a.jpg", "in/other/c.jpg"]

    def test_an_input_folder_inside_the_output_is_redacted(self) -> None:
        touch("out/in/a.jpg")
        assert sources_and_targets(plan(["out/in"], "out")) == [("out/in/a.jpg", "out/a.jpg")]

    def test_outputs_next_to_their_inputs_are_not_redacted_again(self) -> None:
        touch("in/a.jpg", "in/a_redacted.jpg", "in/b.avi", "in/b_redacted.avi.mkv")
        touch("in/c_redacted.jpg")  # there is no c.jpg, so it is not an output
        names = [job.source.name for job in plan(["in"]).jobs]
        assert names == ["a.jpg", "b.avi", "c_redacted.jpg"]

    def test_containers_with_the_same_stem_do_not_collide(self) -> None:
        touch("in/a.avi", "in/a.mkv", "in/a.mp4", "in/a.wmv")
        targets = [job.target.name for job in plan(["in"]).jobs]
        assert targets == ["a.avi.mkv", "a.mkv", "a.mp4", "a.wmv.mkv"]

    def test_a_broken_link_is_not_an_input(self) -> None:
        touch("in/a.jpg")
        Path("in/b.jpg").symlink_to("missing.jpg")
        assert len(plan(["in"]).jobs) == 1


class TestPatternsAndSeveralInputs:
    def test_a_pattern_matches_files(self) -> None:
        touch("in/a.jpg", "in/b.jpg", "in/c.png", "in/x/d.jpg", "in/notes.txt")
        Path("in/folder.jpg").mkdir()
        assert sources_and_targets(plan(["in/*.jpg"])) == [
            ("in/a.jpg", "in/a_redacted.jpg"),
            ("in/b.jpg", "in/b_redacted.jpg"),
        ]
        assert sources_and_targets(plan(["in/**/*.jpg"], "out")) == [
            ("in/a.jpg", "out/a.jpg"),
            ("in/b.jpg", "out/b.jpg"),
            ("in/x/d.jpg", "out/x/d.jpg"),
        ]

    def test_a_pattern_skips_outputs_next_to_their_inputs(self) -> None:
        touch("a.jpg", "a_redacted.jpg", "b.jpg")
        planned = plan(["*.jpg"])
        assert sources_and_targets(planned) == [("b.jpg", "b_redacted.jpg")]
        assert [str(skipped.source) for skipped in planned.skipped] == ["a.jpg"]

    def test_an_absolute_pattern_is_mirrored(self, folder: Path) -> None:
        touch("in/x/a.jpg")
        (job,) = plan([f"{folder}/in/*/a.jpg"], "out").jobs
        assert job.target == Path("out/x/a.jpg")

    def test_several_inputs_go_into_one_folder(self) -> None:
        touch("a.mp4", "p/b.jpg", "in/x/c.gif")
        assert sources_and_targets(plan(["a.mp4", "p/b.jpg", "in"], "out")) == [
            ("a.mp4", "out/a.mp4"),
            ("p/b.jpg", "out/b.jpg"),
            ("in/x/c.gif", "out/x/c.gif"),
        ]
        assert sources_and_targets(plan(["a.mp4", "in"])) == [
            ("a.mp4", "a_redacted.mp4"),
            ("in/x/c.gif", "in_redacted/x/c.gif"),
        ]

    def test_a_file_named_twice_is_redacted_once(self) -> None:
        touch("in/a.jpg")
        assert len(plan(["in/a.jpg", "in/../in/a.jpg", "in", "in/*"], "out").jobs) == 1


class TestRefusals:
    @pytest.mark.parametrize("name", ["missing.jpg", "missing/"])
    def test_a_missing_input(self, name: str) -> None:
        with pytest.raises(SourceError, match=r"missing.*no such file or folder"):
            plan([name])

    @pytest.mark.parametrize("name", ["-", "http://host/a.mp4", "rtsp://host/1", "/dev/null"])
    def test_a_stream_or_an_address_as_input(self, name: str) -> None:
        with pytest.raises(SourceError, match=f"{name}: is not a file.*trackblur live SOURCE --to"):
            plan([name])

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_a_pipe_is_not_waited_for(self) -> None:
        os.mkfifo("in.mp4")
        with pytest.raises(SourceError, match=r"in\.mp4: is not a file.*trackblur live"):
            plan(["in.mp4"])

    @pytest.mark.parametrize("output", ["-", "rtmp://host/key"])
    def test_a_stream_or_an_address_as_output(self, output: str) -> None:
        touch("a.jpg")
        with pytest.raises(SettingsError, match=f"{output}: is not a file"):
            plan(["a.jpg"], output)

    @pytest.mark.parametrize("output", ["out.xyz", "out.avi", "/dev/null.txt"])
    def test_an_output_of_an_unknown_kind(self, output: str) -> None:
        touch("a.mp4")
        with pytest.raises(SettingsError, match=f"{output}: videos are written as"):
            plan(["a.mp4"], output)

    def test_a_file_in_a_closed_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(self: Path, **_: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))

        monkeypatch.setattr(Path, "stat", refuse)
        with pytest.raises(SourceError, match=r"cannot be read \(permission denied\)"):
            plan(["closed/a.jpg"])

    def test_a_pattern_that_matches_nothing(self) -> None:
        touch("notes.txt")
        with pytest.raises(SourceError, match="matches no videos or images"):
            plan(["*"])

    def test_a_folder_without_media(self) -> None:
        touch("in/notes.txt")
        with pytest.raises(SourceError, match="contains no videos or images"):
            plan(["in"])

    @pytest.mark.parametrize("inputs", [["in"], ["in/*"], ["in/a.jpg", "in/b.jpg"]])
    def test_one_file_as_output_of_several(self, inputs: list[str]) -> None:
        touch("in/a.jpg", "in/b.jpg", "out.jpg")
        with pytest.raises(SettingsError, match=r"out\.jpg: is a file"):
            plan(inputs, "out.jpg")

    @pytest.mark.parametrize(
        ("source", "output"),
        [
            ("a.jpg", "a.jpg"),
            ("a.jpg", "."),
            ("a.jpg", "in/../a.jpg"),
            ("in", "in"),
            ("in/*", "in"),
            ("videos", "videos/"),
        ],
    )
    def test_an_output_that_is_the_input(self, source: str, output: str) -> None:
        touch("a.jpg", "in/b.jpg", "videos/c.avi")
        with pytest.raises(SettingsError, match=r"is an input|is the input folder"):
            plan([source], output, overwrite=True)

    def test_an_output_that_leads_to_the_input(self) -> None:
        touch("a.jpg")
        Path("link.jpg").symlink_to("a.jpg")
        with pytest.raises(SettingsError, match="is an input"):
            plan(["a.jpg"], "link.jpg", overwrite=True)

    def test_two_outputs_with_the_same_name(self) -> None:
        touch("x/a.jpg", "y/a.jpg")
        with pytest.raises(SettingsError, match=r"a\.jpg: would be the output of x.*and of y"):
            plan(["x/a.jpg", "y/a.jpg"], "out")


stems = st.sampled_from(["a", "b", "a.avi", "a_redacted", "a_redacted_redacted", ".a", "c.d"])
suffixes = st.sampled_from([".jpg", ".JPG", ".png", ".gif", ".mp4", ".mkv", ".avi", ".ts", ".txt"])
folders = st.sampled_from(["", "x/", "x/y/", "out/", "x_redacted/", ".h/"])
trees = st.sets(st.builds("{}{}{}".format, folders, stems, suffixes), min_size=1, max_size=12)


@given(
    tree=trees,
    output=st.sampled_from([None, "../other", "in/out", "../in_redacted", "in/x", ".."]),
    name=st.sampled_from(["in", "in/**", "in/*", "in/x"]),
    overwrite=st.booleans(),
)
@settings(max_examples=80)
def test_no_output_is_another_output_or_an_input_whatever_the_files(
    tmp_path_factory: pytest.TempPathFactory,
    tree: set[str],
    output: str | None,
    name: str,
    overwrite: bool,
) -> None:
    os.chdir(tmp_path_factory.mktemp("tree"))
    touch(*(f"in/{file}" for file in tree))
    try:
        planned = plan([name], output, overwrite=overwrite)
    except (SourceError, SettingsError):
        return  # refused as a whole, nothing is written
    items: list[Job | SkippedFile] = [*planned.jobs, *planned.skipped]
    everything = [(Path(item.source), Path(item.target)) for item in items]
    targets = [target.resolve() for _, target in everything]
    sources = {source.resolve() for source, _ in everything}
    assert len(set(targets)) == len(targets)
    assert not sources & set(targets)
    root = Path("in/x" if name == "in/x" else "in")
    for source, target in everything:
        place = source.relative_to(root)
        assert not any(part.startswith(".") for part in place.parts)
        expected_folder = place.parent
        if output is not None:
            assert target.parent == Path(output) / expected_folder
        elif "*" in name:
            assert target.parent == source.parent
        else:
            assert target.parent == root.with_name(f"{root.name}_redacted") / expected_folder
        assert target.name.startswith(source.stem)
    for job in planned.jobs:
        with job.target_folder():
            job.target.touch()
    again = plan([name], output)  # the same command does not redact its own outputs
    assert not again.jobs
    assert {Path(item.target).resolve() for item in again.skipped} <= set(targets)
