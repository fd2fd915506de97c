"""How long a reviewer waits for a frame: stepping, and jumping into a group of 250 to 300 frames.

    python benchmarks/review.py CLIP.mp4 [--steps 150] [--jumps 40]

The clip is played forwards and backwards for 30 seconds, at 1280x720 and 1920x1080, with a key
frame every ten seconds and B-frames. Each request is measured from asking for a frame to its JPEG,
as the page's server does it; nothing else should run. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tracker_blur.core.tracks import Tracks
from tracker_blur.files.identity import FileIdentity
from tracker_blur.review.frame_sources import frame_source
from tracker_blur.review.frames import FrameStore
from tracker_blur.review.previews import jpeg, shown_size
from tracker_blur.video.reader import VideoReader

SIZES = ((1280, 720), (1920, 1080))
RATE, SECONDS, GOP_SECONDS = 30, 30, 10
MAX_IMAGES = 90
X264 = {
    "preset": "veryfast",
    "crf": "21",
    "x264-params": f"keyint={RATE * GOP_SECONDS}:min-keyint={RATE * GOP_SECONDS}:scenecut=0",
}


def write_clip(source: Path, target: Path, size: tuple[int, int]) -> None:
    """Write 30 seconds of a clip that swings back and forth."""
    images = []
    with VideoReader(source) as reader:
        for frame, _ in zip(reader, range(MAX_IMAGES), strict=False):
            images.append(frame.view(size))
    order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=X264)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(RATE * SECONDS):
            frame = av.VideoFrame.from_ndarray(images[order[index % len(order)]], "bgr24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def tracks_of(clip: Path) -> Tracks:
    """Return the clip's frames without any track."""
    with VideoReader(clip) as reader:
        times = [frame.pts for frame in reader]
        return Tracks(reader.info.size, reader.track.time_base, np.array(times, np.int64))


class Reviewer:
    """Asks for frames as one window of the page does.

    Args:
        store: the frames.
    """

    def __init__(self, store: FrameStore) -> None:
        self._store = store
        self._seq = 0

    def ask(self, number: int) -> float:
        """Return how many milliseconds a frame takes."""
        self._seq += 1
        start = time.perf_counter()
        frame = self._store.frame(number, "window", self._seq)
        jpeg(frame.view(shown_size(frame.size, None, Fraction(1))))
        return (time.perf_counter() - start) * 1000

    def rest(self) -> None:
        """Wait as long as a person looks at a frame."""
        time.sleep(0.5)


def measure(clip: Path, steps: int, jumps: int) -> dict[str, list[float]]:
    """Return milliseconds by what was done."""
    tracks = tracks_of(clip)
    source = frame_source(FileIdentity.of(clip), tracks, partial=False)
    source.prepare()
    store = FrameStore(source, tracks.times, str(clip))
    reviewer, last = Reviewer(store), tracks.frame_count - 1
    try:
        reviewer.ask(0)
        forward = [reviewer.ask(number) for number in range(1, steps + 1)]
        reviewer.ask(last // 2)
        reviewer.rest()
        back = [reviewer.ask(number) for number in range(last // 2 - 1, last // 2 - 1 - steps, -1)]
        chance, jumped = random.Random(0), []
        for _ in range(jumps):
            jumped.append(reviewer.ask(chance.randrange(tracks.frame_count)))
            reviewer.rest()
    finally:
        store.close()
    return {"step forward": forward, "step back": back, "jump": jumped}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clip", type=Path, help="any video with people in it")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--jumps", type=int, default=40)
    options = parser.parse_args()
    print("| frames | action | median, ms | 95th percentile, ms |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            clip = Path(folder) / f"{size[1]}.mp4"
            write_clip(options.clip, clip, size)
            for action, times in measure(clip, options.steps, options.jumps).items():
                high = statistics.quantiles(times, n=20)[-1]
                print(f"| {size[1]}p | {action} | {statistics.median(times):.0f} | {high:.0f} |")


if __name__ == "__main__":
    main()
