"""The service that other programs call over HTTP: detections, redacted images, jobs.

Imported only by the command that serves it: FastAPI takes half a second to load.
"""
