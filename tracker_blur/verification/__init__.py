"""Verification: probes a finished file for exposed faces and checks that the rest is intact."""
