"""What a job's process says in its progress file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tracker_blur.web.job_events import JobEvents

if TYPE_CHECKING:
    from pathlib import Path


def test_of_very_many_warnings_the_first_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    texts = ["a.jpg: is odd", *(f"{number}.jpg: is odd" for number in range(10_000))] * 2
    lines = (json.dumps({"event": "warning", "text": text}) for text in texts[:10_002])
    path.write_text("".join(f"{line}\n" for line in lines))
    events = JobEvents(path)
    assert events.read()
    assert events.warnings == texts[:100]
    assert events.warning_count == 10_001  # the first one came twice
