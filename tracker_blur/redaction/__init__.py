"""Hides faces in a frame: masks, colors, filters, one file for each method, and the redactor."""
