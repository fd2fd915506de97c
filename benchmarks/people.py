"""Measures how often a stranger is taken for a chosen person, and a chosen person for a stranger.

    python benchmarks/people.py [--shared FOLDER] [--known N] [--others N] [--only photos|clips]

photos: people of whom there are 10 to 14 images, from different occasions, and others with one.
The first three images of a person are the gallery; the others are what a video might show.

- face: one face against the gallery, aligned by landmarks and by the box alone. `false` is the
  share of strangers' faces above a cosine, `missed` the share of the person's own below it.
- stretch: the rules themselves. A person's other images, four a second, are the track. `false` is
  the share of strangers' tracks of which any frame stays visible, `missed` the share of the own
  frames that are hidden. Successive faces of a video are more alike than these are.

- groups: tracks of three images each are grouped. `mixed` groups have several people, and `split`
  people are in several groups.

clips: the annotated clips. The gallery are the three best faces in the first third of each track;
all of it is the person's own, and tracks of other clips, and those that are seen together with it,
are strangers'.

Everything is computed with the network that `load_embedder` chooses.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.detectors import yunet
from tracker_blur.people.alignment import by_box, warped
from tracker_blur.people.embedders import SIDE_PX
from tracker_blur.people.gallery import KnownPerson
from tracker_blur.people.grouping import grouped, people_of, seen_together
from tracker_blur.people.keeping import Hider, Keeper
from tracker_blur.people.samples import FaceReader, TrackFaces
from tracker_blur.video.reader import VideoReader
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tracker_blur.people.embedders import Thresholds, Vectors

SHARED = Path(__file__).resolve().parents[2] / "shared"
CLIPS = (  # not montage_cuts, which consists of others, and no_faces
    "dancer.mp4", "david.mp4", "faceocc2.mp4", "portrait_turning.mp4", "runner_portrait.mp4",
    "signer.mkv", "street_crowd.mp4", "two_heads.mp4", "walkers_1080p.mp4", "walking_pause.mp4",
    "webcam.mp4",
)  # fmt: skip
GALLERY = 3
CONTEXT_PX = 40  # what is added around an image, so that the detector sees all of the face
FACES_A_SECOND = 4
FACE_COSINES = (0.3, 0.363, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)
KEEP_COSINES = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65)
OTHER_COSINES = (0.1, 0.15, 0.2, 0.25, 0.3)
GROUP_COSINES = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)


@dataclass(frozen=True)
class Images:
    """Embeddings of images, shape (n, 128), and whose they are; "" is no one known."""

    vectors: Vectors
    names: npt.NDArray[np.str_]

    def of(self, name: str) -> Vectors:
        """Return the embeddings of a person's images."""
        return self.vectors[self.names == name]

    @property
    def people(self) -> list[str]:
        """The known people with enough images for a gallery and a track."""
        known, counts = np.unique(self.names[self.names != ""], return_counts=True)
        return [str(name) for name in known[counts >= GALLERY + 4]]


def read_pictures(
    shared: Path, reader: FaceReader, known: int, others: int
) -> tuple[Images, Images, int]:
    """Return images aligned by landmarks and by boxes, and how many were no good face."""
    detector = yunet.load(Weights(shared / "models"))
    folders = [
        *((folder.name, folder) for folder in _folders(shared / "identities" / "known", known)),
        *(("", folder) for folder in _folders(shared / "identities" / "others", others)),
    ]
    names, aligned, boxed, skipped = [], [], [], 0
    for name, folder in folders:
        for file in sorted(folder.glob("*.jpg"))[: None if name else 1]:
            image = cv2.copyMakeBorder(
                cv2.imread(str(file)), *[CONTEXT_PX] * 4, cv2.BORDER_REPLICATE
            )
            found = detector.detect(image, 0.5)
            box = max((one.box for one in found), key=lambda box: box.area, default=None)
            vector = None if box is None else reader.vectors(image, [box])[0]
            if vector is None or box is None:
                skipped += 1
                continue
            (by_its_box,) = reader.embedder.embed([warped(image, by_box(box), SIDE_PX)])
            names.append(name)
            aligned.append(vector)
            boxed.append(by_its_box / np.linalg.norm(by_its_box))
    who = np.array(names)
    return Images(np.array(aligned), who), Images(np.array(boxed), who), skipped


def _folders(folder: Path, count: int) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir())[:count]


def person(name: str, images: Images) -> KnownPerson:
    """Return the gallery of a person."""
    return KnownPerson(name, images.of(name)[:GALLERY])


def report_faces(images: Images, title: str) -> None:
    """Print how often one face is mistaken."""
    galleries = [person(name, images) for name in images.people]
    own, strange = [], []
    for gallery in galleries:
        likeness = images.vectors @ gallery.mean
        own.append(likeness[images.names == gallery.name][GALLERY:])
        strange.append(likeness[images.names != gallery.name])
    mine, theirs = np.concatenate(own), np.concatenate(strange)
    print(f"\nface, {title}: {len(mine)} own, {len(theirs)} pairs of strangers")
    print(f"{'cosine':>8}{'false':>12}{'missed':>10}")
    for cosine in FACE_COSINES:
        wrong, missed = (theirs >= cosine).mean(), (mine < cosine).mean()
        print(f"{cosine:8.3f}{wrong:12.1e}{100 * missed:9.1f}%")


def as_track(vectors: Vectors) -> tuple[Tracks, dict[int, TrackFaces]]:
    """Return a video with one track of these faces, four a second, one frame each."""
    builder = TracksBuilder()
    for frame in range(len(vectors)):
        builder.add(frame, Face(0, Box(0, 0, 90, 110), 0.9, Origin.DETECTED))
    times = np.arange(len(vectors), dtype=np.int64)
    tracks = Tracks((640, 360), Fraction(1, FACES_A_SECOND), times, (), builder.tracks())
    frames = np.arange(len(vectors), dtype=np.int32)
    return tracks, {0: TrackFaces(frames, vectors, np.ones(len(vectors), np.float32))}


def visible_share(tracks: Tracks, frames: int) -> float:
    """Return the share of a track's frames that stays visible."""
    return sum(len(track) for track in tracks.tracks if not track.hide) / frames


def report_stretches(images: Images, reader: FaceReader) -> None:
    """Print how often the rules are mistaken, for several of their thresholds."""
    parameters, thresholds = reader.parameters, reader.embedder.thresholds
    galleries = [person(name, images) for name in images.people]
    videos = {name: as_track(images.of(name)[GALLERY:]) for name in images.people}
    pairs = len(galleries) * (len(galleries) - 1)
    print(f"\nstretch: {len(galleries)} people, {pairs} pairs of strangers")
    for rule, cosines in (("keep", KEEP_COSINES), ("hide", OTHER_COSINES)):
        print(
            f"{rule + ' from' if rule == 'keep' else 'other below':>12}{'false':>16}{'missed':>10}"
        )
        for cosine in cosines:
            changed = changed_threshold(thresholds, rule, cosine)
            judge = Keeper if rule == "keep" else Hider
            wrong, right = [], []
            for gallery in galleries:
                chooser = judge([gallery], changed, parameters)
                for name, (tracks, faces) in videos.items():
                    if name != gallery.name and rule == "keep" and _is_far(gallery, faces, cosine):
                        wrong.append(0.0)
                        continue
                    share = visible_share(
                        chooser.choose(tracks, faces).tracks, len(faces[0].frames)
                    )
                    (right if name == gallery.name else wrong).append(share)
            if rule == "keep":
                print_row(cosine, changed, thresholds, np.array(wrong), 1 - np.array(right))
            else:
                print_row(cosine, changed, thresholds, np.array(right), 1 - np.array(wrong))


def report_groups(images: Images, default: float) -> None:
    """Print how tracks of three images of each known person are grouped."""
    tracks = {
        (name, start): images.of(name)[start : start + 3]
        for name in images.people
        for start in range(0, len(images.of(name)) - 2, 3)
    }
    owners = [name for name, _ in tracks]
    vectors = dict(enumerate(tracks.values()))
    print(f"\ngroups: {len(tracks)} tracks of {len(set(owners))} people")
    print(f"{'same from':>12}{'mixed groups':>16}{'split people':>16}")
    for cosine in GROUP_COSINES:
        groups = [group for group, _ in grouped(vectors, (), cosine)]
        mixed = sum(len({owners[item] for item in group}) > 1 for group in groups)
        parts = Counter(name for group in groups for name in {owners[item] for item in group})
        split = sum(count > 1 for count in parts.values())
        mark = " *" if cosine == default else ""
        print(f"{cosine:12.2f}{mixed:16}{split:16}{mark}")


def changed_threshold(thresholds: Thresholds, rule: str, cosine: float) -> Thresholds:
    """Return the thresholds with another one for the rule."""
    if rule == "hide":
        return replace(thresholds, other=cosine)
    return replace(thresholds, keep=cosine, keep_second=min(cosine, thresholds.keep_second))


def _is_far(gallery: KnownPerson, faces: Mapping[int, TrackFaces], cosine: float) -> bool:
    """Return whether no face comes near a threshold, so that the rules need not be run."""
    return bool((faces[0].vectors @ gallery.mean).max() < cosine)


def print_row(
    cosine: float,
    used: Thresholds,
    default: Thresholds,
    leaked: npt.NDArray[np.float64],
    missed: npt.NDArray[np.float64],
) -> None:
    """Print how many tracks leak, of how many, and what share of others is hidden in vain."""
    mark = " *" if used == default else ""
    share = f"{(leaked > 0).sum()} of {len(leaked)}"
    print(f"{cosine:12.2f}{share:>16}{100 * missed.mean():9.1f}%{mark}")


def read_clip(clip: Path, reader: FaceReader) -> tuple[Tracks, dict[int, TrackFaces]]:
    """Return the true tracks of a clip, and their good faces."""
    builder = TracksBuilder()
    with clip.with_suffix(".csv").open(newline="") as file:
        for row in csv.DictReader(file):
            box = Box.from_xywh(*(float(row[name]) for name in "xywh"))
            builder.add(int(row["frame"]), Face(int(row["track"]), box, 0.9, Origin.DETECTED))
    with VideoReader(clip) as source:
        times = [(frame.pts, frame.time_base) for frame in source]
    tracks = Tracks(
        source.info.size,
        times[0][1],
        np.array([pts for pts, _ in times], np.int64),
        (),
        builder.tracks(),
    )
    with VideoReader(clip) as source:
        return tracks, reader.track_faces(source, tracks, source.info.pixel_aspect)


def report_clips(shared: Path, reader: FaceReader) -> None:
    """Print what stays visible in the annotated clips, and how their tracks are grouped."""
    parameters, thresholds = reader.parameters, reader.embedder.thresholds
    clips: dict[str, tuple[Tracks, dict[int, TrackFaces]]] = {}
    for name in CLIPS:
        clips[name] = read_clip(shared / "videos" / name, reader)
        tracks, faces = clips[name]
        people = people_of(tracks, faces, thresholds.same, parameters)
        voting = sum(len(each) > 0 for each in faces.values())
        print(f"{name:24}{len(tracks.tracks):4} tracks, {voting:3} with good faces, ", end="")
        print(f"{len(people):3} people", flush=True)
    galleries = [
        (name, track_id, gallery)
        for name, (_, faces) in clips.items()
        for track_id, gallery in _galleries(name, faces)
    ]
    together = {
        name: seen_together(tracks.tracks, parameters) for name, (tracks, _) in clips.items()
    }
    print(f"\nclips: {len(galleries)} people")
    for rule, cosines in (("keep", KEEP_COSINES), ("hide", OTHER_COSINES)):
        print(
            f"{rule + ' from' if rule == 'keep' else 'other below':>12}{'false':>16}{'missed':>10}"
        )
        for cosine in cosines:
            changed = changed_threshold(thresholds, rule, cosine)
            judge = Keeper if rule == "keep" else Hider
            own, strange = [], []
            for name, track_id, gallery in galleries:
                chooser = judge([gallery], changed, parameters)
                for other, (tracks, faces) in clips.items():
                    choice = chooser.choose(tracks, faces).tracks
                    shares = _shares(tracks, choice)
                    for each, share in shares.items():
                        pair = (min(each, track_id), max(each, track_id))
                        if other == name and each == track_id:
                            own.append(share)
                        elif other != name or pair in together[name]:
                            strange.append(share)
            first, second = (strange, own) if rule == "keep" else (own, strange)
            print_row(cosine, changed, thresholds, np.array(first), 1 - np.array(second))


def _galleries(clip: str, faces: Mapping[int, TrackFaces]) -> list[tuple[int, KnownPerson]]:
    """Return the three best faces in the first third of each track that has enough of them."""
    found = []
    for track_id, of_track in faces.items():
        third = len(of_track) // 3
        if third >= GALLERY:
            best = np.argsort(-of_track.qualities[:third])[:GALLERY]
            found.append((track_id, KnownPerson(f"{clip} {track_id}", of_track.vectors[best])))
    return found


def _shares(before: Tracks, after: Tracks) -> dict[int, float]:
    """Return the share of each track's frames that stays visible; boxes say whose they are."""
    visible: defaultdict[int, int] = defaultdict(int)
    rows = {
        (int(frame), tuple(box)): track.track_id
        for track in before.tracks
        for frame, box in zip(track.frames, track.boxes.tolist(), strict=True)
    }
    for track in after.tracks:
        if not track.hide:
            for frame, box in zip(track.frames, track.boxes.tolist(), strict=True):
                visible[rows[int(frame), tuple(box)]] += 1
    return {track.track_id: visible[track.track_id] / len(track) for track in before.tracks}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with test material")
    parser.add_argument("--known", type=int, default=118, help="how many people have a gallery")
    parser.add_argument("--others", type=int, default=1300, help="how many others are strangers")
    parser.add_argument("--only", choices=("photos", "clips"), help="only one of the two parts")
    arguments = parser.parse_args()
    reader = FaceReader.of(Weights(arguments.shared / "models"))
    if reader is None:
        parser.error("no embedder is installed")
    print(f"{reader.embedder.name}; * marks the thresholds in use")
    if arguments.only != "clips":
        aligned, boxed, skipped = read_pictures(
            arguments.shared, reader, arguments.known, arguments.others
        )
        print(f"{len(aligned.names)} images, {skipped} more are no good face")
        report_faces(aligned, "by landmarks")
        report_faces(boxed, "by the box")
        report_stretches(aligned, reader)
        report_groups(aligned, reader.embedder.thresholds.same)
    if arguments.only != "photos":
        print()
        report_clips(arguments.shared, reader)


if __name__ == "__main__":
    main()
