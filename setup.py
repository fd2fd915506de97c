"""Lists the packages for setuptools; all else is in setup.cfg.

`packages = find:` alone would miss `tracker_blur.models`, which lies at the top of the repository.

An old Python runs this file before pip reads which one is needed, so it has to say so itself, in a
syntax that it understands.
"""

import sys

if not (3, 11) <= sys.version_info[:2] < (3, 14):
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(
        f"trackblur needs Python 3.11 to 3.13, and this is Python {version} ({sys.executable}): "
        "install one of these and use it: python3.13 -m venv .venv"
    )

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["tracker_blur*"]), "tracker_blur.models"])
