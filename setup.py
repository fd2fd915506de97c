"""Lists the packages for setuptools; all else is in setup.cfg.

`packages = find:` alone would miss `tracker_blur.models`, which lies at the top of the repository.
"""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["tracker_blur*"]), "tracker_blur.models"])
