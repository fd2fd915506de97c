"""Stands for the command line in tests of the queue: does what the input's name says.

`wait...` waits until there is a file `go` next to it, and deletes what is half-written when it is
asked to end; `fail...` fails; `deaf...` waits and does not end when it is asked to; `usage...` does
not understand its arguments; the output of `arguments...` is these. The output of a folder's file
is its name; those that are there are passed over; those named `fail...` fail.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

FAILURE = "is no video: choose another"
FAILURES = {
    "fail large": "has 60 million pixels: reduce it, or raise the limit with --max-megapixels",
    "fail partial": "is truncated: get the complete file, or keep what can be read with --partial",
}


def main() -> None:
    arguments = sys.argv[1:]
    source = Path(arguments[1])
    if source.name.startswith("usage"):
        print(f"usage: trackblur IN\ntrackblur: error: {source}: is odd", file=sys.stderr)
        sys.exit(2)
    target = Path(arguments[arguments.index("-o") + 1]) if "-o" in arguments else None
    progress_file = Path(arguments[arguments.index("--progress-file") + 1])
    progress_file.touch(mode=0o600)
    with progress_file.open("a") as events:

        def append(event: str, **fields: object) -> None:
            print(
                json.dumps({"event": event, "at": time.time(), **fields}), file=events, flush=True
            )

        partial = source.with_name(f".partial-{source.name}")

        def end(*_: object) -> None:
            if not source.name.startswith("deaf"):
                partial.unlink(missing_ok=True)
                sys.exit(130)

        signal.signal(signal.SIGTERM, end)
        append("begin", process=os.getpid())
        partial.touch()

        done = 0
        while source.name.startswith(("wait", "deaf")) and not source.with_name("go").exists():
            done = min(done + 1, 90)
            append("progress", done=done, total=100, passes=2)
            time.sleep(0.02)
        partial.unlink()
        if source.name.startswith("fail"):
            append("error", text=f"{source}: {FAILURES.get(source.stem, FAILURE)}")
            append("end", code=1)
            sys.exit(1)
        if source.is_dir() and target is not None:
            outputs = [target / file.relative_to(source) for file in sorted(source.rglob("*.*"))]
        else:
            outputs = [] if target is None else [target]
        failed = [output for output in outputs if output.name.startswith("fail")]
        outputs = [output for output in outputs if output not in failed]
        skipped = [output for output in outputs if source.is_dir() and output.exists()]
        for output in outputs:
            if output in skipped:
                continue
            if source.is_dir():  # of a single output, the folder must be there
                output.parent.mkdir(parents=True, exist_ok=True)
            content = output.name if source.is_dir() else "0123456789"
            if source.name.startswith("arguments"):
                content = "\n".join(arguments)
            output.write_text(content)
            digest = hashlib.sha256(content.encode()).hexdigest()
            file = source / output.relative_to(target) if source.is_dir() and target else source
            append("warning", text=f"{file}: is odd")
            append("written", output=str(output), sha256=digest)
        if "--tracks" in arguments:
            Path(arguments[arguments.index("--tracks") + 1]).write_text("{}\n")
        files = [
            {
                "input": str(each).replace(str(target), str(source)),
                "output": str(each),
                "frames": 100,
                "tracks": 0,
                "warnings": [f"{source}: is odd"],
            }
            for each in outputs
        ]
        passed_over = [file for file in files if Path(str(file["output"])) in skipped]
        result: dict[str, object] = {
            "files": [file for file in files if file not in passed_over],
            "skipped": passed_over,
            "failed": [{"input": str(each), "error": FAILURE} for each in failed],
        }
        if arguments[0] == "verify":
            result |= {"clean": True, "skipped": ["added.jpg: has no output here"]}
        Path(arguments[arguments.index("--json") + 1]).write_text(json.dumps(result))
        append("end", code=1 if failed else 0)


main()
