"""Plans with buckets: no output is an input, exists already, or lies outside the folder OUT."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tracker_blur.buckets.plan import plan
from tracker_blur.errors import SettingsError, SourceError

if TYPE_CHECKING:
    from tests.buckets.memory import MemoryBuckets
    from tracker_blur.files.jobs import Plan

NAMES = ("a.mp4", "b/c.avi", "b/d.JPG", "notes.txt", ".hidden/e.mp4")


def planned(*inputs: str, output: str | None, overwrite: bool = False) -> Plan:
    return plan(inputs, output, Path("/staging"), overwrite=overwrite)


def targets(of: Plan) -> dict[str, str]:
    """Return what the user calls the inputs and their outputs."""
    return {
        job.source_name: job.shown_names.get(str(job.target), str(job.target)) for job in of.jobs
    }


@pytest.fixture
def filled(buckets: MemoryBuckets) -> MemoryBuckets:
    for name in NAMES:
        buckets.pipe_file(f"s3://from/in/{name}", b"12345")
    return buckets


def test_a_folder_is_mirrored(filled: MemoryBuckets) -> None:
    made = planned("s3://from/in", output="s3://to/out")
    assert targets(made) == {
        "s3://from/in/a.mp4": "s3://to/out/a.mp4",
        "s3://from/in/b/c.avi": "s3://to/out/b/c.avi.mkv",
        "s3://from/in/b/d.JPG": "s3://to/out/b/d.JPG",
    }
    assert [job.kind for job in made.jobs] == ["video", "video", "image"]
    assert {job.size_bytes for job in made.jobs} == {5}
    assert all(Path("/staging") in job.source.parents for job in made.jobs)


def test_an_object_goes_where_out_says(filled: MemoryBuckets) -> None:
    source = "s3://from/in/a.mp4"
    for output, target in (
        ("s3://to/x.mp4", "s3://to/x.mp4"),
        ("s3://to/x/", "s3://to/x/a.mp4"),
        ("s3://to", "s3://to/a.mp4"),
        ("x.mkv", "x.mkv"),
        ("x/", "x/a.mp4"),
    ):
        assert targets(planned(source, output=output)) == {source: target}


def test_files_of_this_machine_go_into_a_bucket(filled: MemoryBuckets, tmp_path: Path) -> None:
    for name in ("1.mp4", "2.mp4"):
        (tmp_path / name).write_bytes(b"1")
    made = planned(str(tmp_path), "s3://from/in/a.mp4", output="s3://to/x/")
    assert targets(made) == {
        str(tmp_path / "1.mp4"): "s3://to/x/1.mp4",
        str(tmp_path / "2.mp4"): "s3://to/x/2.mp4",
        "s3://from/in/a.mp4": "s3://to/x/a.mp4",
    }
    assert [job.source == Path(job.source_name) for job in made.jobs] == [True, True, False]


def test_outputs_that_exist_are_skipped_unless_there_is_only_one(filled: MemoryBuckets) -> None:
    filled.pipe_file("s3://to/out/a.mp4", b"done")
    made = planned("s3://from/in/", output="s3://to/out/")
    assert [str(each) for each in made.skipped] == [
        "s3://from/in/a.mp4: skipped, s3://to/out/a.mp4 already exists"
    ]
    assert len(made.jobs) == 2
    assert len(planned("s3://from/in/", output="s3://to/out/", overwrite=True).jobs) == 3
    assert len(planned("s3://from/in/a.mp4", output="s3://to/out/a.mp4").jobs) == 1


def test_outputs_within_the_input_folder_are_no_inputs(filled: MemoryBuckets) -> None:
    filled.pipe_file("s3://from/in/out/a.mp4", b"done")
    made = planned("s3://from/in/", output="s3://from/in/out/", overwrite=True)
    assert len(made.jobs) == 3


@pytest.mark.parametrize(
    "key", ["../../../etc/a.mp4", "b/../../a.mp4", "b//a.mp4", "b/x\\..\\a.mp4"]
)
def test_no_key_leads_out_of_the_output_folder(
    buckets: MemoryBuckets, tmp_path: Path, key: str
) -> None:
    buckets.pipe_file("s3://from/in/good.mp4", b"1")
    buckets.store[f"/from/in/{key}"] = buckets.store["/from/in/good.mp4"]
    made = planned("s3://from/in/", output=str(tmp_path / "out"))
    assert [job.target for job in made.jobs] == [tmp_path / "out" / "good.mp4"]
    assert [str(each) for each in made.unsupported] == [
        f"s3://from/in/{key}: skipped, it is named as no file can be: rename it"
    ]


@pytest.mark.parametrize(
    ("inputs", "output", "message"),
    [
        (["s3://from/in/"], None, "nothing is written unasked: name the output"),
        (["s3://from/in"], "s3://from/in/", "is the input folder"),
        (["s3://from/in/a.mp4"], "s3://from/in/a.mp4", "is an input"),
        (["s3://from/in/a.mp4"], "s3://from/in/", "is an input"),
        (["s3://from/in/"], "s3://to/out.mp4", "may be several outputs: name a folder"),
        (["s3://from/in/a.mp4", "s3://from/in/b/../a.mp4"], "s3://to/", "no such object"),
        (["s3://from/in/a.mp4"], "s3://to/x.avi", r"x\.avi: videos are written as"),
        (["s3://from/in/b/d.JPG"], "s3://to/x.mp4", r"x\.mp4: d\.JPG is an image"),
    ],
)
def test_what_makes_no_sense_is_refused(
    filled: MemoryBuckets, inputs: list[str], output: str | None, message: str
) -> None:
    with pytest.raises((SettingsError, SourceError), match=message):
        planned(*inputs, output=output)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s3://from/in/nothing.mp4", "no such object or folder: check the name"),
        ("s3://from/in/*.mp4", "patterns are for files of this machine: name a folder"),
        ("s3://from/text/", "contains no videos or images: check the name"),
        ("s3://from/raw/", "it is a raw photo"),
    ],
)
def test_inputs_that_are_not_there_are_named(
    filled: MemoryBuckets, name: str, message: str
) -> None:
    filled.pipe_file("s3://from/text/notes.txt", b"1")
    filled.pipe_file("s3://from/raw/photo.dng", b"1")
    with pytest.raises(SourceError, match=message) as raised:
        planned(name, output="s3://to/")
    assert str(raised.value).startswith(name)
