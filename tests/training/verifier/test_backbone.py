"""A verifier starts with the weights of EfficientNet-Lite0."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import conv2d

from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.training.network import MEAN, SCALE
from tracker_blur.training.verifier.backbone import load_backbone
from tracker_blur.training.verifier.network import VerifierNetwork, VerifierShape

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

pytestmark = pytest.mark.usefixtures("seeded_torch")

PARTS = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}


def published(network: VerifierNetwork) -> dict[str, Tensor]:
    """Return a network's weights, with the names and the input of EfficientNet-Lite0."""

    def unit(values: Tensor, convolution: str, norm: str) -> None:
        own = values.state_dict()
        stored[f"{convolution}.weight"] = own["0.weight"]
        stored.update({f"{norm}.{name[2:]}": own[name] for name in own if name.startswith("1.")})

    stored: dict[str, Tensor] = {"_fc.weight": torch.zeros(1000, 1280)}
    unit(network.stem, "_conv_stem", "_bn0")
    stored["_conv_stem.weight"] = stored["_conv_stem.weight"].flip(1) / 0.5
    for number, block in enumerate(network.blocks):
        names = list(PARTS.items())[-len(block.units) :]
        for part, (convolution, norm) in zip(block.units, names, strict=True):
            prefix = f"_blocks.{number}"
            unit(part, f"{prefix}.{convolution}", f"{prefix}.{norm}")
    return stored


def learned_network() -> VerifierNetwork:
    """Return a network whose normalizations do something."""
    network = VerifierNetwork(VerifierShape())
    for name, values in network.state_dict().items():
        if values.ndim == 1 and not name.startswith("answer"):
            values.uniform_(0.5, 1.5)
    return network


def test_all_weights_but_the_last_layers_are_taken(tmp_path: Path) -> None:
    network, loaded = learned_network(), VerifierNetwork(VerifierShape())
    file = tmp_path / "lite0.pth"
    torch.save(published(network), file)
    load_backbone(loaded, file)
    for name, values in network.state_dict().items():
        is_counter = name.endswith("num_batches_tracked")  # of no use: the momentum is fixed
        assert torch.equal(values, loaded.state_dict()[name]) or is_counter or "answer" in name
    assert not torch.equal(network.answer[-1].weight, loaded.answer[-1].weight)


def test_the_first_layer_sees_what_it_learned_from(tmp_path: Path) -> None:
    weights = published(learned_network())
    file = tmp_path / "lite0.pth"
    torch.save(weights, file)
    network = VerifierNetwork(VerifierShape())
    load_backbone(network, file)
    crops = torch.randint(0, 256, (2, 3, 64, 64)).float()
    seen = network.stem[0]((crops - MEAN) * SCALE)
    expected = conv2d((crops.flip(1) - 127.5) / 128, weights["_conv_stem.weight"], None, 2, 1)
    torch.testing.assert_close(seen, expected)


def test_a_file_of_other_weights_is_refused(tmp_path: Path) -> None:
    network = VerifierNetwork(VerifierShape())
    other, text = tmp_path / "other.pth", tmp_path / "text.pth"
    weights = published(network)
    del weights["_blocks.10._bn1.bias"]
    torch.save(weights, other)
    text.write_text("no weights")
    tensor, narrow = tmp_path / "tensor.pth", tmp_path / "narrow.pth"
    torch.save(torch.zeros(3), tensor)
    torch.save(published(network) | {"_conv_stem.weight": torch.zeros(1)}, narrow)
    message = "not the weights of EfficientNet-Lite0"
    for file in (other, tensor, narrow):
        with pytest.raises(ModelError, match=message):
            load_backbone(network, file)
    for file, message in ((text, "cannot read these weights"), (tmp_path / "no.pth", "cannot")):
        with pytest.raises(ModelError, match=message):
            load_backbone(network, file)
    with pytest.raises(SettingsError, match="leave it out"):
        load_backbone(VerifierNetwork(VerifierShape().scaled(0.5)), other)
