"""Trains a detector from annotated pictures; the only part of trackblur that needs PyTorch.

`trackblur train` drives it: `datasets` reads what annotation tools export, `canvases` makes views
of it, `network`, `assignment` and `losses` are the model and what it is taught, `loop` trains,
`checkpoints` and `provenance` let it go on, `export` writes the ONNX file that
`tracker_blur.detectors.onnx` runs, and `card` the model card beside it. Modules that do not compute
with tensors do not import PyTorch.
"""
