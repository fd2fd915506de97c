"""The page for those who never open a terminal: jobs, files, reviews.

Imported only by the commands that serve it: FastAPI takes half a second to load.
"""
