"""What jobs have written, by hash."""

from __future__ import annotations

from pathlib import Path

from tracker_blur.files.identity import sha256
from tracker_blur.web.state import State
from tracker_blur.web.written_outputs import WrittenOutputs


def test_a_page_for_all_files_of_a_machine_knows_its_outputs(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"redacted")
    WrittenOutputs(State(tmp_path), Path("/")).add({file: sha256(file)})
    outputs = WrittenOutputs(State(tmp_path), Path("/"))  # of the next server
    assert outputs.is_unchanged(file)
    for folder in (tmp_path, Path("/")):
        assert outputs.below(folder) == [file]
        assert outputs.any_below(folder)
    assert not outputs.any_below(tmp_path / "a")
