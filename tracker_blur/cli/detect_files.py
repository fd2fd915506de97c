"""The files of `trackblur detect`: reading, detecting, drawing, printing."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, progress_bar
from tracker_blur.cli.interruption import raise_if_interrupted
from tracker_blur.cli.parser import STANDARD_OUTPUT
from tracker_blur.cli.results import check_json_target
from tracker_blur.cli.standard_output import print_line
from tracker_blur.core.frame_selection import FrameSelection
from tracker_blur.core.times import format_seconds
from tracker_blur.errors import SettingsError, TrackerBlurError
from tracker_blur.files.atomic import check_folder, check_place, replacing
from tracker_blur.files.discovery import Finder, find_inputs
from tracker_blur.files.jobs import Job
from tracker_blur.files.paths import (
    check_is_file_name,
    format_of,
    is_file,
    is_folder,
    is_image,
    real_path,
)
from tracker_blur.images.labelled_boxes import draw
from tracker_blur.images.reader import ImageReader
from tracker_blur.images.writer import write_view
from tracker_blur.pipeline import Engine
from tracker_blur.tracking.predicting import predict, predict_hidden
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    import argparse

    from tracker_blur.cli.console import Console
    from tracker_blur.core.frame import Frame
    from tracker_blur.core.predictions import Predictions
    from tracker_blur.files.discovery import InputFile
    from tracker_blur.settings import Settings


class Detection:
    """Detects in the files that the inputs name, one by one.

    Args:
        options: the parsed options.
        settings: what is detected, and by which detector.
        console: prints what fails.

    Raises:
        SettingsError: an option makes no sense, or something would be written over an input.
        SourceError: an input is missing, or names no file.
        SinkError: something cannot be written.
        ModelError: a weight file is missing or damaged.
    """

    def __init__(self, options: argparse.Namespace, settings: Settings, console: Console) -> None:
        self._options = options
        self._console = console
        self._selection = FrameSelection(options.frames, options.every)
        self._finder = Finder()
        drawn = None if options.draw is None else Path(options.draw)
        found = [file for name in options.inputs for file in find_inputs(name, drawn, self._finder)]
        self._files = list({real_path(file.source): file for file in found}.values())
        inputs = {real_path(file.source) for file in self._files}
        self._drawings = _Drawings(options, inputs)
        check_json_target(options, [*(file.source for file in self._files), drawn])
        self._settings = settings
        self._engine = Engine(settings)
        self._lines: list[str] = []
        self._failed: list[TrackerBlurError] = []

    def run(self) -> int:
        """Detect in each file; print or write the results; return the exit code."""
        options, console = self._options, self._console
        what = "what redaction would hide" if options.hidden else "every detection"
        console.when_begun(lambda: console.note(f"{what} of {self._engine.detector_name}"))
        for unsupported in self._finder.unsupported:
            console.note(str(unsupported))
        for folder in self._finder.unreadable:
            self._fail(folder.folder, TrackerBlurError(str(folder)))
        for file in self._files:
            try:
                document = self._detect(file)
                console.begun()
                self._show(document)
            except TrackerBlurError as error:
                raise_if_interrupted(error)
                self._fail(file.source, error)
        if options.json not in (None, STANDARD_OUTPUT):
            with replacing(options.json, options.overwrite) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in self._lines), "utf-8")
        self._drawings.warn(console)
        if not self._failed:
            return EXIT_DONE
        is_usage = len(self._files) == 1 and isinstance(self._failed[0], SettingsError)
        return EXIT_USAGE if is_usage else EXIT_FAILED

    def _detect(self, file: InputFile) -> dict[str, Any]:
        """Return the document of one file."""
        options, source = self._options, file.source
        reader = (ImageReader if is_image(source) else VideoReader)(
            source, partial=options.partial, max_megapixels=self._settings.max_megapixels
        )
        document: dict[str, Any] = {"input": str(source), "detector": self._engine.detector_name}
        with reader, progress_bar(source.name, options.quiet) as bar:
            info = reader.info
            is_single = isinstance(reader, ImageReader) and info.frame_count == 1
            if options.hidden and not is_single:
                raise SettingsError(
                    f"{source}: --hidden is for single images: 'trackblur track' says what is "
                    "hidden in a video"
                )
            if not is_single:
                self._drawings.check_many(source, self._selection)
            frames: list[dict[str, Any]] = []
            selection = FrameSelection() if is_single else self._selection
            for frame, seconds in selection.of(reader):
                number = None if is_single else frame.index
                target = self._drawings.target(file, number)
                predictions = self._predict(frame, info.pixel_aspect)
                if target is not None:
                    self._drawings.write(target, source, frame, predictions)
                plain = predictions.to_dict()
                frames.append(plain if is_single else _at(frame, seconds) | plain)
                bar.update()
        for warning in reader.warnings:
            self._console.warn(warning)
        return document | (frames[0] if is_single and frames else {"frames": frames})

    def _predict(self, frame: Frame, pixel_aspect: Fraction) -> Predictions:
        options, bundle = self._options, self._engine.bundle
        if options.hidden:
            return predict_hidden(bundle, frame, overlap=options.overlap)
        return predict(
            bundle,
            frame,
            overlap=options.overlap,
            max_size=options.longest_px,
            pixel_aspect=pixel_aspect,
        )

    def _show(self, document: dict[str, Any]) -> None:
        if self._options.json is None:
            print_line(*_described(document))
            return
        line = json.dumps(document)
        self._lines.append(line)
        if self._options.json == STANDARD_OUTPUT:
            print_line(line)

    def _fail(self, source: Path, error: TrackerBlurError) -> None:
        self._console.error(error)
        self._failed.append(error)
        if self._options.json is not None:
            self._show({"input": str(source), "error": self._console.text(error)})


class _Drawings:
    """Where images with boxes go: into one file, or into a folder that mirrors the inputs."""

    def __init__(self, options: argparse.Namespace, inputs: set[Path]) -> None:
        self._overwrite = options.overwrite
        self._inputs = inputs
        self._written = 0
        self._taken: dict[Path, Path] = {}
        self._path: Path | None = None
        if options.draw is None:
            return
        self._path = path = Path(options.draw)
        check_is_file_name(options.draw)
        names_folder = options.draw.endswith("/") or is_folder(path) or not path.suffix
        is_one_file = len(options.inputs) == 1 and is_file(Path(options.inputs[0]))
        self._is_folder = names_folder or not is_one_file
        check_folder(path)
        if not self._is_folder:
            format_of(path)  # refuses what is no image
        elif not names_folder:
            raise SettingsError(
                f"{path}: is a file, but there may be several images: name a folder"
            )

    def check_many(self, source: Path, selection: FrameSelection) -> None:
        """Refuse one file for several frames; raises SettingsError."""
        if self._path is not None and not self._is_folder and not selection.is_one:
            raise SettingsError(
                f"{self._path}: is a file, but {source} may give several images: name a folder, "
                "or one frame with --frames"
            )

    def target(self, file: InputFile, number: int | None) -> Path | None:
        """Return where a drawn image, or frame of a video, goes; None if nothing is drawn.

        Raises:
            SettingsError: it is an input, another image's place, or named as no image.
            SinkError: it cannot be written.
        """
        if self._path is None:
            return None
        target = self._path
        if self._is_folder:
            name = file.source.name if number is None else f"{file.source.name}_{number:06}.jpg"
            target = self._path / file.relative_output.with_name(name)
        place = real_path(target)
        if place in self._inputs:
            raise SettingsError(f"{target}: is an input: choose another place for the images")
        if self._taken.setdefault(place, file.source) != file.source:
            raise SettingsError(
                f"{target}: would be the image of {self._taken[place]} and of {file.source}: "
                "draw them one by one"
            )
        if place.parent.is_dir():
            check_place(target, self._overwrite)
        return target

    def write(self, target: Path, source: Path, frame: Frame, predictions: Predictions) -> None:
        """Write a frame with its boxes, for its owner only: it shows faces."""
        image = frame.view(frame.size)
        draw(image, predictions.detections)
        with Job(source, target, "image").target_folder():
            write_view(target, image, self._overwrite)
        self._written += 1

    def warn(self, console: Console) -> None:
        """Say what was written."""
        if self._written:
            console.warn(f"{self._path}: shows the original faces: do not publish it")


def _at(frame: Frame, seconds: Fraction) -> dict[str, Any]:
    return {"frame": frame.index, "time_seconds": round(float(seconds), 6)}


def _described(document: dict[str, Any]) -> list[str]:
    """Return the lines that people read."""
    lines = []
    for frame in document.get("frames", [document]):
        name = document["input"]
        if "frame" in frame:
            time = format_seconds(Fraction(str(frame["time_seconds"])))
            name += f" frame {frame['frame']} ({time})"
        for one in frame["predictions"]:
            left, top = one["x"] - one["width"] / 2, one["y"] - one["height"] / 2
            odds = "" if one["log_odds"] is None else f", log odds {one['log_odds']:.1f}"
            lines.append(
                f"{name}: {one['class']} {one['confidence']:.2f}, {one['width']:.0f}x"
                f"{one['height']:.0f} at {left:.0f},{top:.0f}{odds}"
            )
        if not frame["predictions"]:
            lines.append(f"{name}: nothing detected")
    return lines
