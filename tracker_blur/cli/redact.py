"""`trackblur IN OUT` or `trackblur redact IN OUT`: hides faces in videos, images and folders."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.buckets.urls import is_bucket
from tracker_blur.cli.console import Console, silence_libraries
from tracker_blur.cli.detection_options import (
    add_careful_option,
    add_detection_options,
    add_people_options,
    add_zone_options,
)
from tracker_blur.cli.option_values import number, whole_number_from
from tracker_blur.cli.options import add_file_options, add_message_options, option, settings_from
from tracker_blur.cli.output_options import (
    add_encoding_options,
    add_metadata_option,
    add_redaction_options,
    add_track_options,
)
from tracker_blur.cli.parser import Parser, add_input_option, complete_files, formatter
from tracker_blur.cli.results import json_after_failure
from tracker_blur.cli.worker_count import worker_count
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.files.paths import exists, is_file, is_same_file, real_path
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker_blur.cli.one_by_one import OneByOne
    from tracker_blur.cli.outcome import Outcome
    from tracker_blur.cli.worker_pool import WorkerPool
    from tracker_blur.files.jobs import Job, Plan

USAGE = "trackblur IN [IN ...] [[-o] OUT] [options]"
DESCRIPTION = """\
Hide every face in videos, images and folders. Everything else stays as it was.

IN is a video, an image, a folder or a quoted pattern. OUT is a file, or a
folder for several inputs (default: NAME_redacted next to IN).
"""
EPILOG = """\
To redact a file or folder that is named like a command, write 'trackblur ./live'
or 'trackblur redact live'.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a face is exposed, 130 interrupted.
"""
EXAMPLES = (
    "trackblur in.mp4 out.mp4",
    "trackblur photos/ --method solid                 # writes photos_redacted/",
    "trackblur in.mp4 --tracks in.tracks.jsonl --verify",
)
FORMATTER = formatter(argparse.RawDescriptionHelpFormatter)


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "redact",
        prog="trackblur",
        usage=USAGE.replace("trackblur", "trackblur [redact]"),
        help="hide faces in files and folders (the default)",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=FORMATTER,
        examples=EXAMPLES,
    )
    paths = parser.add_argument(
        "paths",
        nargs="*",
        metavar="IN [OUT]",
        help="inputs, and the output; see above",
    )
    complete_files(paths)
    add_options(parser)
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    detection = parser.add_argument_group("detection")
    add_detection_options(detection)
    add_careful_option(detection)
    option(
        detection,
        "--one-pass",
        "one_pass",
        action="store_true",
        help="write frames without reading ahead: a face may show until it is detected",
    )
    option(
        detection,
        "--delay",
        "delay_seconds",
        type=number,
        metavar="SECONDS",
        help="with --one-pass: how long each frame waits for later detections, for at most 30 "
        "frames (default: %(default)s)",
    )
    option(
        detection,
        "--hold",
        "hold_seconds",
        type=number,
        metavar="SECONDS",
        help="with --one-pass: how long a lost face stays hidden (default: %(default)s)",
    )
    add_redaction_options(parser.add_argument_group("redaction"))
    add_zone_options(parser.add_argument_group("zones and limits"))
    add_people_options(parser.add_argument_group("people"))
    output = parser.add_argument_group("output")
    add_input_option(output, dest="inputs", action="append", default=[])
    output.add_argument(
        "-o",
        "--out",
        metavar="OUT",
        help="the output; all other names are then inputs. To replace a file next to IN, name it "
        "this way and add --overwrite",
    )
    add_encoding_options(output, "the input's")
    add_metadata_option(output)
    add_track_options(output)
    add_file_options(output)
    output.add_argument(
        "--jobs",
        type=whole_number_from(1),
        metavar="N",
        help="several files: how many are redacted at once, each in a process of its own; what is "
        "written is the same (default: as many as cores and memory allow). One long video: how "
        "many processes redact it, in pieces; what is hidden is the same, and a run that was "
        "killed continues where it stopped (default: not in pieces)",
    )
    output.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="redact on the machines of a Ray cluster, which see all files under the same names; "
        "'auto' finds the one of this machine, 'local' starts one on its cores",
    )
    output.add_argument(
        "--staging",
        type=Path,
        metavar="FOLDER",
        help="inputs and outputs in buckets (s3://, gs://): where they lie meanwhile, in a hidden "
        "folder that only you can read (default: in your cache folder). With --ray: a folder that "
        "all machines see under the same name",
    )
    output.add_argument(
        "--tracks",
        type=Path,
        metavar="FILE",
        help="also write a track file, for 'trackblur tracks' and 'trackblur render'",
    )
    output.add_argument(
        "--verify",
        action="store_true",
        help="after writing, search the outputs for faces as an attacker would; the exit code is 3 "
        "if a face is exposed",
    )
    output.add_argument(
        "--verify-report",
        type=Path,
        metavar="FILE.html",
        help="like --verify, and write a report with images, one for all files; it shows faces",
    )
    output.add_argument(
        "--accept",
        type=Path,
        metavar="JOURNAL",
        help="with --verify: leave out the places that 'trackblur verify --accept JOURNAL "
        "--dismiss' accepted",
    )
    output.add_argument(
        "--compare",
        action="store_true",
        help="images named one by one: also write NAME_compare next to IN, with before and after "
        "side by side; it shows the faces",
    )
    output.add_argument(
        "--show",
        action="store_true",
        help="images named one by one: show the result in a window",
    )
    add_message_options(parser.add_argument_group("messages"))


def run(options: argparse.Namespace, console: Console) -> int:
    """Redact everything that the paths name; one bad file does not stop the others."""
    from tracker_blur.cli.batch import Batch
    from tracker_blur.cli.settings_notes import note_unused_settings, warn_if_cosmetic
    from tracker_blur.cli.side_outputs import check_options

    with ExitStack() as stack:
        with json_after_failure(options, console):
            settings = settings_from(options, Settings)
            inputs, output = _inputs_and_output(options)
            planned = _plan(inputs, output, options)
            check_options(options, inputs, planned)
            files = _files(planned.jobs, settings, options, console, stack)
            description = None if files is None else files.description

        def print_notes() -> None:
            if description is not None:
                console.note(description)
            warn_if_cosmetic(settings, console)
            note_unused_settings(settings, {job.kind for job in planned.jobs}, console)

        if len(planned.jobs) == 1:
            console.when_begun(print_notes)
        else:
            print_notes()

        def redact(add: Callable[[Outcome], None]) -> None:
            if files is not None:
                files.redact(planned.jobs, add)

        return Batch(planned, settings, options, console).run(redact)


def _plan(inputs: Sequence[str], output: str | None, options: argparse.Namespace) -> Plan:
    """Return what is to be redacted, and where the outputs go."""
    from tracker_blur.files.jobs import plan
    from tracker_blur.video.opening import check_is_media

    if any(is_bucket(name) for name in (*inputs, output or "")):
        from tracker_blur.cli.bucket_plan import plan_with_buckets

        return plan_with_buckets(inputs, output, options)
    if options.staging is not None:
        raise SettingsError("--staging is for inputs and outputs in buckets: leave it out")
    try:
        return plan(inputs, output, overwrite=options.overwrite)
    except SettingsError:
        for path in map(Path, inputs):
            check_is_media(path)
        raise
    except SourceError as error:
        if (
            output is None
            or len(inputs) > 1
            or not Path(inputs[0]).suffix  # rather a mistyped command, about which there is a hint
            or exists(Path(inputs[0]))
            or not is_file(Path(output))
        ):
            raise
        raise SourceError(
            f"{error}; the input comes first: if it is {output}, swap them"
        ) from error


def _files(
    jobs: Sequence[Job],
    settings: Settings,
    options: argparse.Namespace,
    console: Console,
    stack: ExitStack,
) -> OneByOne | WorkerPool | None:
    """Return what redacts the files; None if there are none, so that nothing is loaded."""
    if not jobs:
        return None
    if options.ray is not None and not options.show:
        from tracker_blur.cli.ray_files import RayFiles

        silence_libraries()
        return RayFiles(options.ray, settings, options, console)
    count = 1 if options.show else worker_count(jobs, options.jobs)
    if count == 1:
        from tracker_blur.cli.one_by_one import OneByOne

        silence_libraries()
        files = OneByOne(settings, options, console)
        if options.jobs is not None and options.jobs > 1 and not options.show:
            _use_pieces(files, settings, options.jobs, console)
        return files
    from tracker_blur.cli.worker_pool import WorkerPool

    return stack.enter_context(WorkerPool(count, settings, options, console))


def _use_pieces(files: OneByOne, settings: Settings, count: int, console: Console) -> None:
    """Let the one video be redacted by several processes, in pieces, if it can be."""
    from tracker_blur.cli.worker_count import core_count
    from tracker_blur.cluster.local import LocalExecutor
    from tracker_blur.cluster.redact import PieceRedactor

    def new_executor() -> LocalExecutor:
        return LocalExecutor(count, settings, max(1, core_count() // count), silence_libraries)

    redactor = PieceRedactor(files.engine, settings, new_executor, console.note)
    files.redact_file = redactor.redact_file


def _inputs_and_output(options: argparse.Namespace) -> tuple[list[str], str | None]:
    """Return what is to be read, and where to; raises SettingsError for an OUT that may be an IN.

    A shell expands an unquoted pattern with two matches to two names. The second would be taken for
    the output and overwritten.
    """
    if options.image is not None and options.method != "image":
        raise SettingsError(
            "--image is the image that --method image puts over faces: add that, or name an input "
            f"as IN or with -i {options.image}"
        )
    named = [*options.inputs, *options.paths]
    if not named:
        raise SettingsError(
            "no input: name a video, an image, a folder or a quoted pattern, as in "
            "'trackblur in.mp4 out.mp4'"
        )
    if options.out is not None or len(named) == 1:
        return named, options.out
    if options.inputs and not options.paths:
        return named, None
    if options.inputs and len(options.paths) > 1:
        raise SettingsError(
            f"{' and '.join(options.paths)}: with -i IN there is one output: name it last, or with "
            "-o OUT"
        )
    *inputs, output = named
    target = Path(output)
    if is_file(target):
        for source in map(Path, inputs):
            is_neighbor = real_path(source).parent == real_path(target).parent
            if is_file(source) and is_neighbor and not is_same_file(source, target):
                raise SettingsError(
                    f"{target}: already exists next to {source} and may be an input: quote "
                    f"patterns, or use -o {target} --overwrite"
                )
    return inputs, output
