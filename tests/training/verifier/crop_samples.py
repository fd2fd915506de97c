"""Images with disks as objects, and what is known of the boxes in them; these need PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.annotated_files import disk_image
from tests.training.verifier.samples import ALARM, DISK, known
from tracker_blur.training.verifier.crops import CropSample

if TYPE_CHECKING:
    from tracker_blur.core.box import Box


def disk_crop_sample(seed: int = 0, alarms: tuple[Box, ...] = (ALARM,)) -> CropSample:
    """Return an image with a bright disk, and false alarms where nothing is."""
    return CropSample(disk_image(seed, (DISK,), (160, 120)), known(DISK, alarms=alarms))


def empty_crop_sample(seed: int = 1, alarms: tuple[Box, ...] = (ALARM,)) -> CropSample:
    """Return an image of noise, with false alarms."""
    return CropSample(disk_image(seed, (), (160, 120)), known(alarms=alarms))
