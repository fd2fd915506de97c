"""Runs the command line: `python -m tracker_blur`."""

from tracker_blur.cli.main import main

main()
