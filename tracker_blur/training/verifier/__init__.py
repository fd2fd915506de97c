"""Training of verifiers: small networks that say whether a detection shows an object.

`labels` compares what detectors take for objects with what people labeled,
`crops`, `places` and `drawings` make images of them, `network` learns from these, `mining` finds
what it gets wrong, `calibration` makes its answers odds, `export` writes NAME.onnx, and `task` is
what `run` needs of all this. `judging` measures verifiers for `trackblur evaluate`.

Modules that compute no tensors do not import PyTorch.
"""
