"""What jobs have written, by hash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.files.identity import sha256
from tracker_blur.web.state import State
from tracker_blur.web.written_outputs import WrittenOutputs

if TYPE_CHECKING:
    import pytest


def test_a_page_for_all_files_of_a_machine_knows_its_outputs(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"redacted")
    WrittenOutputs(State(tmp_path), Path("/")).add({file: sha256(file)})
    outputs = WrittenOutputs(State(tmp_path), Path("/"))  # of the next server
    opened = outputs.open(file)
    assert opened is not None
    opened.close()
    for folder in (tmp_path, Path("/")):
        assert outputs.below(folder) == [file]
        assert outputs.any_below(folder)
    assert not outputs.any_below(tmp_path / "a")


def test_what_gets_the_name_of_an_output_after_the_check_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, foreign = tmp_path / "a.mp4", tmp_path / "b.mp4"
    file.write_bytes(b"redacted")
    outputs = WrittenOutputs(State(tmp_path), tmp_path)
    outputs.add({file: sha256(file)})
    open_file = os.open

    def replace_and_open(*arguments: Any) -> int:
        foreign.write_bytes(b"original")
        foreign.replace(file)
        return open_file(*arguments)

    monkeypatch.setattr(os, "open", replace_and_open)
    assert outputs.open(file) is None
    monkeypatch.undo()
    file.unlink()
    os.mkfifo(file)
    assert outputs.open(file) is None
