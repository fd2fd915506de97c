"""Files on a Ray cluster: the same outputs, whatever machine is lost."""

from __future__ import annotations

import json
import threading
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tests.buckets.memory import MemoryBuckets
from tests.command_line import error_line, run
from tests.ports import free_port
from tests.video.rewriting import times
from tests.video_files import write_clip
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ray: Any = pytest.importorskip("ray", reason="needs the extra [test-cluster]")
cluster_utils: Any = pytest.importorskip(
    "ray.cluster_utils", reason="needs the extra [test-cluster]"
)
pytestmark = [
    pytest.mark.slow,
    # Ray leaves sockets and processes to the garbage collector, and announces changes of its own.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
OPTIONS = ("--detector", "haar", "--view-size", "160")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a video of four pieces, a short one, and one that is broken."""
    path = tmp_path_factory.mktemp("ray") / "in"
    path.mkdir()
    details: dict[str, Any] = {
        "rate": Fraction(5),
        "gop": 25,
        "options": {"x264-params": "scenecut=0"},
    }
    write_clip(path / "long.mp4", frames=325, **details)
    write_clip(path / "short.mp4", frames=20, **details)
    (path / "broken.mp4").write_bytes(b"no video")
    return path


@pytest.fixture
def nodes() -> Iterator[Any]:
    """Return a cluster of two machines, each with a core for an actor."""
    made = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_machine_that_is_lost_costs_only_its_tasks(
    folder: Path, nodes: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    target = tmp_path / "out"

    def lose() -> None:
        until(lambda: list(target.glob(".trackblur-pieces-*/*.seen")))
        nodes.remove_node(second, allow_graceful=False)

    losing = threading.Thread(target=lose)
    losing.start()
    code = run(folder, target, *OPTIONS, "--ray", nodes.address, "--json")
    losing.join()
    assert code == 1
    printed = capsys.readouterr()
    assert printed.err.count("error: ") == 1
    assert "broken.mp4: " in printed.err
    summary = json.loads(printed.out)  # and nothing that Ray says about the lost machine
    pieces = {path["input"].rpartition("/")[2]: path["pieces"] for path in summary["files"]}
    assert pieces["short.mp4"] is None
    assert pieces["long.mp4"]["done"] == pieces["long.mp4"]["total"] == 4
    assert sorted(path.name for path in target.iterdir()) == ["long.mp4", "short.mp4"]
    for name in ("long.mp4", "short.mp4"):
        assert times(target / name) == times(folder / name)
    alone = tmp_path / "alone.mp4"
    assert run(folder / "long.mp4", alone, *OPTIONS, "--jobs", "2") == 0
    assert (target / "long.mp4").read_bytes() == alone.read_bytes()


def test_what_is_in_a_bucket_lies_in_a_folder_that_all_machines_see(
    folder: Path, nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = MemoryBuckets("from", "to")
    monkeypatch.setattr("tracker_blur.buckets.objects._filesystem", lambda _: buckets)
    for name in ("long.mp4", "short.mp4"):
        buckets.pipe_file(f"s3://from/{name}", (folder / name).read_bytes())
    where = ("--ray", nodes.address, "--staging", tmp_path / "shared")
    assert run("s3://from", "s3://to", *OPTIONS, *where) == 0
    assert [name for name in buckets.names() if "/to/" in name] == [
        "s3://to/long.mp4",
        "s3://to/short.mp4",
    ]
    alone = tmp_path / "alone.mp4"
    assert run(folder / "long.mp4", alone, *OPTIONS, "--jobs", "2") == 0
    assert buckets.cat_file("s3://to/long.mp4") == alone.read_bytes()
    assert not list((tmp_path / "shared").rglob("*.mp4"))


def test_a_cluster_that_is_not_there_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    assert run(folder / "short.mp4", tmp_path / "out.mp4", *OPTIONS, "--ray", address) == 1
    assert f"{address}: this Ray cluster cannot be reached" in error_line(capsys)
    assert list(tmp_path.iterdir()) == []
