"""Review: exact frames, edits with a journal, people and doubts of one video, without HTTP."""
