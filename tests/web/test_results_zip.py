"""The archive of several results."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

from tracker_blur.web.results_zip import _zipped

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_whose_name_is_no_text_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"a\xff.jpg")
    file.write_bytes(b"redacted")
    content = b"".join(_zipped([(file, file.name)]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["a?.jpg"]
        assert archive.read("a?.jpg") == b"redacted"
