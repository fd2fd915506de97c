"""A careful run searches its own result and hides what it finds before anything is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

import tracker_blur
from tests.verify_cases import FakeClassifier
from tests.video_files import write_clip
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Origin, Track
from tracker_blur.errors import SettingsError
from tracker_blur.files.jobs import Job
from tracker_blur.pipeline import Engine
from tracker_blur.settings import Settings
from tracker_blur.verification.parameters import VerificationParameters
from tracker_blur.verification.probes import Probe, ProbeDetection

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction
    from pathlib import Path

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.report import Report
    from tracker_blur.files.paths import MediaKind

FRAMES, SIZE = 40, (128, 96)
BOX = Box(20, 10, 70, 60)
CAREFUL = Settings(careful=True, method="solid")


class PlaceProbe(Probe):
    """Detects a face at a place in every frame from the first to the last that it gets."""

    def __init__(self, place: Callable[[int], Box | None], score: float = 0.9) -> None:
        self.name, self.label = "fake", "face"
        self.images = 0
        self._place, self._score = place, score

    def detect(self, image: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
        box = self._place(self.images)
        self.images += 1
        return [] if box is None else [ProbeDetection(box, self._score, "fake")]

    def detect_turned(self, image: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
        return []

    def detect_in_crop(self, image: Image, box: Box) -> list[ProbeDetection]:
        return []


class Blind:
    """A detector that detects nothing."""

    name = "blind"
    labels: tuple[str, ...] = ("face",)
    default_confidence = low_confidence = 0.5

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        return []


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "in.mp4"
    return write_clip(path, frames=FRAMES, size=SIZE, noise=True, options={"crf": "8"})


def use(
    monkeypatch: pytest.MonkeyPatch,
    place: Callable[[int], Box | None],
    *,
    score: float = 0.9,
    log_odds: float | None = None,
) -> PlaceProbe:
    probe = PlaceProbe(place, score)
    careful_search = "tracker_blur.verification.careful_search"
    monkeypatch.setattr(f"{careful_search}.load_probes", lambda *_: (probe,))
    classifiers = {} if log_odds is None else {"face": FakeClassifier(log_odds)}
    monkeypatch.setattr(f"{careful_search}.load_classifiers", lambda *_: classifiers)
    return probe


def follow_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Follow for three frames only: the frames of the clip are all alike."""
    parameters = VerificationParameters(follow_seconds=0.12)
    monkeypatch.setattr(
        "tracker_blur.verification.careful_search.VerificationParameters", lambda: parameters
    )


def redacted(source: Path, target: Path, settings: Settings = CAREFUL) -> Report:
    engine = Engine(settings, Blind())
    kind: MediaKind = "image" if source.suffix == ".png" else "video"
    return engine.redact_file(Job(source, target, kind))


def only_track(report: Report) -> Track:
    assert report.video_tracks is not None
    (track,) = report.video_tracks.tracks
    return track


def dark_frames(path: Path, box: Box) -> list[int]:
    """Return the frames in which the middle of a box is black."""
    left, top, right, bottom = box.padded(-0.2).outward()
    with av.open(str(path)) as container:
        return [
            number
            for number, frame in enumerate(container.decode(video=0))
            if frame.to_ndarray(format="gray")[top:bottom, left:right].max() < 40
        ]


def always(_: int) -> Box:
    return BOX


def test_what_the_run_missed_is_hidden(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, always)
    out = tmp_path / "out.mp4"
    report = redacted(clip, out)
    assert report.added_places == (1, 0)
    assert report.tracks == 1
    assert dark_frames(out, BOX) == list(range(FRAMES))
    assert list(tmp_path.iterdir()) == [out]


def test_without_a_second_look_it_stays(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    report = redacted(clip, out, replace(CAREFUL, careful=False))
    assert (report.added_places, report.tracks) == (None, 0)
    assert dark_frames(out, BOX) == []


def test_every_second_frame_is_searched_and_what_is_found_has_a_margin(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = use(monkeypatch, lambda image: BOX if 8 <= image < 10 else None)
    follow_briefly(monkeypatch)
    report = redacted(clip, tmp_path / "out.mp4")
    assert probe.images >= FRAMES // 2
    track = only_track(report)
    detected = track.frames[track.has(Origin.DETECTED)].tolist()
    assert detected == [16, 18]
    assert {16, 17, 18} <= set(track.frames.tolist())
    assert (track.first, track.last) == (16 - 3 - 5, 18 + 3 + 5)
    origins = [ORIGINS[at] for at in track.origins[:10]]
    assert origins == [
        *5 * [Origin.MARGIN],
        *3 * [Origin.TRACKED],
        Origin.DETECTED,
        Origin.BETWEEN,
    ]
    box = track.box(0)
    assert (box.width, box.height) == pytest.approx((1.2 * BOX.width, 1.2 * BOX.height))


def test_a_second_round_looks_around_what_the_first_one_added(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half, far = FRAMES // 2, Box(80, 60, 120, 90)

    def place(image: int) -> Box | None:
        if image < half:
            return BOX if image == 8 else None
        return far

    probe = use(monkeypatch, place)
    follow_briefly(monkeypatch)
    report = redacted(clip, tmp_path / "out.mp4")
    assert report.added_places == (1, 1)
    assert probe.images < half + FRAMES  # only the frames near the first round's track
    assert report.video_tracks is not None
    assert [track.track_id for track in report.video_tracks.tracks] == [0, 1]


def test_what_is_at_a_likelier_place_for_a_while_is_hidden_where_it_goes(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Box(20, 20, 40, 40)
    large = small.padded(0.4)  # of the same face, until it moves away

    class TwoPlaces(PlaceProbe):
        def detect(self, image: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
            at = self.images
            found = super().detect(image, pixel_aspect)
            if at < 11:
                found.append(ProbeDetection(small, 0.95, "fake"))
            return found

    def place(image: int) -> Box | None:
        return large.moved(8 * max(0, image - 10), 0) if image < FRAMES // 2 else None

    use(monkeypatch, place)
    probe = TwoPlaces(place)
    monkeypatch.setattr("tracker_blur.verification.careful_search.load_probes", lambda *_: (probe,))
    follow_briefly(monkeypatch)
    out = tmp_path / "out.mp4"
    report = redacted(clip, out)
    assert report.added_places == (2, 0)
    for image in range(11, FRAMES // 2):
        there = place(image)
        assert there is not None
        assert 2 * image in dark_frames(out, there)


@pytest.mark.parametrize(
    ("score", "log_odds", "is_added"),
    [
        (0.9, 4.0, True),
        (0.9, 2.5, True),  # "look here", and rather a face
        (0.9, 1.5, False),  # it is half as high as the frame, and would be seen better
        (0.9, -0.5, False),
        (0.55, None, True),  # without a classifier, what is in doubt is hidden
    ],
)
def test_what_is_added(
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    score: float,
    log_odds: float | None,
    is_added: bool,
) -> None:
    use(monkeypatch, always, score=score, log_odds=log_odds)
    report = redacted(clip, tmp_path / "out.mp4")
    assert report.added_places == ((1, 0) if is_added else (0,))


def test_small_places_need_less_evidence(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, lambda _: Box(20, 10, 32, 22), log_odds=1.5)
    assert redacted(clip, tmp_path / "out.mp4").added_places == (1, 0)


def test_a_probe_that_fails_leaves_no_output(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> Box:
        raise RuntimeError("the network fell over")

    use(monkeypatch, fail)
    with pytest.raises(RuntimeError, match="fell over"):
        redacted(clip, tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_round(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, always)
    calls: list[int] = []
    engine = Engine(CAREFUL, Blind())
    job = Job(clip, tmp_path / "out.mp4", "video")
    engine.redact_file(job, lambda report: calls.append(report.passes))
    assert len(calls) == 4 * FRAMES
    assert (calls[0], calls[-1]) == (2, 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_still_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type[np.generic]
) -> None:
    use(monkeypatch, always)
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    noise = np.random.default_rng(1).integers(60, 250, (96, 128, 3)).astype(dtype)
    cv2.imwrite(str(source), noise * (200 if dtype == np.uint16 else 1))
    report = redacted(source, out)
    assert report.added_places == (1, 0)
    image = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert image is not None
    left, top, right, bottom = BOX.padded(-0.2).outward()
    assert image[top:bottom, left:right].max() == 0
    assert image[70:, 90:].min() > 0


def test_the_library_looks_again_at_images(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, always)
    image = np.random.default_rng(1).integers(60, 250, (96, 128, 3)).astype(np.uint8)
    redactor = tracker_blur.Redactor(CAREFUL, detector=lambda _: [])
    assert len(redactor.detect(image)) == 1
    hidden = redactor.redact(image)
    left, top, right, bottom = BOX.padded(-0.2).outward()
    assert hidden[top:bottom, left:right].max() == 0


def test_the_library_tracks_carefully(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, always)
    redactor = tracker_blur.Redactor(CAREFUL, detector=lambda _: [])
    assert len(redactor.track(clip).tracks) == 1


def test_one_pass_has_no_result_to_search() -> None:
    with pytest.raises(SettingsError, match="leave out `one_pass`"):
        Settings(careful=True, one_pass=True)
    redactor = tracker_blur.Redactor(CAREFUL, detector=lambda _: [])
    with pytest.raises(SettingsError, match="redact a file"):
        list(redactor.redact_frames([np.zeros((90, 160, 3), np.uint8)], rate=25))


def test_what_lies_in_an_ignore_zone_is_not_added(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow_briefly(monkeypatch)
    use(monkeypatch, lambda _: BOX)
    report = redacted(clip, tmp_path / "all.mp4")
    assert sum(report.added_places or ()) > 0
    use(monkeypatch, lambda _: BOX)
    zoned = replace(CAREFUL, ignore_zones=("10,0,80,70",))
    report = redacted(clip, tmp_path / "zoned.mp4", zoned)
    assert report.added_places == (0,)
    assert dark_frames(tmp_path / "zoned.mp4", BOX) == []
