"""What a training learns: the part of `trackblur train` that differs from task to task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from torch import nn

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracker_blur.training.checkpoints import TrainingState
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.loop import Losses, ProcessGroup, Validate
    from tracker_blur.training.recipe import Plan, TrainingData

Network = TypeVar("Network", bound=nn.Module)

Report = Callable[[str], None]
"""Called with lines about the progress."""


@dataclass(frozen=True, slots=True)
class Lesson(Generic[Network]):
    """What a network learns from, as `tracker_blur.training.loop.train` takes it.

    Attributes:
        batches: Endless batches.
        losses: Returns the losses of a batch.
        validate: Returns figures on the validation images; None without any.
        mine: Lets the batches show what this network gets wrong.
        images: The images to train on, with pseudo-labels.
    """

    batches: Iterator[Any]
    losses: Losses
    validate: Validate[Network] | None
    mine: Callable[[Network], None]
    images: tuple[AnnotatedImage, ...]


class Task(Protocol):
    """Trains one kind of network.

    Attributes:
        shape_type: Class of the network's shape, which checkpoints hold.
    """

    shape_type: type[Any]

    def shape(self) -> Any:
        """Return the shape of the plan's network."""

    def network(self, shape: Any, initial_weights: Path | None) -> Any:
        """Return a network of this shape, with random weights or those of a file.

        Raises:
            ModelError: The file was not written by this task.
            SettingsError: Its network has another shape.
        """

    def lesson(
        self,
        network: Any,
        state: TrainingState,
        seed: int,
        group: ProcessGroup,
        work: Path,
        report: Report,
    ) -> Lesson[Any]:
        """Return what the network learns from.

        Args:
            network: The network to train.
            state: Where the training resumes.
            seed: Seed of this process and run.
            group: The processes that train together.
            work: The training's folder.
            report: Called with lines about the progress.
        """

    def write(
        self,
        state: TrainingState,
        network: Any,
        images: tuple[AnnotatedImage, ...],
        processes: int,
    ) -> None:
        """Write the results, replacing those of an earlier run.

        Args:
            state: The state at the end.
            network: The averaged network.
            images: Images to train on, with pseudo-labels.
            processes: Number of processes that trained together.
        """


def folder_shares(plan: Plan, data: TrainingData) -> list[float]:
    """Return how often each image is drawn; raises SettingsError if none would be."""
    folders = [image.path.parent.name for image in data.train]
    unknown = set(plan.shares) - set(folders)
    if unknown:
        raise SettingsError(f"no images in a folder {', '.join(sorted(unknown))}")
    shares = [plan.shares.get(folder, 1.0) for folder in folders]
    if not any(shares):
        raise SettingsError("--share is 0 for every folder: leave one to draw images from")
    return shares
