"""The review of one video or image: exact frames, tracks with all edits, people and doubts."""

from __future__ import annotations

import getpass
import hashlib
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from tracker_blur.annotations import track_file
from tracker_blur.core import plugins
from tracker_blur.errors import TrackFileError
from tracker_blur.files.paths import media_kind
from tracker_blur.review import operations, summary, track_operations
from tracker_blur.review.box_follower import BoxFollower
from tracker_blur.review.cards import NO_GROUPING, Grouping, cards
from tracker_blur.review.doubts import Queue, queue_of
from tracker_blur.review.frame_sources import frame_source
from tracker_blur.review.frames import FrameStore
from tracker_blur.review.grouping import BackgroundGrouping
from tracker_blur.review.history import History
from tracker_blur.review.journal import Journal, journal_path
from tracker_blur.review.media_facts import MediaFacts
from tracker_blur.review.person_numbers import PersonNumbers
from tracker_blur.review.pictures import Pictures
from tracker_blur.review.reviewed_files import ReviewedFiles
from tracker_blur.review.state import ReviewState
from tracker_blur.review.uncovered import shown_by_rules
from tracker_blur.review.verify_report import read_report, report_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.review.journal import Line
    from tracker_blur.review.verify_report import VerifyReport
    from tracker_blur.settings import Settings

_EXPECTED = 4  # of the next doubts, the frames are decoded before someone goes there


class ReviewSession:
    """The review of one video. Any thread may use it.

    Args:
        video: the video, or an image.
        track_path: its track file. The journal is next to it.
        notify: called, from another thread, when there is more to show without an edit: people.
        models_folder: a folder with weight files, searched first.

    Attributes:
        video: the same.
        track_path: the same.
        content: the track file as it was made.

    Raises:
        TrackerBlurError: one of the files cannot be read, or they do not belong together.
    """

    def __init__(
        self,
        video: Path,
        track_path: Path,
        notify: Callable[[], None] = lambda: None,
        models_folder: Path | None = None,
    ) -> None:
        self.video, self.track_path = video, track_path
        self._notify = notify
        self._files = ReviewedFiles(video, track_path)
        self.content = self._files.content
        self._numbers = PersonNumbers(self.content.tracks)
        self._history = History(
            Journal(journal_path(track_path), self._files.track_sha256),
            ReviewState(self.content.tracks),
        )
        self.is_image = media_kind(video, video) == "image" and self.content.tracks.frame_count == 1
        self.facts = MediaFacts.of(video, self.content.tracks.size)
        is_partial = self.content.settings.get("partial") is True
        self._source = frame_source(self._files.identity, self.content.tracks, partial=is_partial)
        self._frames = FrameStore(self._source, self.content.tracks.times, str(video))
        self._pictures = Pictures(self._frames, self.content, self.facts.pixel_aspect)
        self._follower = BoxFollower(self._source, self.content.settings, models_folder)
        self.grouping: Grouping = NO_GROUPING
        self._people = BackgroundGrouping(
            self._source,
            self.content.tracks,
            self.facts.pixel_aspect,
            self._grouped,
            models_folder,
        )
        self._doubts_lock = threading.Lock()
        self._verdict: VerifyReport | None = None
        self._doubts: tuple[Tracks, frozenset[int], VerifyReport, Queue] | None = None

    @property
    def state(self) -> ReviewState:
        """The tracks with all edits, and what else was decided."""
        return self._history.state

    @property
    def version(self) -> int:
        """The number of the journal's last line."""
        return self._history.version

    @property
    def verify_report(self) -> Path:
        """Where a report of `verify --json` on the result is looked for."""
        return report_path(self.track_path)

    def is_of(self, video: Path, track_path: Path) -> bool:
        """Return whether these are its files, in the state in which it opened them."""
        return self._files.are(video, track_path)

    def refresh(self) -> bool:
        """Take over what other processes wrote; returns whether there was anything.

        Raises:
            TrackerBlurError: a file of the review was changed or damaged.
        """
        self._files.check_problem()
        return self._history.refresh()

    def summary(self) -> dict[str, Any]:
        """Return everything but boxes and frames."""
        version, state = self._history.snapshot()
        tracks, redactions = state.tracks, self._pictures.redactions(state)
        queue = self._queue_of(state)
        left = [doubt for doubt in queue.doubts if doubt.doubt_id not in state.seen]
        self._frames.expect(doubt.frame for doubt in left[:_EXPECTED])
        person_of = summary.numbered(state.groups(self.grouping.person_of))
        shown = shown_by_rules(tracks)
        last_edit = self._history.last_edit
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
            "version": version,
            "can_undo": undo_text is not None,
            "can_redo": self._history.can_redo,
            "undo_text": undo_text,
            "undo_edit": last_edit,
            "method": redactions.settings.method,
            "methods": [
                name
                for name in plugins.names("tracker_blur.redaction.methods")
                if name not in track_operations.NEED_MORE
            ],
            "classes": sorted({"face", "plate", *(track.label for track in tracks.tracks)}),
            "tracks": [
                summary.track_dict(track, person_of[track.track_id], shown.get(track.track_id, []))
                for track in tracks.tracks
            ],
            "people": cards(state, self.grouping, left, self._numbers, shown),
            **summary.rules_dict(tracks.rules),
            "doubts_left": len(left),
            "doubts_left_out": queue.left_out,
            "looked": state.is_looked_through,
            "reviewed": state.is_looked_through and not left,
            "who": user_name(),
            "notes": [*self._history.notes, *redactions.notes],
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
            OvertakenError: the same window has requested another one since.
            SourceError: it cannot be read.
        """
        shown = self.state if redacted else None
        return self._pictures.frame(number, shown, width, client, seq)

    def face(self, track_id: int, number: int, px: int) -> bytes:
        """Return a face in one frame, with its surroundings, as JPEG.

        Raises:
            IndexError: the track has no box in this frame.
            SourceError: it cannot be read.
        """
        return self._pictures.face(self.state.tracks, track_id, number, px)

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
        self._files.check_tracks()
        complete = partial(operations.complete, edit=edit, grouped=self.grouping.person_of)
        if operations.operation_of(edit) is operations.OPERATIONS["follow"]:
            followed = self._follower.completed(edit, self.state.tracks)
            complete = partial(_always, followed)
        done = self._history.add(complete, who, why, base)
        made = operations.made_by(done.edit, done.after)
        if "track" in made:
            tracks = done.before.tracks, done.after.tracks
            made["frames"] = summary.changed_frames(*tracks, made["track"])
        return {"version": done.version, "changed": done.is_written, **made}

    def undo(self, who: str, base: int | None = None) -> dict[str, Any]:
        """Take back the last edit; returns the new version and that edit; raises as `apply`."""
        self._files.check_tracks()
        done = self._history.undo(who, base)
        return {"version": done.version, "edit": done.edit}

    def redo(self, who: str, base: int | None = None) -> dict[str, Any]:
        """Do the edit again that was taken back last; as `undo`."""
        self._files.check_tracks()
        done = self._history.redo(who, base)
        return {"version": done.version, "edit": done.edit}

    def lines(self) -> list[Line]:
        """Return the journal."""
        return self._history.lines

    def state_sha256(self, version: int) -> str | None:
        """Return what stands for the review as it was at a version, and for no other review's.

        It is the hash of the journal's line with this number, which holds that of the previous one,
        and so on to the track file's, which stands for 0. None: there is no such version.
        """
        lines = self._history.lines
        if version == 0:
            return self._files.track_sha256
        if not 0 < version <= len(lines):
            return None
        return hashlib.sha256(lines[version - 1].to_bytes()).hexdigest()

    def line_dicts(self) -> list[dict[str, Any]]:
        """Return the journal as data for JSON, with `undone`: whether an edit does not count."""
        in_force = self._history.in_force
        return [
            {**line.to_dict(), "undone": not line.is_step and line.number not in in_force}
            for line in self._history.lines
        ]

    def doubt_dicts(self) -> list[dict[str, Any]]:
        """Return all doubts, most risky first, as data for JSON.

        With `seen`, and with `seconds`: when the frame is.
        """
        state = self.state
        doubts = self._queue_of(state).doubts
        seconds = summary.seconds_of(self.content.tracks, [doubt.frame for doubt in doubts])
        return [
            {**doubt.to_dict(), "seen": doubt.doubt_id in state.seen, "seconds": at}
            for doubt, at in zip(doubts, seconds, strict=True)
        ]

    def queue(self) -> Queue:
        """Return all doubts, and how many less risky ones are left out."""
        return self._queue_of(self.state)

    def _queue_of(self, state: ReviewState) -> Queue:
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
        self._files.wait_for_hash()
        self._files.check_problem()
        return self.video

    def take_verdict(self, verdict: VerifyReport | None) -> None:
        """Take what `verify` found in a result instead of what is next to the track file."""
        self._verdict = verdict

    def write_edited_tracks(self, path: Path) -> tuple[int, Settings]:
        """Write the track file with all edits; an older one is replaced.

        Edits that arrive meanwhile are in none of what is written and returned.

        Returns:
            The version that was written, and how faces are hidden in it.

        Raises:
            SinkError: it cannot be written.
            TrackFileError: someone stays visible whom no one has looked at, and a network that was
                never measured chose who.
            TrackerBlurError: a file of the review was changed or damaged.
        """
        self.refresh()
        self._files.check_tracks()
        if path.resolve() == self.track_path.resolve():
            raise TrackFileError(f"{path}: is the track file under review: choose another name")
        version, state = self._history.snapshot()
        if self.content.is_unreviewed:
            self._check_looked_at(state)
        track_file.write(path, state.edited(self.content), overwrite=True)
        return version, self._pictures.redactions(state).settings

    def _check_looked_at(self, state: ReviewState) -> None:
        kept = [one for one in self._queue_of(state).doubts if one.kind == "kept_stretch"]
        if any(one.doubt_id not in state.seen for one in kept):
            raise TrackFileError(
                f"{self.video}: shows people whom a network chose that was never measured: open "
                "its review, and look at each place where someone stays visible"
            )

    def forget_frames(self) -> None:
        """Give up the memory of decoded frames; they are decoded again when they are requested."""
        self._frames.forget()

    def close(self) -> None:
        """Stop decoding, and forget all frames."""
        self._people.close()
        self._frames.close()

    def _grouped(self, grouping: Grouping) -> None:
        self.grouping = grouping
        self._notify()

    def _check_span(self, first: int, last: int) -> None:
        if not 0 <= first <= last < self.content.tracks.frame_count:
            raise IndexError(first)


def _always(edit: dict[str, Any], _: ReviewState) -> dict[str, Any]:
    return edit


def user_name() -> str:
    """Return the user's name, as the system knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
