"""Training and evaluation of detectors and verifiers; the only part of trackblur with PyTorch.

`datasets` reads what annotation tools export, `recipe` says what to learn from it and how, and
`run` is the whole of `trackblur train`: `loop` trains what a `task` says, `checkpoints` let it
resume, `onnx_files` and `card` are what it writes.

`detection` is the task of detectors: `augmentation`, `crowds`, `corruption` and `data` make
batches, `network` and `losses` are the model and what it minimizes, `mining` finds false alarms,
`export` writes the file.
`evaluation` measures detectors for `trackblur evaluate`. `verifier` is the task of verifiers.

Modules that compute no tensors do not import PyTorch.
"""
