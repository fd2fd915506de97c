"""`trackblur review`: the page on which a video's tracks are looked through and corrected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.app import add_page_options, serve, site_of
from tracker_blur.cli.parser import complete_files
from tracker_blur.errors import SettingsError, SourceError

if TYPE_CHECKING:
    import argparse

    from tracker_blur.cli.console import Console
    from tracker_blur.cli.parser import Parser
    from tracker_blur.web.reviews import Review
    from tracker_blur.web.services import Services


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "review",
        help="look through and correct what is hidden in a video",
        description="Open a page in the browser on which you see what is hidden in a video or an "
        "image, decide about people, correct boxes, and write the result. Without a track file, "
        "the faces are first detected. What you decide is kept next to the track file.",
        examples=(
            "trackblur review in.mp4                      # with in.tracks.jsonl, if it is there",
            "trackblur review photo.jpg",
            "trackblur review in.mp4 faces.jsonl --no-browser",
        ),
    )
    parser.add_input("a video or an image")
    tracks = parser.add_argument(
        "tracks",
        nargs="?",
        type=Path,
        metavar="TRACKS",
        help="its track file (default: NAME.tracks.jsonl next to it)",
    )
    complete_files(tracks)
    add_page_options(parser)
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Serve the page of a review until it is interrupted."""
    from tracker_blur.files.paths import check_is_file, exists, is_file, is_media, real_path

    source, tracks = options.source, options.tracks
    if not exists(source):
        raise SourceError(f"{source}: no such file: check the name")
    check_is_file(source)
    if not (is_file(source) and is_media(source)):
        raise SettingsError(f"{source}: is no video and no image: name one")
    if tracks is not None and not is_file(tracks):
        raise SourceError(f"{tracks}: no such track file: check the name, or leave it out")
    _check_readable(source)
    folder = real_path(source).parent
    with site_of(options, folder, console, own_state_of=source) as site:
        review = opened(site.services, source, tracks)
        return serve(site, options, console, f"review/{review.id}")


def _check_readable(source: Path) -> None:
    """Raise SourceError for what nothing can be read of, before there is a page.

    Of a damaged video, the page can take what is whole.
    """
    from tracker_blur.files.paths import is_image
    from tracker_blur.images.reader import ImageReader
    from tracker_blur.video.reader import VideoReader

    reader = ImageReader(source) if is_image(source) else VideoReader(source, partial=True)
    with reader:
        pass


def opened(services: Services, source: Path, tracks: Path | None) -> Review:
    """Return the review of a file; if it has no tracks, a job searches for them."""
    from tracker_blur.files.paths import is_image
    from tracker_blur.web.job_commands import Choice

    review = services.reviews.open(source, tracks)
    if is_image(review.video):
        services.track_image(review, Choice())
    elif not review.tracks.is_file():
        services.track_for_review(review)
    services.warm(review.id)
    return review
