"""Evaluation of detectors on annotated images: the same metrics for all of them."""
