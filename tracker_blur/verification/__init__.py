"""What `verify.py` is made of: adversaries, evidence, checks of the rest, and the verdict."""
