"""What a stage's next results depend on, in a form that can be compared.

Two stages with equal states that get the same input do the same from then on, whatever came before.
States are nested tuples of numbers and images, without identifiers of tracks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

State: TypeAlias = object
"""Compared with ==."""


def incomparable() -> State:
    """Return a state that equals no other: what comes next depends on what cannot be compared."""
    return object()


class Pixels:
    """An image or a thumbnail as a part of a state; None: there is none."""

    __slots__ = ("_values",)
    __hash__ = None  # type: ignore[assignment]  # it is compared by its content

    def __init__(self, values: npt.NDArray[Any] | None) -> None:
        self._values = values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pixels):
            return NotImplemented
        one, two = self._values, other._values
        if one is None or two is None or one is two:
            return one is two
        return one.shape == two.shape and np.array_equal(one, two)
