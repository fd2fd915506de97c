"""What `follow.py` is made of and run with: looks, pace, what was before and what comes after."""
