"""Kills workers and the driver of a run in pieces at random moments, and compares what is written.

    python benchmarks/kills.py [--moments 20] [--seed 1] [--ray local]

A clip of four pieces is redacted by two processes, or with `--ray`, undisturbed first. Then, at
each moment, a worker or the driver is killed (SIGKILL), in turns. A run that has lost a worker must
end by itself; one whose driver was killed must leave no output, and the same command is started
again at once, while workers of the old run may still be there. Each output must have the same bytes
as the undisturbed one. Linux only.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.video_files import write_clip  # noqa: E402  # tests are no package that is installed

WORKERS = (b"spawn_main", b"PieceActor")
OPTIONS = ("--detector", "haar", "--view-size", "160", "--overwrite")


def main() -> int:
    """Kill, compare, print, and return 1 if an output differed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ray", metavar="ADDRESS")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    ways = ("--ray", options.ray) if options.ray else ("--jobs", "2")
    with tempfile.TemporaryDirectory() as folder:
        source, target = _clip(Path(folder) / "in.mp4"), Path(folder) / "out.mp4"
        command = [sys.executable, "-m", "tracker_blur", str(source), str(target), *OPTIONS, *ways]
        started = time.monotonic()
        subprocess.run([*command, "--quiet"], check=True, cwd=ROOT)
        seconds = time.monotonic() - started
        expected = target.read_bytes()
        target.unlink()
        print(f"undisturbed: {seconds:.1f} s; {' '.join(ways)}, seed {options.seed}\n")
        print("| killed | after | then |\n|---|---:|---|")
        differing = kills = 0
        while kills < options.moments:
            is_driver = kills % 2 == 0
            moment = chance.uniform(0.0, seconds)
            what = _killed(command, moment, chance, is_driver=is_driver)
            if what is None:  # it had ended before: the machine is faster now
                seconds = moment
            else:
                kills += 1
            then = [what or "it had ended"]
            if target.exists():
                is_same = target.read_bytes() == expected
                differing += not is_same
                then.append("the same bytes" if is_same else "OTHER BYTES")
                target.unlink()
            who = "driver" if is_driver else "worker"
            print(f"| {who} | {moment:.1f} s | {', '.join(then)} |", flush=True)
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        differing += ended.returncode != 0 or target.read_bytes() != expected
        left = sorted(path.name for path in Path(folder).iterdir())
    print(f"\n{differing} of the outputs differ; left at the end: {', '.join(left)}")
    return int(differing > 0)


def _clip(path: Path) -> Path:
    return write_clip(
        path,
        frames=325,
        rate=Fraction(5),
        size=(192, 128),
        gop=25,
        options={"preset": "ultrafast", "x264-params": "scenecut=0"},
    )


def _killed(
    command: list[str], moment: float, chance: random.Random, *, is_driver: bool
) -> str | None:
    """Start a run, kill it or one of its workers, and return the outcome.

    Returns:
        None if it had ended before.
    """
    messages = Path(command[3]).with_name("messages")
    with messages.open("w") as file:  # no pipe: workers that are left would hold it open
        run = subprocess.Popen(command, cwd=ROOT, stderr=file)
    time.sleep(moment)
    workers = _workers(run.pid)
    if run.poll() is not None:
        return None
    if is_driver:
        run.kill()
        what = f"{len(workers)} workers were left"
    elif workers:
        os.kill(chance.choice(workers), signal.SIGKILL)
        what = "it continued"
    else:
        what = "there was no worker yet, it continued"
    run.wait()
    said = messages.read_text()
    if "continues with" in said:
        what += " from pieces of an earlier run"
    if run.returncode and not is_driver:
        what += f", FAILED: {said.strip()[-200:]}"
    return what


def _workers(parent: int) -> list[int]:
    """Return the processes below another one that do pieces."""
    children: dict[int, list[int]] = {}
    commands = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            commands[int(folder.name)] = (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = [], [parent]
    while waiting:
        below = children.get(waiting.pop(), [])
        waiting += below
        found += [one for one in below if any(name in commands[one] for name in WORKERS)]
    return found


if __name__ == "__main__":
    sys.exit(main())
