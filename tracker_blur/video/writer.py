"""A video file: MP4, MOV, Matroska, WebM or an animated GIF (PyAV)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import av

from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SinkError, TrackerBlurError
from tracker_blur.files.atomic import NO_SPACE, replacing
from tracker_blur.settings import Settings
from tracker_blur.video.containers import container_format
from tracker_blur.video.encoder_settings import Encoder, choose
from tracker_blur.video.fitting import Fit
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.input import error_text, open_input
from tracker_blur.video.muxer import Assembly
from tracker_blur.video.stream_info import VideoInput, VideoTrack


class VideoSink:
    """Writes the pictures anew, and everything else of the input as it was.

    Sound and subtitles are copied; chapters, languages, track titles, dispositions, fonts and
    timing are kept. Other tags go as `settings.metadata` says; cover art, further picture tracks
    and data tracks are never written.

    path         the output; its suffix says which kind of file
    source_path  the input, read a second time for its other tracks
    source       where the frames come from
    warnings     what a user should know: a size that the encoder changes

    Raises SinkError when the suffix is unknown, the output is the input, or no encoder fits; on
    entering, when the output exists or cannot be written, cannot hold a track, or the encoder
    does not work on this machine.
    """

    def __init__(
        self, path: Path, source_path: Path, source: VideoInput, settings: Settings
    ) -> None:
        if path.exists() and path.samefile(source_path):
            raise SinkError(f"{path}: is the input itself: choose another name for the output")
        self._path = path
        self._source_path = source_path
        self._source = source
        self._settings = settings
        self._form = container_format(path)
        with _explained(path):
            self._encoder = choose(settings, source.track, self._form)
            self._encoder.configured(settings)
        self.warnings = _resized(path, source.track, self._encoder)
        self._assembly: Assembly | None = None
        self._run = self._running()

    def write(self, redacted: RedactedFrame) -> None:
        """Write one frame; raises SinkError when that fails."""
        if not isinstance(redacted.frame, DecodedFrame):
            raise TypeError(f"a video is written from decoded frames, not {redacted.frame!r}")
        if self._assembly is None:
            raise ValueError("a sink is written to inside of its with block")
        with _explained(self._path):
            self._assembly.write(redacted.frame.picture)

    def __enter__(self) -> VideoSink:
        self._run.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run.__exit__(kind, error, trace)

    @contextmanager
    def _running(self) -> Iterator[None]:
        with (
            replacing(self._path, self._settings.overwrite) as temporary,
            open_input(self._source_path) as source,
        ):
            with _explained(self._path):
                assembly = Assembly(
                    temporary,
                    self._source_path,
                    source,
                    self._source.track,
                    self._form,
                    self._encoder,
                    self._settings,
                )
            try:
                self._assembly = assembly
                yield
                with _explained(self._path):
                    assembly.finish(is_partial=self._source.is_partial)
            except BaseException:
                assembly.abandon()
                raise
            finally:
                self._assembly = None


def _resized(path: Path, track: VideoTrack, encoder: Encoder) -> tuple[str, ...]:
    fit = Fit(track, encoder)
    if not fit.is_padded:
        return ()
    before, after = ("x".join(map(str, size)) for size in (track.size, fit.size))
    return (
        f"{path}: is {after} instead of {before}, its last column or row repeated: "
        f"{encoder.name} takes even sides only",
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong while writing into one clear line."""
    try:
        yield
    except SinkError as error:
        raise SinkError(f"{path}: {error}") from error
    except TrackerBlurError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, "errno", None) in NO_SPACE:
            advice = "no space left: free some, or choose another folder"
        else:
            advice = f"cannot be written ({error_text(error)}): choose another kind of file"
        raise SinkError(f"{path}: {advice}") from error
