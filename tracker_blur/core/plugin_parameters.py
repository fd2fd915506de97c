"""Parameters that a plug-in declares and users may set: `--detector lbp:scale_factor=1.2`."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DECLARED = "declared"  # key in a field's metadata


@dataclass(frozen=True, slots=True)
class _Declared:
    """What a plug-in says about a parameter: its type, its limits, what it does and its default."""

    kind: type[int] | type[float]
    low: float
    high: float
    meaning: str
    default_text: str

    @property
    def range_text(self) -> str:
        what = "a whole number" if self.kind is int else "a number"
        return f"{what} from {self.low:g} to {self.high:g}"

    def accepts(self, value: object) -> bool:
        kinds = (int,) if self.kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        return self.low <= value <= self.high  # no NaN

    def read(self, text: str) -> object:
        """Return the number that a text means; the text itself if it means none."""
        try:
            return self.kind(text)
        except ValueError:
            return text


def number(
    default: float | None, low: float, high: float, meaning: str, *, otherwise: str = ""
) -> Any:
    """Declare a parameter that is a number; use it as `dataclasses.field`.

    Args:
        default: Its value unless the user sets another; None: the plug-in decides.
        low: The least value.
        high: The largest value.
        meaning: What it does, with its unit, in one line.
        otherwise: With None, what the plug-in decides.
    """
    declared = _Declared(float, low, high, meaning, otherwise or f"{default:g}")
    return field(default=default, metadata={_DECLARED: declared})


def whole_number(default: int, low: int, high: int, meaning: str) -> Any:
    """Declare a parameter that is a whole number; arguments as for `number`."""
    declared = _Declared(int, low, high, meaning, str(default))
    return field(default=default, metadata={_DECLARED: declared})


class PluginParameters:
    """Base of the frozen dataclasses in which plug-ins declare their parameters.

    Raises:
        SettingsError: At construction, when a value is of another type or outside of its range.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        for each in _fields(type(self)):
            value, declared = getattr(self, each.name), _declared(each)
            if not (value is None and each.default is None) and not declared.accepts(value):
                raise SettingsError(f"{each.name}={value}: give {declared.range_text}")

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Return the parameters that users wrote as texts, by name.

        Raises:
            SettingsError: There is no such parameter, or it takes no such value.
        """
        known = {each.name: _declared(each) for each in _fields(cls)}
        for name in values:
            if name not in known:
                raise SettingsError(f"no parameter is called '{name}': choose {_one_of(known)}")
        return cls(**{name: known[name].read(text) for name, text in values.items()})

    @classmethod
    def described(cls) -> list[tuple[str, str]]:
        """Return each parameter's name, and its meaning, range and default in one line."""
        every = ((each.name, _declared(each)) for each in _fields(cls))
        return [
            (name, f"{one.meaning}; {one.range_text} (default: {one.default_text})")
            for name, one in every
        ]


def _fields(parameters: type[PluginParameters]) -> tuple[Field[Any], ...]:
    return fields(parameters)  # type: ignore[arg-type]  # every subclass is a dataclass


def _declared(each: Field[Any]) -> _Declared:
    declared: _Declared = each.metadata[_DECLARED]
    return declared


def _one_of(names: Mapping[str, _Declared]) -> str:
    return f"one of {', '.join(names)}" if len(names) > 1 else "".join(names)
