"""Attackers that learn from redacted faces: small networks, and what they are fed.

The program that redacts is public, so an attacker can redact any number
of known faces in the same way and train on them. These here see only the hidden area, aligned by
its box. They need PyTorch (`pip install -e '.[train]'`).

- Embedders learn to tell, from a redacted face, what a recognizer makes of the clear one, on other
  people than those they attack. They compare a redacted face with the recognizer's view of clear
  pictures, and, better, with their own view of the same pictures redacted.
- Classifiers learn redacted pictures of the people to be named. A convolutional network that starts
  from an embedder, a perceptron and a linear discriminant vote.
- A reader learns the characters of redacted plates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

Canvases = npt.NDArray[np.uint8]
"""Aligned hidden areas: shape (pictures, variants, channels, height, width)."""

Floats = npt.NDArray[np.float32]

EMBEDDING = 128
_BATCH = 128
_TEMPERATURE = 0.07
_ROUNDING = 1e-9  # of shares: a guess among equal scores is exactly chance


class Network(nn.Module):
    """Four convolutions and a linear layer: 180,000 weights for one channel.

    Args:
        channels: 1 for gray, 3 for color.
        outputs: numbers that it returns.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((channels, 16), (16, 32), (32, 64), (64, 96)):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
            if after < 96:
                layers.append(nn.MaxPool2d(2))
        self.trunk = nn.Sequential(*layers, nn.AdaptiveAvgPool2d((3, 2)), nn.Flatten())
        self.head = nn.Linear(96 * 6, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs, shape (images, outputs)."""
        outputs: Tensor = self.head(functional.dropout(self.trunk(images), 0.3, self.training))
        return outputs


class Perceptron(nn.Module):
    """Two hidden layers of 512: as good on what little is left, and ten times as fast.

    Args:
        shape: (channels, height, width) of what it sees.
        outputs: numbers that it returns.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for before in (int(np.prod(shape)), 512):
            layers += [
                nn.Linear(before, 512),
                nn.BatchNorm1d(512),
                nn.ReLU(),
                nn.Dropout(0.4),
            ]
        self.layers = nn.Sequential(*layers, nn.Linear(512, outputs))

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs, shape (images, outputs)."""
        outputs: Tensor = self.layers(images)
        return outputs


def train_embedder(
    network: nn.Module,
    canvases: Canvases,
    clear: Floats,
    people: npt.NDArray[np.intp],
    epochs: int,
    seed: int,
) -> None:
    """Train a network to map redacted faces to the embeddings of clear ones.

    Args:
        network: returns EMBEDDING numbers.
        canvases: of the people to learn from.
        clear: embeddings of the same pictures, clear; unit vectors.
        people: who is in each picture.
        epochs: how often each picture is seen, each time in one of its variants.
        seed: for the order.
    """
    torch.manual_seed(seed)
    targets, who = torch.from_numpy(clear), torch.from_numpy(people)

    def loss(outputs: Tensor, rows: Tensor) -> Tensor:
        found, wanted = functional.normalize(outputs), targets[rows]
        is_same = (who[rows][:, None] == who[rows][None]).float()
        logs = functional.log_softmax(found @ wanted.T / _TEMPERATURE, 1)
        contrast = -(logs * is_same).sum(1) / is_same.sum(1)
        return contrast.mean() - 2 * (found * wanted).sum(1).mean()

    _train(network, canvases, loss, epochs, 2e-3)


def train_classifier(
    network: nn.Module,
    canvases: Canvases,
    people: npt.NDArray[np.intp],
    epochs: int,
    seed: int,
    mirrored: bool = True,
) -> None:
    """Train a network to name people.

    Args:
        network: to start from; returns a number for each person.
        canvases: redacted pictures of the people.
        people: who is in each picture, from 0.
        epochs: how often each picture is seen.
        seed: for the order.
        mirrored: whether half of the pictures are mirrored.
    """
    torch.manual_seed(seed)
    who = torch.from_numpy(people)

    def loss(outputs: Tensor, rows: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, who[rows], label_smoothing=0.1)

    _train(network, canvases, loss, epochs, 2e-3, mirrored)


def with_new_head(network: Network, outputs: int) -> Network:
    """Return the network with a last layer that knows nothing yet."""
    network.head = nn.Linear(96 * 6, outputs)
    return network


class Reader(Network):
    """A network that keeps where along a plate it sees what.

    Args:
        channels: 1 for gray, 3 for color.
        places: characters of a plate.
        characters: of the alphabet.
    """

    def __init__(self, channels: int, places: int, characters: int) -> None:
        super().__init__(channels, characters)
        self.trunk = nn.Sequential(*list(self.trunk)[:-2], nn.AdaptiveAvgPool2d((3, places)))
        self.head = nn.Conv1d(96 * 3, characters, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores, shape (images, places * characters)."""
        found = functional.dropout(self.trunk(images).flatten(1, 2), 0.1, self.training)
        scores: Tensor = self.head(found).transpose(1, 2).flatten(1)
        return scores


def train_reader(
    canvases: Canvases, texts: npt.NDArray[np.intp], characters: int, epochs: int, seed: int
) -> Reader:
    """Return a network that reads redacted plates.

    Args:
        canvases: the plates.
        texts: the number of each character, shape (pictures, places).
        characters: of the alphabet.
        epochs: how often each plate is seen.
        seed: for weights and order.
    """
    torch.manual_seed(seed)
    places = texts.shape[1]
    network = Reader(canvases.shape[2], places, characters)
    wanted = torch.from_numpy(texts)

    def loss(outputs: Tensor, rows: Tensor) -> Tensor:
        return functional.cross_entropy(outputs.reshape(-1, characters), wanted[rows].flatten())

    _train(network, canvases, loss, epochs, 2e-3, mirrored=False)
    return network


def outputs_of(network: nn.Module, canvases: Canvases, mirrored: bool = True) -> Floats:
    """Return a network's outputs for all pictures, shape (pictures, variants, outputs).

    Args:
        network: any of those above.
        canvases: what it sees.
        mirrored: whether it sees each mirrored as well; the mean counts.
    """
    network.eval()
    pictures, variants = canvases.shape[:2]
    flat = canvases.reshape(-1, *canvases.shape[2:])
    with torch.no_grad():
        rows = [
            (
                0.5 * (network(images) + network(images.flip(3))) if mirrored else network(images)
            ).numpy()
            for start in range(0, len(flat), 256)
            for images in (_scaled(torch.from_numpy(flat[start : start + 256])),)
        ]
    return np.concatenate(rows).reshape(pictures, variants, -1)


def _train(
    network: nn.Module,
    canvases: Canvases,
    loss: Any,
    epochs: int,
    rate: float,
    mirrored: bool = True,
) -> None:
    """Minimize `loss(outputs, rows)`."""
    images = torch.from_numpy(canvases)
    pictures, variants = images.shape[:2]
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=0.02)
    batches = -(-pictures // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 2 * rate, total_steps=max(1, epochs * batches)
    )
    network.to(memory_format=torch.channels_last)  # faster by half
    network.train()
    for _ in range(epochs):
        for rows in torch.randperm(pictures).chunk(batches):
            batch = _scaled(images[rows, torch.randint(variants, (len(rows),))])
            batch = batch.to(memory_format=torch.channels_last)
            if mirrored:
                is_mirrored = torch.rand(len(rows), 1, 1, 1) < 0.5
                batch = torch.where(is_mirrored, batch.flip(3), batch)
            optimizer.zero_grad()
            loss(network(batch), rows).backward()
            optimizer.step()
            schedule.step()


def _scaled(images: Tensor) -> Tensor:
    return images.float() / 128 - 1


class Discriminant:
    """Fisher's linear discriminant on principal components: names people by the nearest mean.

    Args:
        canvases: redacted pictures of the people.
        people: who is in each picture, from 0.
        components: principal components that are kept.
    """

    def __init__(
        self, canvases: Canvases, people: npt.NDArray[np.intp], components: int = 60
    ) -> None:
        pictures, variants = canvases.shape[:2]
        rows = canvases.reshape(pictures * variants, -1).astype(np.float32)
        who = people.repeat(variants)
        self._mean = rows.mean(axis=0)
        rows = rows - self._mean
        values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
        order = np.argsort(values)[::-1][:components]
        kept = order[values[order] > 1e-3]
        self._basis = vectors[:, kept].astype(np.float32)
        reduced = rows @ self._basis
        means = np.stack([reduced[who == person].mean(axis=0) for person in range(who.max() + 1)])
        inner = reduced - means[who]
        spread = inner.T @ inner / len(inner)
        spread += np.eye(len(spread)) * (0.05 * np.trace(spread) / max(1, len(spread)) + 1e-3)
        self._whitening = np.linalg.cholesky(np.linalg.inv(spread)).astype(np.float32)
        self._means = means @ self._whitening

    def scores(self, canvases: Canvases) -> Floats:
        """Return how near each person's mean is, shape (pictures, variants, people)."""
        pictures, variants = canvases.shape[:2]
        rows = canvases.reshape(pictures * variants, -1).astype(np.float32) - self._mean
        found = rows @ self._basis @ self._whitening
        squares = ((found[:, None] - self._means[None]) ** 2).sum(axis=2)
        return np.asarray(-squares, np.float32).reshape(pictures, variants, -1)


def log_shares(scores: Floats, spread: float = 1.0) -> Floats:
    """Return scores as logarithms of shares that sum to 1 for each picture."""
    scaled = scores / spread
    scaled = scaled - scaled.max(axis=-1, keepdims=True)
    return np.asarray(scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True)), np.float32)


@dataclass(frozen=True)
class Figure:
    """A measured share with its 95 % interval.

    Attributes:
        share: 0 to 1.
        low: of the interval.
        high: of the interval.
        chance: what knowing nothing gives.
        worse_above: whether a share above chance is information; else one below.
    """

    share: float
    low: float
    high: float
    chance: float
    worse_above: bool = True

    @property
    def is_at_chance(self) -> bool:
        """Whether the attacker does no better than knowing nothing, as far as the interval says."""
        if self.worse_above:
            return self.low <= self.chance + _ROUNDING
        return self.high >= self.chance - _ROUNDING

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def rank_1(
    scores: Floats, truth: npt.NDArray[np.intp], groups: npt.NDArray[np.intp], seed: int = 0
) -> Figure:
    """Return how often the highest score is the right one; ties count by their share.

    Args:
        scores: shape (probes, candidates).
        truth: the right candidate of each probe.
        groups: whose pictures are drawn together for the interval: the person's.
        seed: for the interval.
    """
    best = scores == scores.max(axis=1, keepdims=True)
    right = best[np.arange(len(truth)), truth] / best.sum(axis=1)
    return _with_interval(
        lambda rows: float(right[rows].mean()), groups, 1 / scores.shape[1], True, seed
    )


def equal_error_rate(
    scores: Floats, truth: npt.NDArray[np.intp], groups: npt.NDArray[np.intp], seed: int = 0
) -> Figure:
    """Return the error rate at which as many strangers are accepted as the right are rejected."""
    is_right = np.zeros(scores.shape, bool)
    is_right[np.arange(len(truth)), truth] = True

    def rate(rows: npt.NDArray[np.intp]) -> float:
        return _equal_error_rate(scores[rows][is_right[rows]], scores[rows][~is_right[rows]])

    return _with_interval(rate, groups, 0.5, False, seed, draws=100)


def _equal_error_rate(right: Floats, wrong: Floats) -> float:
    limits = np.quantile(np.concatenate([right, wrong]), np.linspace(0, 1, 401))
    rejected = np.searchsorted(np.sort(right), limits) / len(right)
    accepted = 1 - np.searchsorted(np.sort(wrong), limits) / len(wrong)
    # Equal scores are ordered by chance: between two limits, the rates lie on a line.
    rejected, accepted = np.append(rejected, 1.0), np.append(accepted, 0.0)
    after = int(np.argmax(rejected >= accepted))
    if after == 0:
        return float((rejected[0] + accepted[0]) / 2)
    gap_before = accepted[after - 1] - rejected[after - 1]
    gap_after = rejected[after] - accepted[after]
    part = gap_before / max(gap_before + gap_after, 1e-9)
    return float(rejected[after - 1] + part * (rejected[after] - rejected[after - 1]))


def _with_interval(
    measure: Any,
    groups: npt.NDArray[np.intp],
    chance: float,
    worse_above: bool,
    seed: int,
    draws: int = 1000,
) -> Figure:
    """Measure, and again on people drawn at random with replacement (bootstrap)."""
    random = np.random.default_rng(seed)
    names = np.unique(groups)
    rows_of = {name: np.flatnonzero(groups == name) for name in names}
    found = [
        measure(np.concatenate([rows_of[name] for name in random.choice(names, len(names))]))
        for _ in range(draws)
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    return Figure(measure(np.arange(len(groups))), float(low), float(high), chance, worse_above)


def joined(parts: Sequence[Floats]) -> Floats:
    """Return the sum of several attackers' scores, each scaled to the same spread."""
    return np.asarray(sum(part / max(float(part.std()), 1e-6) for part in parts), np.float32)
