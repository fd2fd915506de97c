"""A virtual camera without a device: a backend for pyvirtualcam that keeps the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class FakeCamera:
    """Implements pyvirtualcam's `Backend` and keeps what it is sent.

    Attributes:
        instances: All cameras that were opened.
        exists: Whether the device is present.
    """

    instances: ClassVar[list[FakeCamera]] = []
    exists: ClassVar[bool] = True

    def __init__(
        self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **_: Any
    ) -> None:
        if not FakeCamera.exists:
            raise RuntimeError("no device found")
        self.size, self.fps, self.fourcc = (width, height), fps, fourcc
        self._device = device or "/dev/video9"
        self.sent: list[npt.NDArray[np.uint8]] = []
        self.is_open = True
        FakeCamera.instances.append(self)

    def close(self) -> None:
        assert self.is_open
        self.is_open = False

    def send(self, frame: npt.NDArray[np.uint8]) -> None:
        if not FakeCamera.exists:
            raise RuntimeError("the device is gone")
        self.sent.append(frame.copy())

    def device(self) -> str:
        return self._device

    def native_fourcc(self) -> int | None:
        return None
