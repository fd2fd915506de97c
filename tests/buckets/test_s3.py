"""An S3 server: objects appear whole, and what is missing is one line. CI has no such server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.program import INTERRUPTIBLE_PROGRAM
from tests.video_files import write_clip
from tests.waiting import until
from tracker_blur.buckets import objects
from tracker_blur.errors import SinkError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

boto3: Any = pytest.importorskip("boto3", reason="needs the extra [test-cluster]")
moto_server: Any = pytest.importorskip("moto.server", reason="needs the extra [test-cluster]")
pytest.importorskip("s3fs", reason="needs the extra [test-cluster]")
pytestmark = [
    pytest.mark.slow,
    # These packages leave their connections to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
OPTIONS = ("--detector", "haar", "--view-size", "160")
_MULTIPART_BYTES = 101 << 20  # s3fs stores in parts from 100 MiB on


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Return a client of the server, which has two empty buckets."""
    variables = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path_factory.mktemp("home")),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    objects._filesystem.cache_clear()
    made = boto3.client("s3")
    for bucket in ("footage", "hidden"):
        made.create_bucket(Bucket=bucket)
    yield made
    for bucket in ("footage", "hidden"):
        for key in keys(made, bucket):
            made.delete_object(Bucket=bucket, Key=key)
    objects._filesystem.cache_clear()


def keys(client: Any, bucket: str = "hidden") -> list[str]:
    return [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket).get("Contents", [])]


def trackblur(*arguments: str | Path) -> tuple[int, str, str]:
    """Run the command line in a process, and return its exit code and what it printed."""
    command = [*INTERRUPTIBLE_PROGRAM, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True)
    return ended.returncode, ended.stdout, ended.stderr


def test_a_folder_is_redacted_by_two_processes(client: Any, tmp_path: Path) -> None:
    clips = [write_clip(tmp_path / name, frames=10) for name in ("a.mp4", "b c.mp4")]
    for clip in clips:
        client.upload_file(str(clip), "footage", f"day/{clip.name}")
    client.put_object(Bucket="footage", Key="day/", Body=b"")  # as consoles make folders
    before = client.list_objects_v2(Bucket="footage")["Contents"]
    staging = tmp_path / "staging"
    code, printed, messages = trackblur(
        *("s3://footage/day", "s3://hidden/out/", *OPTIONS, "--jobs", "2", "--json"),
        *("--staging", staging, "--verify"),
    )
    assert code == 0, messages
    assert [each["output"] for each in json.loads(printed)["files"]] == [
        "s3://hidden/out/a.mp4",
        "s3://hidden/out/b c.mp4",
    ]
    assert str(staging) not in printed + messages
    assert keys(client) == ["out/a.mp4", "out/b c.mp4"]
    for clip in clips:
        local = tmp_path / f"local {clip.name}"
        trackblur(clip, local, *OPTIONS)
        stored = client.get_object(Bucket="hidden", Key=f"out/{clip.name}")["Body"].read()
        assert stored == local.read_bytes()
    assert client.list_objects_v2(Bucket="footage")["Contents"] == before
    assert [path.name for path in (staging / ".trackblur-staging").iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("source", "target", "environment", "message"),
    [
        ("s3://footage/x.mp4", "s3://hidden/x.mp4", {}, "footage/x.mp4: no such object or folder"),
        ("s3://nothing/x.mp4", "s3://hidden/x.mp4", {}, "nothing/x.mp4: no such bucket"),
        ("s3://footage/a.mp4", "s3://nothing/x.mp4", {}, "nothing/x.mp4: no such bucket"),
        (
            *("s3://footage/a.mp4", "x.mp4"),
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "footage/a.mp4: there are no credentials for it",
        ),
        (
            *("s3://footage/a.mp4", "x.mp4", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}),
            "footage/a.mp4: cannot be reached",
        ),
        (
            *("s3://footage/a.mp4", "x.mp4", {"AWS_PROFILE": "unknown"}),
            "footage/a.mp4: there are no credentials for it",
        ),
    ],
    ids=["object", "input-bucket", "output-bucket", "credentials", "server", "profile"],
)
def test_what_is_missing_is_one_line(
    client: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    target: str,
    environment: dict[str, str],
    message: str,
) -> None:
    client.upload_file(str(write_clip(tmp_path / "a.mp4", frames=3)), "footage", "a.mp4")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    code, _, messages = trackblur(source, target, *OPTIONS, "--staging", tmp_path)
    assert code == 1
    (line,) = (line for line in messages.splitlines() if "error:" in line)
    assert message in line
    assert "Traceback" not in messages
    assert keys(client) == []
    assert not Path("x.mp4").exists()


def test_an_object_that_another_one_has_written_is_not_replaced(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "check_free", lambda *_, **__: None)
    client.put_object(Bucket="hidden", Key="out.mp4", Body=b"theirs")
    for size in (100, _MULTIPART_BYTES):
        (tmp_path / "out.mp4").write_bytes(bytes(size))
        with pytest.raises(SinkError, match="already exists"):
            objects.store(tmp_path / "out.mp4", "s3://hidden/out.mp4", overwrite=False)
    assert client.get_object(Bucket="hidden", Key="out.mp4")["Body"].read() == b"theirs"


def test_an_input_with_the_same_size_that_was_replaced_is_noticed(
    client: Any, tmp_path: Path
) -> None:
    client.put_object(Bucket="footage", Key="in.mp4", Body=b"original")
    fetched = objects.fetch("s3://footage/in.mp4", tmp_path / "in.mp4")
    objects.check_unchanged(fetched)
    client.put_object(Bucket="footage", Key="in.mp4", Body=b"another_")
    with pytest.raises(SourceError, match="was replaced or changed"):
        objects.check_unchanged(fetched)


_STORE = """
import sys
from pathlib import Path
from tracker_blur.buckets import objects
objects.store(Path(sys.argv[1]), "s3://hidden/out.mp4", overwrite=False)
"""


def test_an_upload_that_is_killed_leaves_no_object(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(bytes(_MULTIPART_BYTES))
    uploading = subprocess.Popen([sys.executable, "-c", _STORE, str(path)])
    until(lambda: client.list_multipart_uploads(Bucket="hidden").get("Uploads"))
    uploading.kill()
    assert uploading.wait() == -signal.SIGKILL
    assert keys(client) == []
    objects.store(path, "s3://hidden/out.mp4", overwrite=False)
    assert client.head_object(Bucket="hidden", Key="out.mp4")["ContentLength"] == _MULTIPART_BYTES


def test_an_interrupted_run_continues_with_its_pieces(client: Any, tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "in.mp4",
        frames=325,
        rate=Fraction(5),
        gop=25,
        options={"preset": "ultrafast", "x264-params": "scenecut=0"},
    )
    client.upload_file(str(clip), "footage", "in.mp4")
    staging = tmp_path / "staging"
    command = [
        *INTERRUPTIBLE_PROGRAM,
        *("s3://footage/in.mp4", "s3://hidden/out.mp4", "--staging", str(staging)),
        *(*OPTIONS, "--jobs", "2"),
    ]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until(lambda: list(staging.rglob("*.piece")))
    program.send_signal(signal.SIGINT)
    _, messages = program.communicate()
    if program.returncode == 130:
        assert "the same command continues with them" in messages
        assert list(staging.rglob("*.piece"))
        assert keys(client) == []
    assert not list(staging.rglob("in.mp4"))
    ended = subprocess.run([*command, "--overwrite"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    if program.returncode == 130:
        assert "s3://hidden/out.mp4: continues with" in ended.stderr
    local = tmp_path / "local.mp4"
    trackblur(clip, local, *OPTIONS, "--jobs", "2")
    stored = client.get_object(Bucket="hidden", Key="out.mp4")["Body"].read()
    assert stored == local.read_bytes()
    assert not list(staging.rglob("*.piece"))
