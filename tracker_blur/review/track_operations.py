"""Operations of a review on tracks and their boxes; each returns the next state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from tracker_blur.annotations import edits, reshaping
from tracker_blur.annotations.values import InvalidValueError, method_name
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.review.fields import Fields
    from tracker_blur.review.state import ReviewState

NEED_MORE = frozenset({"image"})
"""Methods that need more than a track file holds."""

Apply: TypeAlias = "Callable[[ReviewState, Fields], ReviewState]"


def hidden(hide: bool) -> Apply:
    """Return the operation that hides tracks, or leaves them visible."""

    def applied(state: ReviewState, fields: Fields) -> ReviewState:
        ids = fields.ids("tracks")
        return replace(
            state,
            tracks=edits.set_hidden(state.tracks, ids, hide),
            decided=state.decided | frozenset(ids),
        )

    return applied


def merge(state: ReviewState, fields: Fields) -> ReviewState:
    """Make one track of several."""
    ids = fields.ids("tracks")
    if len(ids) < 2:
        raise SettingsError("only one track is chosen: choose two at least to merge them")
    corrected = frozenset().union(*(state.corrected.get(one, frozenset()) for one in ids))
    return replace(
        state,
        tracks=edits.merge(state.tracks, ids),
        corrected={**state.corrected, ids[0]: corrected},
    )


def split(state: ReviewState, fields: Fields) -> ReviewState:
    """Split a track in two at a frame."""
    track_id, frame, new = fields.whole("track"), fields.frame("frame"), fields.whole("new")
    return with_split(state, track_id, frame, new)


def with_split(state: ReviewState, track_id: int, frame: int, new: int) -> ReviewState:
    """Return the state with a track split; the new one has the decisions about it."""
    tracks = reshaping.split(state.tracks, track_id, frame, new)
    corrected = state.corrected.get(track_id, frozenset())
    decided = state.decided | {new} if track_id in state.decided else state.decided
    return replace(
        state,
        tracks=tracks,
        decided=decided,
        corrected={
            **state.corrected,
            track_id: frozenset(one for one in corrected if one < frame),
            new: frozenset(one for one in corrected if one >= frame),
        },
    )


def draw(state: ReviewState, fields: Fields) -> ReviewState:
    """Draw a track, or more of one, from boxes at some frames."""
    track_id, keyframes = fields.whole("track"), fields.keyframes("keyframes")
    is_new = all(track.track_id != track_id for track in state.tracks.tracks)
    tracks = edits.draw(state.tracks, track_id, keyframes)
    if is_new and not fields.is_null("class"):
        tracks = reshaping.set_label(tracks, [track_id], fields.short_text("class"))
    return _corrected(state, tracks, track_id, frozenset(keyframes))


def reshape(state: ReviewState, fields: Fields) -> ReviewState:
    """Place the box of a track in one frame; those around it follow."""
    track_id, frame = fields.whole("track"), fields.frame("frame")
    corrected = state.corrected.get(track_id, frozenset())
    tracks = reshaping.reshape(state.tracks, track_id, frame, fields.box("box"), corrected)
    return _corrected(state, tracks, track_id, frozenset([frame]))


def _corrected(
    state: ReviewState, tracks: Tracks, track_id: int, frames: frozenset[int]
) -> ReviewState:
    known = state.corrected.get(track_id, frozenset())
    return replace(state, tracks=tracks, corrected={**state.corrected, track_id: known | frames})


def move(state: ReviewState, fields: Fields) -> ReviewState:
    """Move the boxes of a track in some frames."""
    ids, frames = [fields.whole("track")], _frames(fields)
    return replace(
        state,
        tracks=edits.move(state.tracks, ids, frames, fields.number("dx"), fields.number("dy")),
    )


def ends(state: ReviewState, fields: Fields) -> ReviewState:
    """Set the first and the last frame of a track."""
    frames = _frames(fields)
    tracks = reshaping.set_ends(state.tracks, fields.whole("track"), frames.start, frames.stop - 1)
    return replace(state, tracks=tracks)


def extend(state: ReviewState, fields: Fields) -> ReviewState:
    """Hold a track on to a frame before or after it."""
    tracks = reshaping.extend(state.tracks, fields.whole("track"), fields.frame("frame"))
    return replace(state, tracks=tracks)


def drop(state: ReviewState, fields: Fields) -> ReviewState:
    """Delete tracks."""
    return replace(state, tracks=edits.drop(state.tracks, fields.ids("tracks")))


def drop_frames(state: ReviewState, fields: Fields) -> ReviewState:
    """Delete the boxes of a track in some frames."""
    ids = [fields.whole("track")]
    return replace(state, tracks=edits.drop_frames(state.tracks, ids, _frames(fields)))


def _frames(fields: Fields) -> range:
    first, last = fields.frame("first"), fields.frame("last")
    if first > last:
        raise SettingsError(f"frame {first} is after frame {last}: swap the two")
    return range(first, last + 1)


def set_class(state: ReviewState, fields: Fields) -> ReviewState:
    """Set the class of tracks."""
    ids, label = fields.ids("tracks"), fields.short_text("class")
    return replace(state, tracks=reshaping.set_label(state.tracks, ids, label))


def set_method(state: ReviewState, fields: Fields) -> ReviewState:
    """Set how tracks are hidden."""
    ids = fields.ids("tracks")
    return replace(state, tracks=edits.set_method(state.tracks, ids, _method_in(fields)))


def method(state: ReviewState, fields: Fields) -> ReviewState:
    """Set how all are hidden that have no method of their own."""
    return replace(state, method=_method_in(fields))


def _method_in(fields: Fields) -> str | None:
    try:
        method = None if fields.is_null("method") else method_name(fields.text("method"))
    except InvalidValueError as error:
        raise SettingsError(str(error)) from error
    if method in NEED_MORE:
        raise SettingsError(
            f"the method {method} needs a file, which a review has not: give another"
        )
    return method


def follow(state: ReviewState, fields: Fields) -> ReviewState:
    """Add the boxes at which a track was followed."""
    track_id = fields.whole("track")
    return replace(state, tracks=edits.add_boxes(state.tracks, track_id, fields.found("boxes")))
