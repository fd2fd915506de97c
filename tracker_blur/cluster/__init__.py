"""Redacts long videos in pieces: on the cores of one machine, or on many machines."""
