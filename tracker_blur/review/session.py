"""The review of one video or image: exact frames, tracks with all edits, people and doubts."""

from __future__ import annotations

import getpass
import threading
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tracker_blur.annotations import track_file
from tracker_blur.core import plugins
from tracker_blur.core.timeline import Timeline, split
from tracker_blur.errors import SourceError, TrackerBlurError, TrackFileError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import media_kind
from tracker_blur.redaction.redactor import turned_areas
from tracker_blur.review import operations, summary
from tracker_blur.review.background import step_back
from tracker_blur.review.box_follower import BoxFollower
from tracker_blur.review.cards import NO_GROUPING, Grouping, cards
from tracker_blur.review.doubts import Queue, queue_of
from tracker_blur.review.frame_sources import frame_source
from tracker_blur.review.frames import FrameStore
from tracker_blur.review.grouping import BackgroundGrouping
from tracker_blur.review.history import History
from tracker_blur.review.journal import Journal, journal_path
from tracker_blur.review.media_facts import MediaFacts
from tracker_blur.review.previews import Redactions, face_crop, jpeg, shown_size
from tracker_blur.review.state import ReviewState
from tracker_blur.review.verify_report import read_report, report_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.core.frame import Frame
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.review.doubt import Doubt
    from tracker_blur.review.journal import Line
    from tracker_blur.review.verify_report import VerifyReport
    from tracker_blur.settings import Settings

_HASHED_AT_ONCE = 256 << 20  # bytes; larger videos are hashed while the first frames are shown
_NO_LOOK = {"method"}  # what the page may do without anyone looking
_EXPECTED = 4  # of the next doubts, the frames are decoded before someone goes there
_MAX_CROPS = 4096  # of some kilobytes each


class ReviewSession:
    """The review of one video. Any thread may use it.

    Args:
        video: the video, or an image.
        track_path: its track file. The journal is next to it.
        tell: called, from another thread, when there is more to show without an edit: people.

    Attributes:
        video: the same.
        track_path: the same.
        content: the track file as it was made.
        identity: the video when the review began.

    Raises:
        TrackerBlurError: one of the files cannot be read, or they do not belong together.
    """

    def __init__(
        self, video: Path, track_path: Path, tell: Callable[[], None] = lambda: None
    ) -> None:
        self.video, self.track_path = video, track_path
        self._tell = tell
        self._track_identity = FileIdentity.of(track_path, hashed=True)
        self.content = track_file.read(track_path)
        self.identity = FileIdentity.of(video)
        self._problem: TrackerBlurError | None = None
        self._hashing: threading.Thread | None = None
        self._check_video()
        digest = self._track_identity.sha256
        assert digest is not None
        self._history = History(
            Journal(journal_path(track_path), digest), ReviewState(self.content.tracks)
        )
        self.is_image = media_kind(video, video) == "image" and self.content.tracks.frame_count == 1
        self.facts = MediaFacts.of(video, self.content.tracks.size)
        is_partial = self.content.settings.get("partial") is True
        self._source = frame_source(self.identity, self.content.tracks, partial=is_partial)
        self._frames = FrameStore(self._source, self.content.tracks.times, str(video))
        self._redactions: tuple[str | None, Redactions] | None = None
        self._follower = BoxFollower(self._source, self.content.settings)
        self.grouping: Grouping = NO_GROUPING
        self._people = BackgroundGrouping(
            self._source, self.content.tracks, self.facts.pixel_aspect, self._grouped
        )
        self._lock, self._doubts_lock = threading.Lock(), threading.Lock()
        self._timeline: tuple[Tracks, Timeline, list[Track]] | None = None
        self._verdict: VerifyReport | None = None
        self._doubts: tuple[Tracks, frozenset[int], VerifyReport, Queue] | None = None
        self._crops: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    @property
    def state(self) -> ReviewState:
        """The tracks with all edits, and what else was decided."""
        return self._history.state

    @property
    def version(self) -> int:
        """The number of the journal's last line."""
        return self._history.version

    @property
    def redaction(self) -> Settings:
        """How faces are hidden, as the track file says, or as was decided since."""
        return self._redactions_now().settings

    @property
    def verify_report(self) -> Path:
        """Where a report of `verify --json` on the result is looked for."""
        return report_path(self.track_path)

    def is_of(self, video: Path, track_path: Path) -> bool:
        """Return whether these are its files, in the state in which it opened them."""
        if (video, track_path) != (self.video, self.track_path):
            return False
        try:
            self.identity.check()
            self._track_identity.check()
        except SourceError:
            return False
        return True

    def refresh(self) -> bool:
        """Take over what other processes wrote; returns whether there was anything.

        Raises:
            TrackerBlurError: a file of the review was changed or damaged.
        """
        if self._problem is not None:
            raise self._problem
        return self._history.refresh()

    def summary(self) -> dict[str, Any]:
        """Return everything but boxes and frames."""
        state, tracks = self.state, self.state.tracks
        queue = self.queue()
        left = [doubt for doubt in queue.doubts if doubt.doubt_id not in state.seen]
        self._frames.expect(doubt.frame for doubt in left[:_EXPECTED])
        person_of = summary.numbered(state.groups(self.grouping.person_of))
        last_edit = self._history.last_edit
        is_looked_at = any(edit["op"] not in _NO_LOOK for edit in self._history.edits)
        undo_text = None if last_edit is None else operations.text_of(last_edit)
        return {
            "name": self.video.name,
            "size": list(tracks.size),
            "pixel_aspect": float(self.facts.pixel_aspect),
            "frames": tracks.frame_count,
            "fps": summary.frame_rate(tracks),
            "duration": summary.duration_of(tracks),
            "cuts": list(tracks.cuts),
            "is_image": self.is_image,
            "has_audio": self.facts.has_audio,
            "version": self.version,
            "can_undo": undo_text is not None,
            "can_redo": self._history.can_redo,
            "undo_text": undo_text,
            "undo_edit": last_edit,
            "method": self.redaction.method,
            "methods": [
                name
                for name in plugins.names("tracker_blur.redaction.methods")
                if name not in operations.NEED_MORE
            ],
            "classes": sorted({"face", "plate", *(track.label for track in tracks.tracks)}),
            "tracks": [
                summary.track_dict(track, person_of[track.track_id]) for track in tracks.tracks
            ],
            "people": cards(state, self.grouping, left),
            **summary.rules_dict(tracks.rules),
            "doubts_left": len(left),
            "doubts_left_out": queue.left_out,
            "looked": is_looked_at,
            "reviewed": is_looked_at and not left,
            "who": user_name(),
            "notes": [*self._history.notes, *self._redactions_now().notes],
        }

    def times(self, first: int, last: int) -> list[float]:
        """Return when frames are shown, in seconds since the first one; raises IndexError."""
        self._check_span(first, last)
        return summary.seconds_of(self.content.tracks, slice(first, last + 1))

    def boxes(self, first: int, last: int) -> dict[str, Any]:
        """Return the boxes of some frames; raises IndexError."""
        self._check_span(first, last)
        return summary.boxes_dict(self.state.tracks, first, last)

    def frame(
        self, number: int, *, redacted: bool, width: int | None, client: str = "", seq: int = 0
    ) -> bytes:
        """Return a frame as JPEG.

        Args:
            number: from 0.
            redacted: as it will be, not as it is.
            width: at most, in pixels.
            client: the window that asks, and
            seq: the number of its request, as for `FrameStore.frame`.

        Raises:
            IndexError: there is no such frame.
            OvertakenError: the same window has asked for another one since.
            SourceError: it cannot be read.
        """
        frame = self._frames.frame(number, client, seq)
        if redacted:
            self._redact(frame, number)
        size = shown_size(frame.size, width, self.facts.pixel_aspect)
        return jpeg(frame.view(size))

    def face(self, track_id: int, number: int, px: int) -> bytes:
        """Return a face in one frame, with its surroundings, as JPEG.

        Raises:
            IndexError: the track has no box in this frame.
            SourceError: it cannot be read.
        """
        tracks = {track.track_id: track for track in self.state.tracks.tracks}
        track = tracks.get(track_id)
        rows = [] if track is None else (track.frames == number).nonzero()[0].tolist()
        if track is None or not rows:
            raise IndexError(number)
        box = track.box(rows[0])
        key = number, box, px
        with self._lock:
            known = self._crops.get(key)
        if known is None:
            known = jpeg(face_crop(self._frames.frame(number), box, px))
            with self._lock:
                self._crops[key] = known
                if len(self._crops) > _MAX_CROPS:
                    self._crops.popitem(last=False)
        return known

    def apply(
        self, edit: dict[str, Any], who: str, why: str | None = None, base: int | None = None
    ) -> dict[str, Any]:
        """Apply an edit and write it into the journal; returns the version, and what was made.

        Args:
            edit: the operation and its fields; see `tracker_blur.review.operations`.
            who: who decided it.
            why: the reason.
            base: the version that it was made for; None: any.

        Raises:
            TrackerBlurError: it makes no sense, or cannot be written; nothing was changed.
            StaleError: there is another version by now.
        """
        self._check_track_file()
        complete = partial(operations.complete, edit=edit, grouped=self.grouping.person_of)
        if operations.operation_of(edit) is operations.OPERATIONS["follow"]:
            followed = self._follower.completed(edit, self.state.tracks)
            complete = partial(_always, followed)
        made = operations.made_by(self._history.add(complete, who, why, base), self.state)
        return {"version": self.version, **made}

    def undo(self, who: str, base: int | None = None) -> dict[str, Any]:
        """Take back the last edit; returns the new version and that edit; raises as `apply`."""
        self._check_track_file()
        edit = self._history.undo(who, base)
        return {"version": self.version, "edit": edit}

    def redo(self, who: str, base: int | None = None) -> dict[str, Any]:
        """Do the edit again that was taken back last; as `undo`."""
        self._check_track_file()
        edit = self._history.redo(who, base)
        return {"version": self.version, "edit": edit}

    def lines(self) -> list[Line]:
        """Return the journal."""
        return self._history.lines

    def line_dicts(self) -> list[dict[str, Any]]:
        """Return the journal as data for JSON, with `undone`: whether an edit does not count."""
        in_force = self._history.in_force
        return [
            {**line.to_dict(), "undone": not line.is_step and line.number not in in_force}
            for line in self._history.lines
        ]

    def doubts(self) -> list[Doubt]:
        """Return all doubts, most risky first, those that were seen included."""
        return list(self.queue().doubts)

    def doubt_dicts(self) -> list[dict[str, Any]]:
        """Return them as data for JSON, with `seen`, and with `seconds`: when the frame is."""
        seen, doubts = self.state.seen, self.doubts()
        seconds = summary.seconds_of(self.content.tracks, [doubt.frame for doubt in doubts])
        return [
            {**doubt.to_dict(), "seen": doubt.doubt_id in seen, "seconds": at}
            for doubt, at in zip(doubts, seconds, strict=True)
        ]

    def queue(self) -> Queue:
        """Return all doubts, and how many less risky ones are left out."""
        state = self.state
        report = self._verdict or read_report(self.verify_report)
        with self._doubts_lock:
            known = self._doubts
            if known is None or known[:3] != (state.tracks, state.decided, report):
                queue = queue_of(
                    state.tracks,
                    state.decided,
                    report.runs,
                    before=self.content.tracks,
                )
                self._doubts = known = (state.tracks, state.decided, report, queue)
            return known[3]

    def warm(self) -> None:
        """Prepare what a page asks for first: all but boxes, and the first frame."""
        self._frames.expect((0,))
        self.summary()

    def checked_video(self) -> Path:
        """Return the video as soon as its hash says that the tracks are its own.

        Raises:
            TrackerBlurError: They are not, or it cannot be read.
        """
        if self._hashing is not None:
            self._hashing.join()
        if self._problem is not None:
            raise self._problem
        return self.video

    def take_verdict(self, verdict: VerifyReport | None) -> None:
        """Take what `verify` found in a result instead of what is next to the track file."""
        self._verdict = verdict

    def edited(self) -> track_file.TrackFile:
        """Return the track file with all edits."""
        return self.state.edited(self.content)

    def write_edited_tracks(self, path: Path) -> None:
        """Write the track file with all edits; an older one is replaced.

        Raises:
            SinkError: it cannot be written.
            TrackerBlurError: a file of the review was changed or damaged.
        """
        self.refresh()
        self._check_track_file()
        if path.resolve() == self.track_path.resolve():
            raise TrackFileError(f"{path}: is the track file under review: choose another name")
        track_file.write(path, self.edited(), overwrite=True)

    def forget_frames(self) -> None:
        """Give up the memory of decoded frames; they are decoded again when they are asked for."""
        self._frames.forget()

    def close(self) -> None:
        """Stop decoding, and forget all frames."""
        self._people.close()
        self._frames.close()

    def _redact(self, frame: Frame, number: int) -> None:
        """Hide in a frame what the tracks, zones and limits say now."""
        timeline, hidden = self._timeline_now()
        faces = timeline.faces(number)
        ids = {face.track_id for face in faces}
        before = [track.rows(track.frames < number) for track in hidden if track.track_id in ids]
        known = tuple(track for track in before if track is not None)
        turned = turned_areas(replace(self.content.tracks, tracks=known))
        self._redactions_now().redacted(frame, faces, turned)

    def _grouped(self, grouping: Grouping) -> None:
        self.grouping = grouping
        self._tell()

    def _timeline_now(self) -> tuple[Timeline, list[Track]]:
        """Return what is hidden in each frame, and the hidden parts of tracks."""
        tracks = self.state.tracks
        with self._lock:
            if self._timeline is None or self._timeline[0] is not tracks:
                self._timeline = tracks, Timeline(tracks), split(tracks)[0]
            return self._timeline[1:]

    def _redactions_now(self) -> Redactions:
        method = self.state.method
        with self._lock:
            if self._redactions is None or self._redactions[0] != method:
                self._redactions = method, Redactions(self.edited().settings)
            return self._redactions[1]

    def _check_span(self, first: int, last: int) -> None:
        if not 0 <= first <= last < self.content.tracks.frame_count:
            raise IndexError(first)

    def _check_track_file(self) -> None:
        try:
            self._track_identity.check()
        except SourceError as error:
            raise TrackFileError(
                f"{self.track_path}: was changed outside of the review: open the review again"
            ) from error

    def _check_video(self) -> None:
        """Check that the tracks are this video's, of a large one while it is already shown."""
        if self.identity.size_bytes <= _HASHED_AT_ONCE:
            self.identity = track_file.check_source(self.content, self.video)
        elif self.identity.size_bytes != self.content.source_bytes:
            track_file.check_source(self.content, self.video)
        else:
            self._hashing = threading.Thread(
                target=self._check_hash, name="review hash", daemon=True
            )
            self._hashing.start()

    def _check_hash(self) -> None:
        step_back()
        try:
            track_file.check_source(self.content, self.video)
        except TrackerBlurError as error:
            self._problem = error


def _always(edit: dict[str, Any], _: ReviewState) -> dict[str, Any]:
    return edit


def user_name() -> str:
    """Return who works here, as the system calls them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
