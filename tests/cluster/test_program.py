"""Which program makes the pieces of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.cluster.program import code_sha256

if TYPE_CHECKING:
    from pathlib import Path


def test_each_change_of_a_module_makes_another_program(tmp_path: Path) -> None:
    (tmp_path / "tracking").mkdir()
    module = tmp_path / "tracking" / "linking.py"
    module.write_text("GAP = 1\n")
    seen = {code_sha256(tmp_path)}
    module.write_text("GAP = 2\n")
    seen.add(code_sha256(tmp_path))
    module.rename(tmp_path / "linking.py")
    seen.add(code_sha256(tmp_path))
    (tmp_path / "notes.txt").write_text("no module")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / ".#lock.py").symlink_to("someone@somewhere")  # an editor's, it leads nowhere
    assert code_sha256(tmp_path) in seen
    assert len(seen) == 3
