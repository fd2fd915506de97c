"""The parser of each command: examples, the input, hints in errors, completion."""

from __future__ import annotations

import argparse
import glob
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tracker_blur.cli.console import EXIT_USAGE
from tracker_blur.errors import MissingPackageError
from tracker_blur.files.paths import exists, is_media, is_stream
from tracker_blur.text import escaped, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

STANDARD_OUTPUT = Path("-")

_SHORTEST_FLAG = len("--")
_ABOUT_ITSELF = ("--help", "--print-completion", "--version")
_ALIKE = 0.75  # of two words, from 0 to 1, from where on one may be meant by the other
_NEGATIVE = re.compile(r"-\.?\d")  # a number, or a time, or a span of time


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and say what may be meant instead.

    Args:
        examples: whole commands, for the end of the help.
        arguments: those of `argparse.ArgumentParser`.

    Attributes:
        root: the parser of the whole command line, whose completion script is printed.
        commands: the parser of each command by its name, to say which of them has an option.
        command_hint: what errors end with, where another command may be meant.
    """

    def __init__(self, *, examples: Sequence[str] = (), **arguments: Any) -> None:
        if "formatter_class" not in arguments:
            arguments["formatter_class"] = formatter()
        super().__init__(**arguments)
        self.root: argparse.ArgumentParser = self
        self.commands: Mapping[str, Parser] = {}
        self.command_hint = ""
        # Else "-1s..3s" counts as an unknown option, and the previous one as without its value.
        self._negative_number_matcher = _NEGATIVE
        self._examples = examples
        self._has_input = False
        self._files_like_options: list[str] = []

    def add_input(self, help: str) -> None:
        """Add the argument IN, whose value is `source`; -i FILE and --input FILE are the same."""
        self._has_input = True
        details: dict[str, Any] = {"action": NamedOnce, "default": argparse.SUPPRESS}
        path = self.add_argument("source", nargs="?", metavar="IN", help=help, **details)
        complete_files(path)
        add_input_option(self, dest="source", **details)

    def format_help(self) -> str:
        """Return the help, with the examples at its end."""
        text = super().format_help()
        if self._examples:
            text += "\nExamples:\n" + "".join(f"  {example}\n" for example in self._examples)
        return text

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, or exit with what is not known, and what may be meant by it.

        Options may stand anywhere between the names of files.
        """
        arguments = self._with_files_named(sys.argv[1:] if args is None else args)
        self._refuse_missing_dash(arguments)
        self._files_like_options = [
            argument
            for argument in arguments
            if argument.startswith("-") and exists(Path(argument))
        ]
        has_actions = self._subparsers is not None  # whose options follow their names
        # Where argparse parses intermixed, it hides the defaults of arguments meanwhile, which help
        # names, and it forgets what "--" was for.
        is_plain = has_actions or any(
            one == "--" or self._is_about_itself(one) for one in arguments
        )
        parse = self.parse_known_args if is_plain else self.parse_known_intermixed_args
        options, rest = parse(arguments, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}{self._meant(rest)}")
        if self._has_input:
            if not hasattr(options, "source"):
                names = [
                    str(action.metavar)
                    for action in self._get_positional_actions()
                    if action.nargs != "?" or action.dest == "source"
                ]
                verb = "required: " if len(names) == 1 else "required, and one is missing: "
                self.error(f"the following arguments are {verb}{', '.join(names)}")
            options.source = Path(options.source)  # `type` would also convert what is suppressed
        return options

    def _refuse_missing_dash(self, arguments: Sequence[str]) -> None:
        """Refuse `-overwrite`, which would be `-o verwrite`: it would write a file of that name."""
        end = arguments.index("--") if "--" in arguments else len(arguments)
        for argument in arguments[:end]:
            name = f"-{argument.partition('=')[0]}"
            is_short = argument.startswith("-") and not argument.startswith("--")
            if is_short and name in self._option_string_actions:
                self.error(f"{argument}: did you mean -{argument}?")

    def _with_files_named(self, arguments: Sequence[str]) -> list[str]:
        """Return the arguments with standard output where an optional file is not named."""
        named = list(arguments)
        end = named.index("--") if "--" in named else len(named)
        for action in self._actions:
            if not isinstance(action, OptionalFile):
                continue
            for at in range(end):
                following = named[at + 1] if at + 1 < end else None
                if action.is_meant_by(named[at]) and not action.takes(following):
                    if following is not None and action.may_mean(following):
                        self.error(
                            f"{following}: does not end in .json: write {named[at]}={following}, "
                            f"or, if it is an input or an output, name it before {named[at]}"
                        )
                    named[at] = f"{action.option_strings[0]}={STANDARD_OUTPUT}"
        return named

    @staticmethod
    def _is_about_itself(argument: str) -> bool:
        """Return whether an argument asks for help and not for work; it may be abbreviated."""
        is_long = len(argument) > _SHORTEST_FLAG
        return argument == "-h" or (is_long and any(f.startswith(argument) for f in _ABOUT_ITSELF))

    def _meant(self, unknown: Sequence[str]) -> str:
        """Return what may be meant by the first argument that is not known; "": see the hint."""
        if self.command_hint:  # another command is meant, with options of its own
            return ""
        flags = self._option_string_actions
        name = unknown[0].partition("=")[0]
        if not name.startswith("-"):
            return "; name an output with -o" if "-o" in flags else ""
        owners = [
            f"'trackblur {command}'"
            for command, parser in self.commands.items()
            if name in parser._option_string_actions  # noqa: SLF001  # argparse has no public list
        ]
        if owners:
            return f"; {name} is an option of {listed(owners)}"
        close = get_close_matches(name, flags, 1, _ALIKE)
        return f"; did you mean {close[0]}?" if close else ""

    def error(self, message: str) -> NoReturn:
        """Exit with the message and the hints, in one line."""
        hints = "".join(
            f"; to name the file {name}, write ./{name}" for name in self._files_like_options
        )
        hints += self.command_hint
        if not hints and not message.startswith("argument ") and not message.endswith("?"):
            hints = f"; see '{self.prog} --help'"
        self.exit(EXIT_USAGE, escaped(f"{self.prog}: error: {message}{hints}") + "\n")


class OptionalFile(argparse.Action):
    """An option that may name a file; alone, it means standard output.

    What follows the option may be an input: it is the file if it is "-" or has the right suffix.
    `--json=FILE` always names one.

    Args:
        suffix: that of such files, or several; "": what follows is the file, whatever its name.
        arguments: those of `argparse.Action`.
    """

    def __init__(self, *, suffix: str | tuple[str, ...], **arguments: Any) -> None:
        super().__init__(nargs="?", type=Path, **arguments)
        self._suffix = suffix

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        _option_string: str | None = None,
    ) -> None:
        """Set the option's value."""
        setattr(namespace, self.dest, values)

    def is_meant_by(self, argument: str) -> bool:
        """Return whether an argument is this option without a value, perhaps abbreviated."""
        (flag,) = self.option_strings
        return len(argument) > _SHORTEST_FLAG and flag.startswith(argument)

    def takes(self, following: str | None) -> bool:
        """Return whether the argument that follows this option is its file."""
        if following is None or (following.startswith("-") and following != str(STANDARD_OUTPUT)):
            return False
        return following == str(STANDARD_OUTPUT) or following.lower().endswith(self._suffix)

    @staticmethod
    def may_mean(following: str) -> bool:
        """Return whether what follows the option, and is not its file, is meant to be.

        As a new file of a suffix that no video or image has, it is no input and no output.
        """
        path = Path(following)
        is_other = following.startswith("-") or glob.has_magic(following) or is_stream(following)
        return not is_other and path.suffix != "" and not is_media(path) and not exists(path)


class NamedOnce(argparse.Action):
    """Takes the input, which may be named by its place or by an option, but not by both."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        value: Any,
        _flag: str | None = None,
    ) -> None:
        """Set the value; see argparse."""
        if (earlier := getattr(namespace, self.dest, None)) is not None:
            parser.error(f"the input is named twice: as {earlier} and as {value}")
        setattr(namespace, self.dest, value)


class Collect(argparse.Action):
    """Collects the values of an option that may be given several times in a tuple."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        value: Any,
        _flag: str | None = None,
    ) -> None:
        """Add a value; see argparse."""
        setattr(namespace, self.dest, (*getattr(namespace, self.dest), value))


def formatter(
    kind: type[argparse.HelpFormatter] = argparse.HelpFormatter,
) -> Callable[[str], argparse.HelpFormatter]:
    """Return a formatter class whose help texts begin in the same column for all commands."""
    return lambda prog: kind(prog, max_help_position=28)


class PrintCompletion(argparse.Action):
    """Prints the completion script for a shell and exits."""

    def __call__(self, parser: argparse.ArgumentParser, *values: Any) -> NoReturn:
        """Print the script, or fail where shtab is not installed."""
        try:
            import shtab
        except ImportError:
            parser.error(str(MissingPackageError("shtab", "completion", "--print-completion")))
        assert isinstance(parser, Parser)
        script = shtab.complete(parser.root, values[1])
        # The first argument may be a file instead of a command: bash then completes file names.
        sys.stdout.write(script.replace("\ncomplete -o", "\ncomplete -o default -o"))
        sys.exit(0)


def add_input_option(group: argparse._ActionsContainer, **details: Any) -> None:
    """Add -i and --input, which many programs have, as another way to name an input."""
    group.add_argument("-i", "--input", metavar="IN", help="the same as IN", **details)


def flags_of(parser: argparse.ArgumentParser) -> Mapping[str, str]:
    """Return the flag of each option by its destination, for messages that name settings."""
    actions = parser._actions  # noqa: SLF001  # argparse has no public list of them
    return {action.dest: action.option_strings[0] for action in actions if action.option_strings}


def complete_files(action: argparse.Action) -> None:
    """Let shells complete an argument with the names of files."""
    choices = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}
    action.complete = choices  # type: ignore[attr-defined]  # read by shtab
