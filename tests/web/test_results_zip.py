"""The archive of several results."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

from tracker_blur.web.results_zip import _zipped

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO


def test_a_file_whose_name_is_no_text_is_in_it_but_none_that_was_changed(tmp_path: Path) -> None:
    file, foreign = (tmp_path / os.fsdecode(name) for name in (b"a\xff.jpg", b"b\xff.jpg"))
    file.write_bytes(b"redacted")

    def opened(path: Path) -> BinaryIO | None:
        return path.open("rb") if path == file else None

    content = b"".join(_zipped([(path, path.name) for path in (file, foreign)], opened))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["a?.jpg", "LEFT OUT.txt"]
        assert archive.read("a?.jpg") == b"redacted"
        assert archive.read("LEFT OUT.txt").endswith(b"\n\nb?.jpg\n")
