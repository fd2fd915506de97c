"""What needs PyTorch: the network, what it is taught, the file it becomes, a whole training."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

# What follows imports PyTorch itself, so the check must come before it (E402: .ruff.toml).
from tests import heeding
from tests.annotated_files import picture, write_picture
from tests.training.scenes_made import scene
from tracker_blur.cli.train import run_train
from tracker_blur.core.box import Box
from tracker_blur.detectors.onnx import from_content
from tracker_blur.errors import SettingsError, SinkError, SourceError
from tracker_blur.training import checkpoints
from tracker_blur.training.data import Canvases, batch
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.export import judged, onnx_bytes
from tracker_blur.training.loop import Mine, _rate
from tracker_blur.training.losses import assigned, guesses, loss
from tracker_blur.training.network import MEAN, SCALE, Network, Shape
from tracker_blur.training.recipe import Plan, Recipe, Views, material
from tracker_blur.training.run import run

TINY = Shape(1, (4, 4), (8, 8, 8), (0, 0, 0, 0), 8, 1)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


def test_the_maps_have_the_strides() -> None:
    maps = Network(Shape(2, *[getattr(TINY, n) for n in ("stem", "body", "depth", "neck")]))(
        torch.zeros(2, 3, 64, 96)
    )
    assert [tuple(one.shape) for one in maps] == [(2, 6, 8, 12), (2, 6, 4, 6), (2, 6, 2, 3)]


def test_a_narrower_network_has_channels_in_eights() -> None:
    shape = Shape(2).scaled(0.67)
    assert (shape.stem, shape.body, shape.neck) == ((8, 16), (32, 56, 64), 32)
    assert (shape.classes, shape.depth) == (2, Shape().depth)
    assert Shape(1).scaled(1.0) == Shape(1)
    assert Shape(1).scaled(0.01).neck == 8


def test_a_thing_is_taught_to_cells_near_its_center() -> None:
    found = guesses(Network(TINY)(torch.zeros(1, 3, 128, 128)))
    truth = batch([scene(Box(30, 30, 46, 46), Box(10, 10, 118, 118), size=(128, 128))]).truth
    pairs = assigned(found, truth)
    assert set(pairs.thing.tolist()) == {0, 1}
    for cell, thing in zip(pairs.cell.tolist(), pairs.thing.tolist(), strict=True):
        box = truth.boxes[thing]
        center = (box[:2] + box[2:]) / 2
        assert (found.points[cell] - center).abs().max() <= 1.5 * found.strides[cell]


def test_a_cell_is_taught_one_thing() -> None:
    found = guesses(Network(TINY)(torch.zeros(1, 3, 64, 64)))
    boxes = [Box(20 + i, 20, 40 + i, 40) for i in range(12)]
    pairs = assigned(found, batch([scene(*boxes, size=(64, 64))]).truth)
    assert len(set(pairs.cell.tolist())) == len(pairs.cell)


def test_ignored_regions_have_no_loss() -> None:
    maps = [torch.zeros(1, 5, 64 // s, 64 // s) for s in (8, 16, 32)]
    bare = scene(size=(64, 64))
    losses = []
    for regions in ([], [(0, 0, 32, 64)], [(0, 0, 64, 64)]):
        ignored = np.array(regions, np.float32).reshape(-1, 4)
        made = batch([type(bare)(bare.image, bare.boxes, bare.labels, ignored)])
        found = guesses(tuple(maps))
        scores, boxes = loss(found, made.truth, assigned(found, made.truth))
        losses.append(float(scores))
        assert float(boxes) == 0.0
    assert losses[1] == pytest.approx(losses[0] / 2)
    assert losses[2] == 0.0


def test_it_learns_a_single_picture_and_the_detector_finds_it(tmp_path: Path) -> None:
    disk = Box(40, 40, 70, 70)
    made = batch([scene(disk, size=(128, 128), seed=i) for i in range(2)])
    network = Network(TINY)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    for step in range(220):
        optimizer.param_groups[0]["lr"] = 0.02 if step < 130 else 0.001
        found = guesses(network(made.pictures.float()))
        optimizer.zero_grad()
        sum(loss(found, made.truth, assigned(found, made.truth))).backward()
        optimizer.step()
    content = onnx_bytes(network, ["disk"])
    detector = from_content("disk.onnx", content)
    (best, *_) = sorted(
        detector.detect(picture(0, (disk,), (128, 128)), 0.2), key=lambda find: -find.score
    )
    assert best.label == "disk"
    assert best.box.iou(disk) > 0.6


def test_opencv_and_pytorch_agree() -> None:
    network = Network(TINY).eval()
    image = picture(3, size=(96, 64))
    with torch.no_grad():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None].float())
    net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_bytes(network, ["a", "b"][:1]), np.uint8))
    net.setInput(cv2.dnn.blobFromImage(image, SCALE, mean=(MEAN, MEAN, MEAN)))
    for stride, one in zip((8, 16, 32), expected, strict=True):
        found = net.forward(f"trackblur2/{stride}/a")
        np.testing.assert_allclose(found, one.numpy(), atol=1e-3)


@pytest.mark.parametrize("classes", [["a+b"], ["a/b"], ["a", "b"], []])
def test_class_names_that_cannot_be_told_apart_are_refused(classes: list[str]) -> None:
    with pytest.raises(SettingsError):
        onnx_bytes(Network(TINY), classes)


def test_canvases_of_one_seed_are_the_same() -> None:
    scenes = [scene(Box(60, 40, 100, 80)), scene(seed=1)]
    first, again = (next(iter(Canvases(scenes, [1, 1], Views(96), 3))) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)


def test_false_alarms_in_empty_pictures_are_mined_and_shown() -> None:
    scenes = [scene(Box(60, 40, 100, 80)), scene(seed=1, size=(100, 70)), scene(seed=2)]
    network = Network(TINY).eval()
    mine = Mine(scenes)
    mine.look(network, torch.device("cpu"))
    assert not mine.worst.any()  # every cell starts with a score of 0.01
    for head in network.heads:
        torch.nn.init.constant_(head[-1].bias[:1], 2.0)
    mine.look(network, torch.device("cpu"))
    assert not mine.worst[0].any()  # people labelled something in it
    sides = mine.worst[1:, 2:] - mine.worst[1:, :2]
    assert (sides > 0).all()
    assert (mine.worst[1, 2:] <= torch.tensor([100, 70])).all()
    views = Views(96, crowd_share=0, mined_share=1.0)
    canvases = Canvases(scenes, [1, 0, 0], views, 3, mine.worst)
    made = [canvases.make(np.random.default_rng(i)) for i in range(10)]
    assert not any(len(one.boxes) for one in made)


def test_folders_are_drawn_by_their_shares() -> None:
    scenes = [scene(Box(60, 40, 100, 80)), scene(seed=1)]
    canvases = Canvases(scenes, [1, 0], Views(96, crowd_share=0), 3)
    made = [canvases.make(np.random.default_rng(i)) for i in range(10)]
    assert all(len(one.boxes) + len(one.ignored) for one in made)


def test_checkpoints_of_another_version_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    with monkeypatch.context() as earlier:
        earlier.setattr(checkpoints, "_VERSION", 1)
        checkpoints.save(checkpoints.State(TINY, ("disk",)), path)
    with pytest.raises(SettingsError, match="of another version of trackblur: delete it"):
        checkpoints.load(path)


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of POSIX")
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "checkpoint.pt"
    checkpoints.save(checkpoints.State(TINY, ("disk",)), path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, limits[1]))
    try:
        with pytest.raises(SinkError, match=r"checkpoint\.pt: no space left to write it"):
            checkpoints.save(checkpoints.State(TINY, ("disk",), step=1), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert checkpoints.load(path).step == 0
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_damaged_checkpoints_are_told(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(SettingsError, match="not a checkpoint"):
        checkpoints.load(tmp_path / "checkpoint.pt")


def test_a_whole_training_and_its_continuation(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(dataset), "--name", "disk", "--out", str(tmp_path), "--batch", "2"]
    words += ["--side", "64", "--workers", "0", "--share", "disks=2", "--device", "cpu"]
    words += ["--outline", "rectangle", "--upright", "--widen", "1,1.5", "--width", "0.3"]
    write_picture(dataset / "disks" / "low.png", picture(1, (), (96, 6)))  # nothing to cut out
    with (dataset / "labels.csv").open("a", encoding="utf-8") as table:
        table.write("disks/low.png,train,96,6,disk,,\n")
    assert run_train([*words, "--steps", "2"]) == 0
    card = (tmp_path / "disk.md").read_text(encoding="utf-8")
    assert "- batches: 2\n- asked for: 2 batches\n" in card
    assert "It began with random weights." in card
    first = (tmp_path / "disk.onnx").read_bytes()
    assert from_content("disk.onnx", first).labels == ("disk",)
    assert run_train([*words, "--steps", "3"]) == 0
    out = capsys.readouterr().out
    assert "train: 11 pictures, 1 of them without a box; boxes: 10 disk" in out
    assert "going on after 2 batches" in out
    assert (tmp_path / "disk.onnx").read_bytes() != first
    state = checkpoints.load(tmp_path / "disk.training" / "checkpoint.pt")
    assert (state.step, [row["step"] for row in state.history]) == (3, [2.0, 3.0])
    card = (tmp_path / "disk.md").read_text(encoding="utf-8")
    assert "| disks | 11 | 10 | 2 |" in card
    assert "- asked for: 2 batches, then 3 batches (gone on with: the rate" in card
    for name in ("curves.png", "pictures.jpg"):
        assert (tmp_path / "disk.training" / name).is_file()


QUICK = ["--batch", "2", "--side", "64", "--workers", "0", "--width", "0.3", "--device", "cpu"]


def test_another_training_does_not_go_on_under_the_same_name(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*words, "--steps", "1"]) == 0
    card = (tmp_path / "x.md").read_text(encoding="utf-8")
    table = dataset / "labels.csv"
    rows = table.read_text(encoding="utf-8")
    table.write_text(rows.replace("20 16 48 44", "20 16 49 44"), encoding="utf-8")
    assert run_train([*words, "--steps", "2", "--rate", "0.5", "--seed", "9"]) == 2
    error = capsys.readouterr().err
    assert "was begun with rate 0.002 (not 0.5); seed 1 (not 9); other pictures to train" in error
    assert f"choose another --name, or delete {tmp_path / 'x.training'}" in error
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == card
    table.write_text(rows, encoding="utf-8")
    moved = dataset.rename(tmp_path / "moved")
    longer = ["--minutes", "0.01", "--threads", "1", "--licences", "CC0"]
    assert run_train([str(moved), *words[1:], *longer]) == 0


def test_a_checkpoint_that_does_not_say_what_it_is_of_goes_on(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*words, "--steps", "1"]) == 0
    path = tmp_path / "x.training" / "checkpoint.pt"
    content = torch.load(path, weights_only=True)
    del content["made_from"]  # as before it was noted
    torch.save(content, path)
    assert run_train([*words, "--steps", "2"]) == 0
    assert checkpoints.load(path).made_from["seed"] == "1"
    torch.save(content | {"classes": ("plate",)}, path)
    assert run_train([*words, "--steps", "3"]) == 2
    assert "was begun with classes plate (not disk)" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["network", "average"])
@pytest.mark.parametrize("steps", ["1", "2"])
def test_a_checkpoint_whose_weights_are_no_numbers_is_told(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str, steps: str
) -> None:
    words = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*words, "--steps", "1"]) == 0
    path, result = tmp_path / "x.training" / "checkpoint.pt", tmp_path / "x.onnx"
    content = torch.load(path, weights_only=True)
    content[part]["heads.0.1.weight"][0] = torch.nan
    torch.save(content, path)
    before = path.read_bytes(), result.read_bytes()
    assert run_train([*words, "--steps", steps]) == 1
    error = capsys.readouterr().err
    assert "checkpoint.pt: its weights are no numbers: delete" in error
    assert len(error.splitlines()) == 1
    assert (path.read_bytes(), result.read_bytes()) == before


def test_weights_that_become_no_numbers_are_not_written(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*words, "--steps", "1"]) == 0
    path, result = tmp_path / "x.training" / "checkpoint.pt", tmp_path / "x.onnx"
    content = torch.load(path, weights_only=True)
    content["optimizer"]["state"][0]["exp_avg"][0] = torch.nan
    torch.save(content, path)
    before = path.read_bytes(), result.read_bytes()
    assert run_train([*words, "--steps", "2"]) == 1
    assert "checkpoint.pt: left as it was: the weights are no" in capsys.readouterr().err
    assert (path.read_bytes(), result.read_bytes()) == before


def test_losses_that_are_no_numbers_end_it_and_write_nothing(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = Network(Shape(1).scaled(0.3))
    torch.nn.init.constant_(network.heads[1][-1].bias, torch.nan)
    (tmp_path / "nan.onnx").write_bytes(onnx_bytes(network, ["disk"]))
    words = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*words, "--steps", "1", "--start", str(tmp_path / "nan.onnx")]) == 1
    error = capsys.readouterr().err
    assert "batch 1: what is learned is no numbers any more" in error
    assert len(error.splitlines()) == 1
    assert not [file for file in tmp_path.iterdir() if file.stem == "x" and file.is_file()]
    assert not (tmp_path / "x.training" / "checkpoint.pt").exists()


@pytest.mark.parametrize("rows", [0, 1])
def test_a_checkpoint_at_its_end_that_was_not_judged_is(
    dataset: Path, tmp_path: Path, rows: int
) -> None:
    words = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    assert run_train([*words, "--steps", "2"]) == 0
    path, card = tmp_path / "x.training" / "checkpoint.pt", tmp_path / "x.md"
    reached = card.read_text(encoding="utf-8").partition("## Reached")[2]
    state = checkpoints.load(path)
    assert [row.pop("ap50") for row in state.history] != []
    state.history = state.history[:rows]
    checkpoints.save(state, path)
    card.unlink()
    assert run_train([*words, "--steps", "1"]) == 0
    assert card.read_text(encoding="utf-8").partition("## Reached")[2] == reached


def test_a_judge_that_fails_loses_nothing(dataset: Path, tmp_path: Path) -> None:
    plan = Plan(
        dataset, "x", tmp_path, (), Recipe(steps=3), Views(64), width=0.3, batch=2, workers=0
    )
    read = material(plan)
    validated = read.val[0].path
    content = validated.read_bytes()
    validated.unlink()
    with pytest.raises(SourceError, match=r"10\.png: "):
        run(plan, read, lambda line: None)
    assert checkpoints.load(tmp_path / "x.training" / "checkpoint.pt").step == 3
    validated.write_bytes(content)
    assert run(plan, read, lambda line: None).is_file()
    assert "AP50" in (tmp_path / "x.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--share", "there=2"], 2, "no pictures in a folder there"),
        (["--teachers", "nobody"], 2, "no detector is called 'nobody'"),
        (["--share", "disks=0"], 2, "--share is 0 for every folder"),
        (["--seed", "99999999999999999999"], 2, "--seed: a number from 0 to 4294967295 is"),
        (["--name", ""], 2, "--name '': a name without folders is expected"),
        (["--name", "a/b"], 2, "--name 'a/b': a name without folders is expected"),
        (["--device", "foo"], 2, "--device foo: not on this machine: choose cpu or auto"),
        (["--device", "cuda:77"], 2, "--device cuda:77: not on this machine"),
        (["--out", "/dev/null/y"], 1, "y/x.training: cannot make this folder (not a directory)"),
    ],
)
def test_tells_what_is_wrong(
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    message: str,
) -> None:
    assert run_train([str(dataset), "--name", "x", "--out", str(tmp_path), *words]) == code
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("ending", [".md", ".onnx"])
def test_what_no_training_wrote_is_not_replaced(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    file = tmp_path / f"README{ending}"
    file.write_text("mine")
    words = [str(dataset), "--name", "README", "--out", str(tmp_path), *QUICK, "--steps", "1"]
    assert run_train(words) == 1
    assert f"README{ending}: exists already, and no training of it" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert not (tmp_path / "README.training").exists()


@pytest.mark.parametrize(("pictures", "count"), [(1, 1), (300, 300), (301, 151), (599, 300)])
def test_no_more_than_300_pictures_are_judged(pictures: int, count: int) -> None:
    one = Annotated(Path("a.png"), (96, 64), ())
    assert len(judged([one] * pictures)) == count


def test_the_usual_rate_is_one(dataset: Path, tmp_path: Path) -> None:
    words = [str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK, "--steps", "1"]
    assert run_train(words) == 0
    made_from = checkpoints.load(tmp_path / "x.training" / "checkpoint.pt").made_from
    assert made_from["rate"] == str(Recipe().rate)


def test_a_device_that_is_not_there_leaves_no_folder(dataset: Path, tmp_path: Path) -> None:
    words = [str(dataset), "--name", "x", "--out", str(tmp_path / "new"), "--device", "foo"]
    assert run_train(words) == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are of POSIX")
def test_an_interruption_keeps_what_was_learned(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", str(dataset), "--name", "x", "--out", str(tmp_path), *QUICK]
    with subprocess.Popen(
        [*heeding.PROGRAM, *words, "--steps", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        while "batches" not in started.stdout.readline():
            assert started.poll() is None
        started.send_signal(signal.SIGINT)
        out, error = started.communicate(timeout=120)
    assert started.returncode == 130, error
    kept = re.search("kept after ([0-9]+) batches", out)
    assert kept is not None
    assert checkpoints.load(tmp_path / "x.training" / "checkpoint.pt").step == int(kept[1])
    assert run_train([*words[1:], "--steps", str(int(kept[1]) + 1)]) == 0
    assert f"going on after {kept[1]} batches" in capsys.readouterr().out


def test_short_trainings_warm_up_shortly() -> None:
    assert _rate(Recipe(steps=60), 5, 0.0) == Recipe().rate
    assert _rate(Recipe(steps=60), 0, 0.0) == pytest.approx(Recipe().rate / 6)
    assert _rate(Recipe(steps=20_000), 149, 0.0) == pytest.approx(Recipe().rate / 2)
    assert _rate(Recipe(minutes=1.0), 149, 0.0) == pytest.approx(Recipe().rate / 2)


@pytest.mark.parametrize("name", ["..", "x.onnx", "a/b", ""])
def test_names_that_are_none_are_told(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run_train([str(dataset), "--name", name, "--out", str(tmp_path), *QUICK]) == 2
    assert f"--name {name}" in capsys.readouterr().err.replace("'", "")
