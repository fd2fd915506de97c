"""The public library: `Redactor`, and functions for a single video, image or array.

`tracker_blur` itself exports what is public here.
"""
