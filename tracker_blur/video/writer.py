"""VideoWriter: writes redacted frames, and the input's other tracks, into a video file.

MP4, MOV, Matroska, WebM or an animated GIF (PyAV).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import av

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.atomic import NO_SPACE, replacing
from tracker_blur.files.paths import exists
from tracker_blur.video.audio_editing import AudioEditor
from tracker_blur.video.containers import ContainerFormat, container_format
from tracker_blur.video.encoder import FrameConformer
from tracker_blur.video.encoder_settings import Encoder, choose_encoder
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.muxer import Muxer
from tracker_blur.video.opening import open_input
from tracker_blur.video.stream_copy import check_fits
from tracker_blur.video.track_selection import wanted_tracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from tracker_blur.core.audio_spans import AudioSpan
    from tracker_blur.core.frame import RedactedFrame
    from tracker_blur.settings import Settings
    from tracker_blur.video.rendered import RenderedPiece
    from tracker_blur.video.stream_info import VideoInput, VideoTrack

_LEAST_OFFSET_SECONDS = 0.04  # that anyone hears: encoders begin up to 27 ms early


class VideoWriter:
    """Encodes the frames again, and copies everything else of the input.

    Audio is copied, and subtitles are, cleaned and without telemetry. Chapters, languages,
    dispositions, fonts, timing and titles of tracks that name no one are kept. `settings` decides
    which tracks and other tags stay. Cover art, further video tracks and data tracks are never
    written.

    Args:
        path: The output; its suffix decides the container format.
        source_path: The input, read a second time for its other tracks.
        source: Where the frames come from.
        settings: Quality, encoder, metadata and whether to overwrite.
        audio_spans: What of the audio is replaced. Subtitles that are shown meanwhile are left out.
        in_pieces: Whether the frames come encoded, by `write_pieces`.

    Attributes:
        warnings: What the user should know: a size that the encoder changes; once written, that
            transparency was lost, or subtitles were left out.

    Raises:
        SinkError: The suffix is unknown, the output is the input, or no encoder can be used with
            the container. On entering: the output exists or cannot be written, cannot hold a track,
            or the encoder does not work on this machine.
        SourceError: On entering or at the end: the input is no longer the file that `source` reads.
        SettingsError: The encoder does not have a setting.
    """

    def __init__(
        self,
        path: Path,
        source_path: Path,
        source: VideoInput,
        settings: Settings,
        audio_spans: Sequence[AudioSpan] = (),
        *,
        in_pieces: bool = False,
    ) -> None:
        if exists(path) and path.samefile(source_path):
            raise SinkError(f"{path}: is the input itself: choose another name for the output")
        self._path = path
        self._source_path = source_path
        self._source = source
        self._settings = settings
        self._in_pieces = in_pieces
        self._editor = AudioEditor(audio_spans) if audio_spans else None
        self._form = container_format(path)
        with _sink_errors(path):
            self._encoder = choose_encoder(settings, source.track, self._form)
            self._encoder.options_for(settings)
        self.warnings = (
            *self._check_tracks(),
            *_size_warnings(path, source.track, self._encoder),
        )
        self._muxer: Muxer | None = None
        self._run = self._open()

    def write(self, redacted: RedactedFrame) -> None:
        """Write one frame; raises SinkError if that fails."""
        if not isinstance(redacted.frame, DecodedFrame):
            raise TypeError(f"a video is written from decoded frames, not {redacted.frame!r}")
        if self._muxer is None:
            raise ValueError("a writer is used inside its with block")
        with _sink_errors(self._path):
            self._muxer.write(redacted.frame.av_frame)

    def write_pieces(self, pieces: Sequence[RenderedPiece]) -> None:
        """Write all frames at once, from the pieces in which they are, redacted and encoded.

        Raises:
            SinkError: That fails.
            SourceError: A piece is damaged.
        """
        if self._muxer is None:
            raise ValueError("a writer is used inside its with block")
        with _sink_errors(self._path):
            self._muxer.write_pieces(pieces)

    def __enter__(self) -> VideoWriter:
        self._run.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run.__exit__(kind, error, trace)

    def _check_tracks(self) -> tuple[str, ...]:
        """Fail early, if a track does not exist or does not fit; warn where none can be kept."""
        index = self._source.track.index
        with open_input(self._source_path) as source, _sink_errors(self._path):
            wanted = wanted_tracks(self._source_path, source, index, self._settings)
            if wanted and not self._form.holds_tracks:
                name = self._form.muxer
                return (f"{self._path}: {name} files hold no audio or subtitles: left out",)
            for stream in wanted:
                if stream.type == "audio" and self._editor is not None:
                    continue  # it becomes what the container holds
                check_fits(stream, self._form, self._settings.metadata)
            asks_for_times = self._editor is not None and self._editor.has_times
            if asks_for_times and not source.streams.audio:
                return (f"{self._source_path}: has no audio: nothing is muted or bleeped",)
        return ()

    @contextmanager
    def _open(self) -> Iterator[None]:
        with (
            replacing(self._path, self._settings.overwrite) as temporary,
            open_input(self._source_path) as source,
        ):
            self._source.identity.check()  # now the audio is known to be that of the frames
            with _sink_errors(self._path):
                muxer = Muxer(
                    temporary,
                    self._source_path,
                    source,
                    self._source.track,
                    self._form,
                    self._encoder,
                    self._settings,
                    self._editor,
                    in_pieces=self._in_pieces,
                )
            self.warnings += muxer.warnings
            try:
                self._muxer = muxer
                yield
                with _sink_errors(self._path):
                    muxer.finish(is_partial=self._source.is_partial)
                self._source.identity.check_end()
                if muxer.has_flattened:
                    self.warnings += (_flattened(self._path, self._form, self._encoder),)
                if self._editor is not None:
                    self.warnings += _offset_warnings(self._path, self._editor)
                if muxer.silenced_cues:
                    self.warnings += (_left_out(self._path, muxer.silenced_cues),)
            except BaseException:
                muxer.abandon()
                raise
            finally:
                self._muxer = None


def _size_warnings(path: Path, track: VideoTrack, encoder: Encoder) -> tuple[str, ...]:
    conformer = FrameConformer(track, encoder)
    if not conformer.is_padded:
        return ()
    before, after = ("x".join(map(str, size)) for size in (track.size, conformer.size))
    return (
        f"{path}: is {after} instead of {before}, its last column or row repeated: "
        f"{encoder.name} takes even sides only",
    )


def _flattened(path: Path, form: ContainerFormat, encoder: Encoder) -> str:
    remedy = "leave out the codec" if form.transparent else "choose .webm, .mov or .mkv"
    return (
        f"{path}: is written without transparency, on black, as {encoder.codec} in {form.muxer} "
        f"has none: {remedy} to keep it"
    )


def _left_out(path: Path, cues: int) -> str:
    what = "1 subtitle is" if cues == 1 else f"{cues} subtitles are"
    return f"{path}: {what} left out: the audio is muted or bleeped while shown"


def _offset_warnings(path: Path, editor: AudioEditor) -> tuple[str, ...]:
    """Return what the user should know where an audio editor's times are not the video's."""
    offsets = (
        (editor.lead, "before", "begins that much earlier"),
        (editor.lag, "after", "ends that much later"),
    )
    return tuple(
        f"{path}: audio begins {float(offset):.3f} seconds {side} the first frame: what is muted "
        f"or bleeped {effect} than asked, so that times from an audio editor are covered"
        for offset, side, effect in offsets
        if offset >= _LEAST_OFFSET_SECONDS
    )


@contextmanager
def _sink_errors(path: Path) -> Iterator[None]:
    """Turn write errors into one clear line."""
    try:
        yield
    except SinkError as error:
        raise SinkError.about(str(path), error) from error
    except TrackerBlurError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, "errno", None) in NO_SPACE:
            advice = "no space left: free some, or choose another folder"
        else:
            advice = f"cannot be written ({reason_of(error)}): choose another container format"
        raise SinkError(f"{path}: {advice}") from error
