"""Settings of a live session: what a user chooses, and the timing that comes with it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from tracker_blur.core.parameter_checks import CheckedParameters
from tracker_blur.core.setting_checks import (
    as_path,
    check_bool,
    check_choice,
    check_number,
    check_text,
)
from tracker_blur.errors import SettingsError
from tracker_blur.files.paths import is_folder

Transport = Literal["tcp", "udp"]

_SHORTEST_TOKEN = 8  # characters; a machine tries thousands a second


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTiming(CheckedParameters):
    """Timing and other limits of a live session; immutable.

    The defaults are what the tests and `benchmarks/soak.py` were run with. No option changes them.
    Units stand in the names; `_periods` are frame periods, `_sizes` those of a face; a `_share` and
    a `_load` run from 0 to 1.

    Attributes:
        poll_seconds: How often the session checks whether it is to end, so how fast quitting is.
        control_poll_seconds: How often `Controls.wait` checks. It polls because a signal handler
            must not take a lock.
        repeat_press_seconds: A press that shows frames again, or hides faces less, is ignored
            this soon after another press. Held keys repeat, and their first repeat comes late.
        library_poll_seconds: How often `live` checks that its session still runs.
        rate_window_seconds: The frame rate in the status is counted over this time.
        delay_window_frames: The delays in the status cover this many frames.

        open_targets_seconds: How long the session waits for all targets to open; then the others
            start.
        end_targets_seconds: How long the last frames, then all targets together, may take to
            finish.
        end_source_seconds: How long a source may take to close. It may be waiting for a peer.
        end_unconnected_source_seconds: The same for a source that has given nothing yet.
        end_detection_seconds: How long a running detection may take at the end. Nothing waits
            for its result.
        end_detection_least_seconds: The least of that, for a detection that has run for longer.
        end_process_seconds: How long a child process may take to end once its input is closed;
            then it is killed.
        end_stdout_seconds: How long the reader of standard output may take for what is left.
        end_connections_seconds: How long a connection of the web page may take to close.

        hanging_watchdogs: A detection hangs when it takes this many times `watchdog_seconds`.
        hanging_least_seconds: It never hangs before this.
        watchdog_periods: `watchdog_seconds` is never shorter than this: frames that come slowly
            are no reason to hide them.

        first_retry_seconds: The pause before the first retry of what failed; each further pause
            is twice as long.
        longest_retry_seconds: The longest pause between retries.
        retry_reset_seconds: What ran for this long starts with the first pause again.
        output_retry_seconds: The pause after the output failed. Nothing is delivered meanwhile.

        settle_seconds: After the source has changed the form of its frames, or was reconnected,
            frames are hidden for this long: faces may not be detected at once.

        default_rate: Frames per second where the source does not state it.
        rate_tolerance_periods: With a chosen rate, a frame may come this early, as a share of its
            period.
        frame_step_seconds: The least time between two frames that leave. Frames whose
            timestamps do not rise are set this far apart.
        late_timestamp_seconds: A timestamp further in the past was made by a clock that jumped.
        timestamp_jump_seconds: Two timestamps further apart are no measure of the source's speed.
        too_fast_seconds: A source that gets this far ahead sends faster than real time. Live
            sources may begin with some buffered frames.
        drift_share: Audio is stretched by no more than this share. Half a percent is no audible
            pitch.
        clock_drift_share: No source's clock is slower by more than this share: what comes later has
            a longer way.
        drift_window_seconds: How often the drift of a source's clock is measured.
        audio_gap_seconds: Smaller gaps and overlaps between chunks of audio are closed.
        audio_jitter_seconds: A drift of the audio up to this is left alone.
        audio_smoothing_seconds: The drift of the audio is smoothed over this time.
        audio_sync_seconds: In about this time, a drift of the audio is made up for.
        capture_audio_chunks: Chunks of audio that wait for their frame; the oldest are dropped.
        target_audio_chunks: Chunks of audio that wait for a slow target; the oldest are dropped.

        load_smoothing_share: Weight of the newest measurement in the smoothed load.
        high_load: Share of the frame period above which the detector's view gets smaller.
        low_load: Share of the frame period below which it gets larger again.
        view_shares: Sizes of the view, as shares of the chosen one. Below the last, faces are too
            small to be detected.
        view_change_frames: Frames between two changes of the view's size. Each change costs a
            detection.
        delay_tolerance_periods: A frame that comes this early still ends a delay.

        certain_detections: A track with this many high-confidence detections is a face, whose
            loss needs an explanation.
        border_sizes: A face that was seen this close to the border may have left there.
        occluded_share: A face of whose box others cover more than this may be behind them.

        repeat_periods: How long the output waits for a new frame before it repeats the last.

        probe_seconds: How much of a network stream is read to learn its format.
        open_timeouts: Opening an address may take this many times `timeout_seconds`, because it
            takes several requests.
        end_of_video_seconds: A video that stops this close to its end counts as complete.
        longest_wait_seconds: A frame of a played file whose timestamp is further ahead is not
            waited for: the timestamp is wrong.
        late_playback_seconds: A played file that is later than this does not catch up.
        open_window_seconds: How long the window may take to open.
        client_timeout_seconds: How long an HTTP client may neither send nor read.
        late_audio_seconds: How far audio may lag behind the video at the end of a recording's
            part.

    Raises:
        SettingsError: At construction, when a value makes no sense.
    """

    setting = "timing"

    poll_seconds: float = 0.1
    control_poll_seconds: float = 0.05
    repeat_press_seconds: float = 0.8
    library_poll_seconds: float = 0.5
    rate_window_seconds: float = 2.0
    delay_window_frames: int = 300

    open_targets_seconds: float = 30.0
    end_targets_seconds: float = 5.0
    end_source_seconds: float = 2.0
    end_unconnected_source_seconds: float = 0.5
    end_detection_seconds: float = 2.0
    end_detection_least_seconds: float = 0.2
    end_process_seconds: float = 2.0
    end_stdout_seconds: float = 1.0
    end_connections_seconds: float = 1.0

    hanging_watchdogs: float = 5.0
    hanging_least_seconds: float = 5.0
    watchdog_periods: float = 3.0

    first_retry_seconds: float = 0.25
    longest_retry_seconds: float = 10.0
    retry_reset_seconds: float = 10.0
    output_retry_seconds: float = 0.25

    settle_seconds: float = 1.0

    default_rate: Fraction = Fraction(30)
    rate_tolerance_periods: float = 0.75
    frame_step_seconds: float = 0.001
    late_timestamp_seconds: float = 1.0
    timestamp_jump_seconds: float = 1.0
    too_fast_seconds: float = 2.0
    drift_share: float = 0.005
    clock_drift_share: float = 0.002
    drift_window_seconds: float = 30.0
    audio_gap_seconds: float = 0.1
    audio_jitter_seconds: float = 0.005
    audio_smoothing_seconds: float = 1.0
    audio_sync_seconds: float = 10.0
    capture_audio_chunks: int = 2000
    target_audio_chunks: int = 500

    load_smoothing_share: float = 0.1
    high_load: float = 0.95
    low_load: float = 0.45
    view_shares: tuple[float, ...] = (1.0, 0.75, 0.5)
    view_change_frames: int = 30
    delay_tolerance_periods: float = 0.5

    certain_detections: int = 5
    border_sizes: float = 0.2
    occluded_share: float = 0.3

    repeat_periods: float = 1.5

    probe_seconds: float = 1.0
    open_timeouts: float = 2.0
    end_of_video_seconds: float = 1.0
    longest_wait_seconds: float = 10.0
    late_playback_seconds: float = 1.0
    open_window_seconds: float = 20.0
    client_timeout_seconds: float = 10.0
    late_audio_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """How frames are captured, when whole frames are hidden, and where they go; immutable.

    Attributes:
        size: (width, height) of the frames in pixels; None: the source's.
        rate: Frames per second; None: the source's.
        transport: How RTSP carries frames.
        timeout_seconds: A source or target that is silent for this long is reconnected.
        raw_format: Format of raw frames on standard input, "WIDTHxHEIGHT:PIXEL_FORMAT", at
            `rate`; None: the input is encoded.
        watchdog_seconds: Frames are fully hidden when the last detection is older than this, or
            than three frame periods.
        cover: Image shown while frames are fully hidden; None: a gray pattern.
        hide_all: Start with the whole frame hidden and the audio muted.
        allow_weaker: Controls may hide faces less than at the start, also with a cosmetic method.
        segment_minutes: Recordings start a new file after this long; None: never.
        listen: "HOST:PORT" of the web page.
        token: Token that requests for the web page must carry; None: one is generated.
        stills_folder: Folder for snapshots.
        timing: Timing that no option changes.

    Raises:
        SettingsError: At construction (it is a ValueError), when a value makes no sense.
    """

    size: tuple[int, int] | None = None
    rate: float | None = None
    transport: Transport = "tcp"
    timeout_seconds: float = 5.0
    raw_format: str | None = None
    watchdog_seconds: float = 1.0
    cover: Path | None = None
    hide_all: bool = False
    allow_weaker: bool = False
    segment_minutes: float | None = None
    listen: str = "127.0.0.1:8642"
    token: str | None = None
    stills_folder: Path = Path()
    timing: LiveTiming = LiveTiming()

    def __post_init__(self) -> None:
        self._check_types()
        if self.size is not None and not all(16 <= side <= 8192 for side in self.size):
            shown = "x".join(map(str, self.size))
            raise SettingsError(
                f"is {shown}: give WIDTHxHEIGHT, each side from 16 to 8192", setting="size"
            )
        if self.rate is not None:
            check_number(self.rate, "rate", 1.0, 240.0)
        check_number(self.timeout_seconds, "timeout_seconds", 0.1, 3600.0)
        check_number(self.watchdog_seconds, "watchdog_seconds", 0.1, 60.0)
        if self.segment_minutes is not None:
            check_number(self.segment_minutes, "segment_minutes", 0.01, 24 * 60.0)
        if self.token == "":
            raise SettingsError(
                "is empty: give one that cannot be guessed, or none", setting="token"
            )
        if self.token is not None and not _is_text(self.token):
            raise SettingsError(
                "holds characters that are no text: give letters and digits", setting="token"
            )
        if self.token is not None and len(self.token) < _SHORTEST_TOKEN:
            raise SettingsError(
                f"is too easy to guess: give {_SHORTEST_TOKEN} characters or more, or none",
                setting="token",
            )
        check_choice(self.transport, "transport", get_args(Transport))
        if self.raw_format is not None and self.rate is None:
            raise SettingsError(
                "needs the frame rate, which raw frames lack: add",
                setting="raw_format",
                remedy="rate",
            )
        if not isinstance(self.timing, LiveTiming):
            raise SettingsError(f"is {self.timing!r}: give LiveTiming", setting="timing")
        if not is_folder(self.stills_folder):
            raise SettingsError(
                f"is {self.stills_folder}: this folder does not exist: create it",
                setting="stills_folder",
            )

    def _check_types(self) -> None:
        size = self.size
        is_size = isinstance(size, tuple) and [type(side) for side in size] == [int, int]
        if size is not None and not is_size:
            raise SettingsError(f"is {size!r}: give (width, height)", setting="size")
        for name in ("cover", "stills_folder"):
            if name == "stills_folder" or self.cover is not None:
                object.__setattr__(self, name, as_path(getattr(self, name), name))
        check_text(self.listen, "listen")
        for name in ("raw_format", "token"):
            if getattr(self, name) is not None:
                check_text(getattr(self, name), name)
        for name in ("hide_all", "allow_weaker"):
            check_bool(getattr(self, name), name)


def _is_text(value: str) -> bool:
    """Return whether a value can be sent; bytes of the command line that are no UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
