"""Judges detectors on annotated pictures: the same ruler for all of them."""
