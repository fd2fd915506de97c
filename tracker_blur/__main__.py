"""Runs the command line: `python -m tracker_blur`."""

from tracker_blur.cli import main

main()
