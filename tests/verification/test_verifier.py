"""Exposed faces are reported; hidden ones are not, whatever the detectors say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.clips import first_frames
from tests.verify_cases import (
    FRAMES,
    SAMPLES,
    Truth,
    own_weights_only,
    read_truth,
    rendered,
    tracks_of,
    true_detections,
    use_fake_probe,
)
from tests.video_files import write_clip
from tracker_blur.core.box import Box
from tracker_blur.core.rules import Rules
from tracker_blur.core.timeline import Timeline
from tracker_blur.core.zones import Zone
from tracker_blur.errors import SourceError
from tracker_blur.files.identity import sha256
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings
from tracker_blur.verification.accepted import AcceptedPlace
from tracker_blur.verification.probes import ProbeDetection
from tracker_blur.verification.verifier import Verifier
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from tracker_blur.core.frame import Image
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.verification.verdict import Verdict

SIZE = (640, 360)  # half of the sample's
OTHER_METHODS = ("pixelated", "gaussian", "fog", "solid", "image")


@pytest.fixture(scope="module")
def truth() -> Truth:
    whole = read_truth(SAMPLES / "crossing.csv", FRAMES)
    return {
        frame: [(track, box.scaled(0.5, 0.5)) for track, box in faces]
        for frame, faces in whole.items()
    }


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("clip") / "in.mp4"
    return first_frames(SAMPLES / "crossing.mp4", target, FRAMES, SIZE)


@pytest.fixture(scope="module")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logo") / "logo.png"
    cells = np.indices((64, 64)).sum(axis=0) // 8 % 2 * 255
    cv2.imwrite(str(path), cells.astype(np.uint8))
    return path


def in_gap(frame: int, track: int) -> bool:
    return track == 1 and 3 <= frame < 6


@pytest.fixture(scope="module")
def leaky(clip: Path, truth: Truth) -> Path:
    return rendered(clip, clip.with_name("leaky.mp4"), truth, visible=in_gap)


@pytest.fixture(scope="module")
def whole(clip: Path, truth: Truth) -> Path:
    return rendered(clip, clip.with_name("whole.mp4"), truth)


def verify(output: Path, source: Path | None = None, tracks: Tracks | None = None) -> Verdict:
    return Verifier(Settings()).verify(output, source=source, tracks=tracks)


def exposed(verdict: Verdict) -> list[int]:
    return [exposure.frame for run in verdict.runs for exposure in run.exposures]


@pytest.mark.parametrize(
    "method",
    ["mosaic", *(pytest.param(method, marks=pytest.mark.slow) for method in OTHER_METHODS)],
)
def test_a_detection_of_a_hidden_face_is_not_an_exposure(
    clip: Path,
    truth: Truth,
    logo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    image = logo if method == "image" else None
    out = rendered(clip, tmp_path / "out.mp4", truth, method=method, image=image)
    use_fake_probe(monkeypatch, true_detections(truth))
    verdict = verify(out, clip)
    assert verdict.runs == ()
    assert verdict.is_clean, verdict.failed_checks
    assert verdict.evidence == "pixels"
    assert (verdict.frames, verdict.probed_frames) == (FRAMES, FRAMES)
    assert verdict.detections == sum(len(truth[frame]) for frame in range(FRAMES))
    assert verdict.to_dict()["output_sha256"] == sha256(out)


def test_every_visible_face_is_reported(
    clip: Path, truth: Truth, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch, true_detections(truth))
    verdict = verify(leaky, clip)
    (run,) = verdict.runs
    assert exposed(verdict) == [3, 4, 5]
    assert not verdict.is_clean
    assert run.first.time_code == "0:00:00.120"
    assert run.first.track_id is None
    assert all(exposure.visible > 0.9 for exposure in run.exposures)
    assert run.worst.crop is not None
    assert cv2.imdecode(np.frombuffer(run.worst.crop, np.uint8), 1) is not None


def test_a_visible_face_is_reported_despite_strong_compression(
    clip: Path, truth: Truth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = rendered(clip, tmp_path / "out.mp4", truth, visible=in_gap, quality=38)
    use_fake_probe(monkeypatch, true_detections(truth))
    assert exposed(verify(out, clip)) == [3, 4, 5]


def test_tracks_are_evidence(
    truth: Truth, leaky: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = use_fake_probe(monkeypatch, true_detections(truth))
    verdict = verify(leaky, tracks=tracks_of(truth, SIZE, FRAMES, in_gap))
    assert verdict.evidence == "tracks"
    assert exposed(verdict) == [3, 4, 5]
    assert verdict.runs[0].track_id == 1
    # The gap is probed in crops, and the frames at both ends are shown.
    assert any(box.iou(truth[4][2][1]) > 0.5 for box in probe.crops)
    moments = [view.moment for view in verdict.ends if view.track_id == 1]
    assert moments == ["first", "last"]
    use_fake_probe(monkeypatch, true_detections(truth))
    assert verify(whole, tracks=tracks_of(truth, SIZE, FRAMES)).is_clean


def test_tracks_that_were_not_hidden_are_reported(
    clip: Path, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch, true_detections(truth))
    verdict = verify(clip, tracks=tracks_of(truth, SIZE, FRAMES))
    assert len(exposed(verdict)) >= 0.9 * verdict.detections


def test_a_face_that_is_left_visible_on_purpose_is_not_reported(
    truth: Truth, clip: Path, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = tracks_of(truth, SIZE, FRAMES)
    left_open = replace(
        tracks,
        tracks=tuple(replace(track, hide=track.track_id != 1) for track in tracks.tracks),
    )
    for source in (None, clip):
        use_fake_probe(monkeypatch, true_detections(truth))
        assert verify(leaky, source, left_open).is_clean


def test_a_face_that_may_be_seen_for_a_while_is_exposed_before_and_after(
    truth: Truth, clip: Path, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only in frames 3 and 4 do the tracks leave visible what can be seen in frames 3 to 5.
    whole = tracks_of(truth, SIZE, FRAMES, lambda frame, track: track == 1 and 3 <= frame < 5)
    kept = tracks_of(truth, SIZE, FRAMES, lambda frame, track: track != 1 or not 3 <= frame < 5)
    shown = replace(kept.tracks[0], track_id=99, hide=False)
    use_fake_probe(monkeypatch, true_detections(truth))
    verdict = verify(leaky, clip, replace(whole, tracks=(*whole.tracks, shown)))
    assert exposed(verdict) == [5]
    assert [(face.track_id, face.frames) for face in verdict.left_visible] == [(99, 2)]


def test_a_face_in_an_ignore_zone_is_listed_as_visible_by_choice(
    truth: Truth, clip: Path, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = Rules((Zone.parse("ignore", "0%,0%,100%,100%"),))
    tracks = tracks_of(truth, SIZE, FRAMES, in_gap)  # in the gap, no track hides the face
    for rules, is_clean in ((around, True), (Rules(), False)):
        use_fake_probe(monkeypatch, true_detections(truth))
        verdict = verify(leaky, clip, replace(tracks, rules=rules))
        assert verdict.is_clean is is_clean
        assert bool(verdict.left_visible) is is_clean
    settings = Settings(ignore_zones=("0.12s..0.16s=0%,0%,100%,100%",))
    use_fake_probe(monkeypatch, true_detections(truth))
    verdict = Verifier(settings).verify(leaky, source=clip)
    assert exposed(verdict) == [5]
    assert {
        (face.reason, float(face.first), float(face.last)) for face in verdict.left_visible
    } == {("zone", 0.12, 0.16)}
    assert verdict.to_dict()["left_visible"][0]["from"] == "0:00:00.120"


def test_a_hidden_face_in_an_ignore_zone_that_shows_is_exposed(
    truth: Truth, clip: Path, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The face of track 1 was hidden as one that came from outside of the zone.
    zone = Rules((Zone.parse("ignore", "0.12s..=0%,0%,30%,100%"),))
    use_fake_probe(monkeypatch, true_detections(truth))
    verdict = verify(leaky, clip, replace(tracks_of(truth, SIZE, FRAMES), rules=zone))
    hidden = {face.track_id for face in Timeline(tracks_of(truth, SIZE, FRAMES)).faces(4)}
    assert 1 in hidden
    assert exposed(verdict) == [3, 4, 5]


def test_without_source_and_tracks_detail_is_the_evidence(
    truth: Truth, leaky: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch, true_detections(truth))
    verdict = verify(leaky)
    assert verdict.evidence == "detail"
    assert verdict.checks == ()
    assert exposed(verdict) == [3, 4, 5]
    use_fake_probe(monkeypatch, true_detections(truth))
    assert verify(whole).is_clean


def test_tracks_of_another_video_fail(
    truth: Truth, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch)
    verdict = verify(whole, tracks=tracks_of(truth, SIZE, FRAMES + 5))
    assert [check.name for check in verdict.failed_checks] == ["tracks"]


def test_tracks_whose_places_are_not_hidden_fail(
    clip: Path, truth: Truth, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = tracks_of(truth, SIZE, FRAMES)
    for output, source, failed in ((whole, None, []), (clip, None, ["hidden places"])):
        use_fake_probe(monkeypatch)
        checks = verify(output, source, tracks).failed_checks
        assert [check.name for check in checks] == failed
    by_image = replace(
        tracks, tracks=tuple(replace(track, method="image") for track in tracks.tracks)
    )
    use_fake_probe(monkeypatch)
    assert verify(clip, tracks=by_image).is_clean  # an image has detail of its own


def test_tracks_are_scaled_to_the_frame_size(
    truth: Truth, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch, true_detections(truth))
    half = {
        frame: [(track, box.scaled(0.5, 0.5)) for track, box in faces]
        for frame, faces in truth.items()
    }
    assert verify(whole, tracks=tracks_of(half, (320, 180), FRAMES)).is_clean


def test_every_nth_frame_is_probed(
    clip: Path, truth: Truth, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detections = true_detections(truth)
    use_fake_probe(monkeypatch, [detections[0], detections[4], detections[8]])
    progress: list[tuple[int, int | None]] = []
    verdict = Verifier(Settings()).verify(
        leaky, source=clip, every=4, progress=lambda *args: progress.append(args)
    )
    assert (verdict.frames, verdict.probed_frames) == (FRAMES, 3)
    assert exposed(verdict) == [4]
    assert progress == [(done, FRAMES) for done in range(1, FRAMES + 1)]


def test_a_rotated_video_is_probed_upright(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rotated = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    clip = write_clip(tmp_path / "in.mp4", size=(192, 128), frames=3, noise=True, matrix=rotated)
    box = Box(40, 100, 90, 170)  # the upright frame is 128 wide and 192 high
    truth = {frame: [(0, box)] for frame in range(3)}
    out = rendered(clip, tmp_path / "out.mp4", truth, method="solid")
    use_fake_probe(monkeypatch, true_detections(truth, 3))
    assert verify(out, clip).is_clean
    use_fake_probe(monkeypatch, true_detections(truth, 3))
    unhidden = rendered(clip, tmp_path / "unhidden.mp4", {})
    assert exposed(verify(unhidden, clip)) == [0, 1, 2]


@pytest.mark.slow
def test_another_source_video_fails(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch)
    other = write_clip(tmp_path / "other.mp4", size=SIZE, frames=FRAMES)
    failed = {check.name for check in verify(clip, other).failed_checks}
    assert "pictures" in failed


def test_a_missing_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fake_probe(monkeypatch)
    with pytest.raises(SourceError, match="no such file"):
        verify(tmp_path / "none.mp4")


def test_places_to_look_at_are_separate(
    clip: Path, truth: Truth, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch, true_detections(truth, score=0.55))
    verdict = verify(leaky, clip)
    (run,) = verdict.look_here
    assert [face.frame for face in run.exposures] == [3, 4, 5]
    assert verdict.runs == ()
    assert verdict.is_clean


def test_a_face_that_is_at_a_likelier_place_for_a_while_is_exposed_where_it_goes(
    clip: Path, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, face), *_ = truth[0]
    small = face.padded(-0.2)
    larger = small.padded(0.4)  # of the same face, until it moves away
    detections = [
        [ProbeDetection(small, 0.95, "fake"), ProbeDetection(larger, 0.9, "fake")]
        if frame < 6
        else [ProbeDetection(larger.moved(larger.width * (frame - 5) / 3, 0), 0.9, "fake")]
        for frame in range(FRAMES)
    ]
    use_fake_probe(monkeypatch, detections, 5.0)
    verdict = verify(clip, clip)
    frames = [[each.frame for each in run.exposures] for run in verdict.runs]
    assert frames == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
    assert verdict.exposed_frames == FRAMES == verdict.exposures
    assert all(run.worst.crop for run in verdict.runs)


@pytest.mark.parametrize(
    ("log_odds", "finding"),
    [(5.0, "exposed"), (1.0, "look here"), (-5.0, "nothing found")],
)
def test_the_classifier_judges_what_the_evidence_leaves(
    clip: Path,
    truth: Truth,
    leaky: Path,
    monkeypatch: pytest.MonkeyPatch,
    log_odds: float,
    finding: str,
) -> None:
    probe = use_fake_probe(monkeypatch, true_detections(truth), log_odds)
    verdict = verify(leaky, clip)
    assert verdict.finding == finding
    assert [face.frame for place in verdict.places for face in place.exposures] == (
        [] if finding == "nothing found" else [3, 4, 5]
    )
    assert all(place.log_odds == log_odds for place in verdict.places)
    assert probe.turned == 3  # frames 0, 4 and 8


def test_the_mean_over_several_margins_of_a_box_counts(
    clip: Path, truth: Truth, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OfTheBoxAlone:
        """Takes a place for a face unless the crop shows more or less than the box."""

        def log_odds(self, image: Image, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
            faces = [box for frame in range(3, 6) for _, box in truth[frame]]
            return np.array([9.0 if box in faces else -3.0 for box in boxes])

    use_fake_probe(monkeypatch, true_detections(truth))
    verifier = "tracker_blur.verification.verifier"
    monkeypatch.setattr(f"{verifier}.load_classifiers", lambda *_: {"face": OfTheBoxAlone()})
    (place,) = verify(leaky, clip).places
    assert (place.finding, place.log_odds) == ("look here", 1.0)


@pytest.mark.parametrize(("frames", "every"), [(1, 1), (3, 5)])
def test_a_face_in_a_video_of_one_searched_frame_is_exposed(
    clip: Path,
    truth: Truth,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frames: int,
    every: int,
) -> None:
    short = rendered(clip, tmp_path / "short.mp4", {}, frames=frames)
    use_fake_probe(monkeypatch, true_detections(truth, 1), 5.0)
    verdict = Verifier(Settings()).verify(short, every=every)
    assert verdict.finding == "exposed"
    assert verdict.probed_frames == 1


def test_without_a_classifier_no_frame_is_turned(
    truth: Truth, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = use_fake_probe(monkeypatch, true_detections(truth))
    verify(leaky)
    assert probe.turned == 0


def test_accepted_places_are_left_out(
    clip: Path, truth: Truth, leaky: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch, true_detections(truth))
    first = Verifier(Settings()).verify(leaky, source=clip, accepted=[])
    assert first.file is not None
    place = AcceptedPlace.of(first.runs[0], first.file)
    use_fake_probe(monkeypatch, true_detections(truth))
    again = Verifier(Settings()).verify(leaky, source=clip, accepted=[place])
    assert (again.finding, again.dismissed) == ("nothing found", 1)
    use_fake_probe(monkeypatch, true_detections(truth))
    other = Verifier(Settings()).verify(whole, source=clip, accepted=[place])
    assert (other.finding, other.dismissed) == ("nothing found", 0)


def test_a_truncated_source_is_accepted_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_clip(tmp_path / "in.mkv", size=(128, 96), frames=40, noise=True)
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) * 3 // 4])
    out = tmp_path / "out.mkv"
    settings = Settings(method="solid")
    with (
        VideoReader(source, partial=True) as video,
        VideoWriter(out, source, video, settings) as sink,
    ):
        for frame in video:
            sink.write(FrameRedactor(settings).redact(frame, []))
    use_fake_probe(monkeypatch)
    with pytest.raises(SourceError, match="is truncated"):
        verify(out, source)
    verdict = Verifier(Settings()).verify(out, source=source, partial=True)
    assert verdict.is_clean, verdict.failed_checks
    assert 0 < verdict.frames < 40


@pytest.mark.slow
def test_our_own_weights_alone_detect_a_leak_and_nothing_else(
    clip: Path,
    truth: Truth,
    leaky: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own_weights_only(monkeypatch, tmp_path)
    verifier = Verifier(Settings())
    assert verifier.detectors == ("onnx",)
    assert verifier.verify(whole, source=clip).is_clean
    for verdict in (
        verifier.verify(leaky, source=clip),
        verifier.verify(leaky, tracks=tracks_of(truth, SIZE, FRAMES, in_gap)),
    ):
        assert {3, 4, 5} == set(exposed(verdict))


@pytest.mark.slow
@pytest.mark.shared
def test_our_own_weights_report_no_hands_and_clothes(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_weights_only(monkeypatch, tmp_path / "cache")
    frames = 20  # in these, Haar took hands and hidden heads for faces
    source = shared / "videos" / "signer.mkv"
    truth = read_truth(source.with_suffix(".csv"), frames)
    clip = rendered(source, tmp_path / "in.mkv", {}, frames=frames)
    whole = rendered(clip, tmp_path / "whole.mkv", truth)
    verdict = Verifier(Settings()).verify(whole, source=clip)
    assert verdict.detectors == ("onnx",)
    assert verdict.is_clean, verdict.runs


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("method", ["mosaic", "gaussian"])
def test_real_detectors_and_faces(shared: Path, tmp_path: Path, method: str) -> None:
    frames = 8
    truth = read_truth(shared / "videos" / "two_heads.csv", frames)
    clip = rendered(shared / "videos" / "two_heads.mp4", tmp_path / "in.mp4", {}, frames=frames)
    first = min(track for track, _ in truth[0])

    def visible(frame: int, track: int) -> bool:
        return track == first and 3 <= frame < 6

    verifier = Verifier(Settings(models_folder=shared / "models"))
    assert verifier.detectors == ("onnx", "centerface", "yunet")
    whole = rendered(clip, tmp_path / "whole.mp4", truth, method=method)
    assert verifier.verify(whole, source=clip).is_clean
    leaky = rendered(clip, tmp_path / "leaky.mp4", truth, method=method, visible=visible)
    verdict = verifier.verify(leaky, source=clip)
    assert exposed(verdict) == [3, 4, 5]
    tracks = tracks_of(truth, (480, 270), frames, visible)
    assert exposed(verifier.verify(leaky, tracks=tracks)) == [3, 4, 5]
    assert set(exposed(verifier.verify(leaky))) == {3, 4, 5}
