"""Training and evaluation of detectors; the only part of trackblur that needs PyTorch.

`datasets` reads what annotation tools export, `recipe` says what to learn from it and how,
`augmentation` and `data` make batches of it, `network` and `losses` are the model and what it
minimizes, `loop` trains it, `checkpoints` let it resume, `export` writes the ONNX file and its
model card, and `run` is the whole of `trackblur train`. `evaluation` measures detectors for
`trackblur evaluate`.

Modules that compute no tensors do not import PyTorch.
"""
