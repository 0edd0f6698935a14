"""Groups of commands, each of which can print JSON and act in another context."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from barque.cli import commands
from barque.cli.completion import contexts
from barque.cli.exits import Exit, fail
from barque.cli.output import run

Command = Callable[..., None]

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
InContext = Annotated[
    str | None,
    typer.Option(
        "--context", help="Act in this context ('barque context list').", autocompletion=contexts
    ),
]


def _keyword(name: str, kind: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


_COMMON = (_keyword("as_json", Json, False), _keyword("context", InContext, None))


class Group(typer.Typer):
    """A group of commands. Every command of it takes `--json` and `--context`."""

    def __init__(self, about: str, **options: Any) -> None:
        super().__init__(cls=commands.Commands, help=about, no_args_is_help=True, **options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Add a function as a command, which has no options but its own."""
        return super().command(name, cls=commands.Command, **options)

    def add(self, name: str, panel: str | None = None) -> Callable[[Command], Command]:
        """Add a function as the command of this name, shown under a heading."""

        def register(function: Command) -> Command:
            self.command(name, rich_help_panel=panel)(_with_common_options(function, ()))
            return function

        return register

    def alone(self, function: Command) -> Command:
        """Have the group do this where no command of it is named, with the same options."""
        signature = inspect.signature(function, eval_str=True)
        options = [one for one in signature.parameters.values() if not _is_argument(one)]

        def callback(ctx: typer.Context, /, **values: Any) -> None:
            if ctx.invoked_subcommand is None:
                function(**values)
            elif any(values[one.name] != one.default for one in options):
                fail(f"write options after '{ctx.invoked_subcommand}'", Exit.USAGE)

        first = inspect.Parameter(
            "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        self.callback(invoke_without_command=True)(
            _with_common_options(callback, (first, *options))
        )
        self.info.no_args_is_help = False
        return function


def _is_argument(parameter: inspect.Parameter) -> bool:
    metadata = getattr(parameter.annotation, "__metadata__", ())
    return any(isinstance(one, typer.models.ArgumentInfo) for one in metadata)


def _with_common_options(function: Command, parameters: tuple[inspect.Parameter, ...]) -> Command:
    """Return a command that takes the common options too, and notes them for the whole run."""
    own = parameters or tuple(inspect.signature(function, eval_str=True).parameters.values())

    @wraps(function)
    def command(*, as_json: bool, context: str | None, **values: Any) -> None:
        run.note(as_json, context)
        ctx = values.pop("ctx", None)
        function(*([ctx] if ctx is not None else []), **values)

    described: Any = command
    del described.__wrapped__
    described.__signature__ = inspect.Signature([*own, *_COMMON])
    described.__annotations__ = {one.name: one.annotation for one in (*own, *_COMMON)}
    return command
