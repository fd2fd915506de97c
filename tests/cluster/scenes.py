"""A video of bright squares in several scenes, and what redacts it in pieces without processes."""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from av.video.frame import PictureType

from tracker_blur import Settings
from tracker_blur.api.custom_detector import CustomDetector
from tracker_blur.cluster.parameters import ClusterParameters
from tracker_blur.cluster.redact import PieceRedactor
from tracker_blur.cluster.tasks import Failed, Tracked, TrackTask
from tracker_blur.cluster.worker import PieceWorker
from tracker_blur.errors import TrackerBlurError
from tracker_blur.files.jobs import Job
from tracker_blur.pipeline import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tracker_blur.cluster.tasks import Event, Task
    from tracker_blur.core.frame import Image
    from tracker_blur.core.report import Report
    from tracker_blur.core.tracks import Tracks

SIZE = 160, 96
FRAMES = 120
CUT = 63
SETTINGS = Settings(view_px=160, tracker="none", preset="ultrafast", overwrite=True)
SHORT = ClusterParameters(piece_seconds=0.7, span_seconds=1.5)
# First and last frame, left at the first frame, top, and pixels a frame.
_SQUARES = (
    (0, 30, 10, 10, 2.0),
    (20, 62, 130, 50, -2.5),
    (66, 84, 20, 40, 1.5),
    (80, 119, 40, 60, 0.5),
    (90, 110, 10, 10, 3.0),
)
_SIDE_PX = 16


def picture(index: int) -> Image:
    """Return a frame: gray texture that changes at the cut, and squares, not always seen."""
    noise = np.random.default_rng(index >= CUT).integers(0, 40, (SIZE[1], SIZE[0], 3), np.uint8)
    image = cv2.GaussianBlur(noise, (0, 0), 3) + (60 if index >= CUT else 0)
    for number, (first, last, left, top, speed) in enumerate(_SQUARES):
        is_missed = (index + 7 * number) % 29 in (3, 4, 5)
        if first <= index <= last and not is_missed:
            x = round(left + speed * (index - first))
            image[top : top + _SIDE_PX, max(x, 0) : x + _SIDE_PX] = 255
    return np.asarray(image, np.uint8)


def write_scenes(
    path: Path,
    *,
    times: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    audio_seconds: float = 6.0,
    codec: str = "libx264",
    closed: Sequence[int] = (),
) -> Path:
    """Write the video, 25 frames a second, with a key frame in every ten, and audio that is longer.

    Args:
        path: The file.
        times: When each frame is shown, in milliseconds.
        options: For the encoder.
        audio_seconds: How long the audio is.
        codec: Its encoder.
        closed: Frames at which a closed GOP begins, whatever the options say.
    """
    usual = {"preset": "ultrafast", "crf": "18", "bf": "2", "sc_threshold": "0"}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=usual | (options or {}))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.gop_size = 10
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        audio: Any = container.add_stream("aac", rate=16000)
        audio.layout = "mono"
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(picture(index), "bgr24").reformat(format="yuv420p")
            frame.pts = 40 * index if times is None else times[index]
            frame.time_base = Fraction(1, 1000)
            if index in closed:
                frame.pict_type = PictureType.I
            container.mux(stream.encode(frame))
        for start in range(0, round(16000 * audio_seconds), 1024):
            tone = np.sin(np.arange(start, start + 1024) / 9)[None].astype(np.float32)
            sound = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
            sound.sample_rate, sound.pts, sound.time_base = 16000, start, Fraction(1, 16000)
            container.mux(audio.encode(sound))
        container.mux(stream.encode(None))
        container.mux(audio.encode(None))
    return path


class Squares:
    """Detects bright squares."""

    default_confidence = 0.5
    low_confidence = 0.3

    def detect(self, image: Image, confidence: float) -> list[tuple[Any, ...]]:
        white = cv2.inRange(image, (200, 200, 200), (255, 255, 255))
        count, _, stats, _ = cv2.connectedComponentsWithStats(white)
        boxes = [stats[number, :4].tolist() for number in range(1, count)]
        return [(x, y, x + w, y + h, 0.9) for x, y, w, h in boxes if min(w, h) > 5]


class InlineExecutor:
    """Does tasks one after the other in this process.

    Args:
        count: How many may be started before the first is done.
        settings: Those of the run.
        before: Called before each task; what it raises is what happens to the task.
        during: Called for whatever is said about a task; may raise.

    Attributes:
        done: The names of all tasks that were done, in order.
    """

    def __init__(
        self,
        count: int = 2,
        settings: Settings = SETTINGS,
        before: Callable[[Task], None] = lambda _: None,
        during: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._worker = PieceWorker(settings, CustomDetector(Squares()))
        self._count, self._before, self._during = count, before, during
        self._tasks: list[Task] = []
        self.done: list[str] = []
        self.reached: dict[int, int] = {}

    @property
    def idle_count(self) -> int:
        return self._count - len(self._tasks)

    def start(self, task: Task) -> None:
        self._tasks.append(task)

    def cancel(self, task: Task) -> None:
        self._tasks.remove(task)

    def wait(self) -> list[tuple[Task, Event]]:
        task = self._tasks.pop()
        events: list[tuple[Task, Event]] = []

        def report(event: Event) -> None:
            self._during(event)
            events.append((task, event))
            if isinstance(event, Tracked) and isinstance(task, TrackTask):
                self.reached[task.span] = event.piece

        try:
            self._before(task)
            done = self._worker.do(task, report)
        except TrackerBlurError as error:
            return [*events, (task, Failed(str(error)))]
        self.done.append(task.name)
        return [*events, (task, done)]


def redact(
    source: Path,
    target: Path,
    executor: InlineExecutor | None = None,
    *,
    settings: Settings = SETTINGS,
    parameters: ClusterParameters = SHORT,
    notes: list[str] | None = None,
) -> Report:
    """Redact in pieces."""

    @contextmanager
    def opened() -> Iterator[InlineExecutor]:
        yield executor or InlineExecutor(settings=settings)

    engine = Engine(settings, CustomDetector(Squares()))
    note = (notes if notes is not None else []).append
    redactor = PieceRedactor(engine, settings, opened, note, parameters)
    return redactor.redact_file(Job.of(source, target))


def redact_whole(source: Path, target: Path, settings: Settings = SETTINGS) -> Report:
    """Redact at once."""
    return Engine(settings, CustomDetector(Squares())).redact_file(Job.of(source, target))


def rows(tracks: Tracks | None) -> list[tuple[Any, ...]]:
    """Return all that tracks say, to be compared."""
    assert tracks is not None
    return [
        (
            *(one.track_id, one.label, one.frames.tolist(), one.boxes.tolist()),
            *(one.scores.tolist(), one.origins.tolist()),
        )
        for one in tracks.tracks
    ]
