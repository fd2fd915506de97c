"""Collects what a report is made of: the files, the journal, the verification, and faces."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from tracker_blur.annotations import track_file
from tracker_blur.core.tracks import Origin
from tracker_blur.errors import ModelError, SettingsError, SourceError, reason_of
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import is_image
from tracker_blur.images.reader import ImageReader
from tracker_blur.review.file_facts import FileFacts
from tracker_blur.review.report import ReportData
from tracker_blur.version import __version__
from tracker_blur.video.reader import VideoReader
from tracker_blur.weights.onnx_network import runtime_version
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.review.decisions import JournalLine

_MOST_FACES = 300  # a page with more is no use
_FACE_PX = 96
_CONTEXT_SIZES = 1.6  # box sizes that a crop of a face shows
_JPEG_QUALITY = 85
_MAX_REPORT_BYTES = 256 << 20


def versions() -> dict[str, str]:
    """Return the versions of trackblur and of what its results depend on."""
    codecs = ".".join(map(str, av.library_versions.get("libavcodec", ())))
    return {
        "trackblur": __version__,
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "onnxruntime": runtime_version(),
        "numpy": np.__version__,
        "pyav": av.__version__,
        "libavcodec": codecs,
    }


def report_data(
    source: Path,
    output: Path,
    *,
    content: track_file.TrackFile | None = None,
    lines: Iterable[JournalLine] = (),
    last_line_sha256: str | None = None,
    names: Mapping[int, str] | None = None,
    numbers: Mapping[int, int] | None = None,
    doubts: Iterable[Mapping[str, Any]] = (),
    verification: Mapping[str, Any] | None = None,
    models_folder: Path | None = None,
    version: int | None = None,
) -> ReportData:
    """Return what a report on an output is made of.

    Args:
        source: the original.
        output: what was made of it.
        content: its track file with all edits; None: there is none.
        lines: the journal.
        last_line_sha256: hash of the journal's last line.
        names: the names that a reviewer gave to the people of tracks.
        numbers: the numbers of these people.
        doubts: where a reviewer should have looked.
        verification: as `read_verification` returns it.
        models_folder: a folder with weight files, searched first.
        version: the number of the journal's last line when the output was made, if it is known.

    Raises:
        SourceError: a file cannot be read.
        TrackFileError: the tracks are those of another video.
    """
    if content is not None:
        track_file.check_source(content, source)
    return ReportData(
        datetime.now(UTC).isoformat(timespec="seconds"),
        FileFacts.of(source),
        FileFacts.of(output),
        versions(),
        content,
        {} if content is None else _hashes(content.models, models_folder),
        tuple(lines),
        last_line_sha256,
        names or {},
        tuple(doubts),
        verification,
        version,
        numbers or {},
    )


def _hashes(names: Iterable[str], folder: Path | None) -> dict[str, str | None]:
    """Return the hash of each weight file as it is on this machine; None: it is missing."""
    weights = Weights(folder)
    hashes: dict[str, str | None] = {}
    for name in names:
        try:
            hashes[name] = hashlib.sha256(weights.read(name)).hexdigest()
        except ModelError:  # a report is no run: what is missing or damaged here was not used here
            hashes[name] = None
    return hashes


def read_verification(path: Path, output: Path) -> dict[str, Any]:
    """Return what `verify --json`, or `--verify --json` of a run, says about an output.

    Raises:
        SourceError: the file cannot be read, or is no such report.
        SettingsError: it says nothing about this output.
    """
    try:
        if path.stat().st_size > _MAX_REPORT_BYTES:
            raise ValueError("it is too large")
        content = json.loads(path.read_bytes())
        verdicts = [each for each in _verdicts(content) if _is_verdict(each)]
        if not verdicts:
            raise ValueError("it holds no verdict")
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file: check the name") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: is no report of 'verify' in JSON: give one") from error
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(
            f"{path}: is no report of 'verify' in JSON ({reason_of(error)}): give one"
        ) from error
    named: list[dict[str, Any]] = [
        verdict
        for verdict in verdicts
        if str(verdict["output"]).replace("\\", "/").rpartition("/")[2] == output.name
    ]
    if not named:
        raise SettingsError(f"{path}: says nothing about {output.name}: verify that file first")
    if all(verdict.get("output_sha256") is None for verdict in named):
        return named[0]  # an earlier version's
    digest = FileIdentity.of(output, hashed=True).sha256
    for verdict in named:
        if verdict.get("output_sha256") == digest:
            return verdict
    raise SettingsError(
        f"{path}: is about another {output.name}, or about it before it was changed (its SHA-256 "
        "differs): verify that file first"
    )


def _verdicts(content: Any) -> list[Any]:
    if not isinstance(content, dict):
        return []
    files = content.get("files")
    if not isinstance(files, list):
        return [content]
    return [
        each.get("verified") if isinstance(each, dict) and "verified" in each else each
        for each in files
    ]


def _is_verdict(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    lists = [value.get(name, []) for name in ("runs", "look_here_runs", "checks", "left_visible")]
    return (
        isinstance(value.get("output"), str)
        and isinstance(value.get("verdict"), str)
        and isinstance(value.get("clean"), bool)
        and isinstance(value.get("detectors", []), list)
        and isinstance(value.get("dismissed", 0), int)
        and all(isinstance(each, list) for each in lists)
        and all(isinstance(item, dict) for each in lists for item in each)
    )


def faces_of(source: Path, tracks: Tracks, *, partial: bool = False) -> dict[int, bytes]:
    """Return a small JPEG of the best face of each track, by its number.

    The longest tracks have one where there are very many.

    Raises:
        SourceError: the original cannot be read.
    """
    shown = sorted(tracks.tracks, key=len, reverse=True)[:_MOST_FACES]
    wanted: defaultdict[int, list[tuple[int, Box]]] = defaultdict(list)
    for track in shown:
        row = _best_row(track)
        wanted[int(track.frames[row])].append((track.track_id, track.box(row)))
    faces: dict[int, bytes] = {}
    reader = ImageReader if is_image(source) else VideoReader
    opened = reader(source, partial=partial, identity=FileIdentity.of(source))
    with opened as frames:
        for number, frame in enumerate(frames):
            if number in wanted:
                image = frame.view(tracks.size)
                faces |= {track_id: _face(image, box) for track_id, box in wanted[number]}
            if len(faces) == len(shown):
                break
    return faces


def _best_row(track: Track) -> int:
    """Return the row of the detection with the highest score, and of several the largest."""
    sizes = (track.boxes[:, 2:] - track.boxes[:, :2]).prod(axis=1)
    trusted = track.has(Origin.DETECTED) | track.has(Origin.DRAWN)
    scores = np.where(trusted, np.round(track.scores, 1), -1)
    return int(np.lexsort((sizes, scores))[-1])


def _face(image: Image, box: Box) -> bytes:
    scale = _FACE_PX / (_CONTEXT_SIZES * max(box.width, box.height, 1.0))
    x, y = box.center
    middle = _FACE_PX / 2
    matrix = np.array(((scale, 0, middle - x * scale), (0, scale, middle - y * scale)), np.float64)
    tile = cv2.warpAffine(image, matrix, (_FACE_PX, _FACE_PX), flags=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", tile, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return jpeg.tobytes()
