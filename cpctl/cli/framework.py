"""How commands are declared: shared options everywhere, groups that load on first use.

Everything about typer's internals is here; commands use its parameters only. A typer context is `typer_context`, or
`ctx` where typer names the parameter; `context` is our own Context.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any, NamedTuple, TypeVar

import typer
import typer.core
import typer.main
import typer.models

from cpctl.cli.context import Context, SharedOptions

Function = TypeVar("Function", bound=Callable[..., Any])
# typer exports no name for the error of a wrong command line; it is the base class of BadParameter.
UsageError: Any = typer.BadParameter.__mro__[1]


@cache
def shared_parameters() -> Sequence[Any]:
    """The options of every command, as parameters of typer."""
    return list(typer.main.get_params_convertors_ctx_param_name_from_function(SharedOptions)[0])


def _apply_shared_options(typer_context: typer.Context) -> None:
    """Move the shared options of one level of the command line to the Context; deeper levels win."""
    params, context = typer_context.params, typer_context.obj
    values = {name: params.pop(name) for name in SharedOptions._fields if name in params}
    given = {name: value for name, value in values.items() if value not in (None, False, 0)}
    context.options = context.options._replace(**given)


HELP_SETTINGS = {"help_option_names": ["-h", "--help"]}


class _SharedOptionsMixin:
    """Help with a command's own options first and the shared options last."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Options of every command": []}
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            is_shared = parameter in shared_parameters() or parameter.name == "help"
            own_section = "Arguments" if parameter.param_type_name == "argument" else "Options"
            if record := parameter.get_help_record(ctx):
                sections["Options of every command" if is_shared else own_section].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Parse the command line; typer leaves the context out of some errors."""
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class Command(_SharedOptionsMixin, typer.core.TyperCommand):
    """A command with its own options and the shared options."""

    def __init__(self, *, params: list[Any] | None = None, context_settings: Any = None, **kwargs: Any) -> None:
        settings = {**HELP_SETTINGS, **(context_settings or {})}
        own = params or []
        taken = {name for parameter in own for name in parameter.opts}
        # A command's own option replaces a shared one of the same name: `orders wait --timeout`.
        shared = [each for each in shared_parameters() if not taken & set(each.opts)]
        super().__init__(params=[*own, *shared], context_settings=settings, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        _apply_shared_options(ctx)
        return super().invoke(ctx)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the example on its own line, so that it can be copied."""
        if self.epilog:
            formatter.write(f"\nExample:\n  {self.epilog}\n")


class _CommandGroup(_SharedOptionsMixin, typer.core.TyperGroup):
    """A group whose commands are listed in a table and made on first use."""

    def __init__(self, name: str, help: str) -> None:
        super().__init__(
            name=name, help=help, params=[*shared_parameters()], context_settings=HELP_SETTINGS, rich_markup_mode=None
        )
        self.invoke_without_command = True

    def summaries(self) -> Mapping[str, str]:
        """The commands of the group with their one-line help."""
        raise NotImplementedError

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.summaries())

    def format_options(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries().items()))
        super().format_options(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command. typer's own suggestions know only commands that are already made."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and name not in self.summaries():
            from cpctl.cli.suggestions import suggest_command

            top = ctx.find_root().command
            hint = suggest_command(name, self.summaries(), top.commands_by_group(), is_top_level=self is top)
            raise UsageError(f'There is no command "{name}". {hint}', ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Apply the shared options; without a command, show the help."""
        _apply_shared_options(ctx)
        if not ctx._protected_args:
            typer.echo(ctx.get_help())
            return None
        return super().invoke(ctx)


class RootGroup(_CommandGroup):
    """cpctl itself: its groups, and its commands without a group."""

    def __init__(self, groups: Mapping[str, str], commands: Mapping[str, str], help: str) -> None:
        super().__init__("cpctl", help)
        self._groups = groups
        self._commands = commands
        self.params = [_version_option(), *self.params]

    def summaries(self) -> Mapping[str, str]:
        return {**self._groups, **self._commands}

    def commands_by_group(self) -> dict[str, list[str]]:
        """The commands of each group. This loads all of them, so it is for failures and complete lists only."""
        return {group: list(LazyGroup(group, "").summaries()) for group in self._groups}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make a group without loading its module, or a command by loading its module."""
        if cmd_name in self._groups:
            return LazyGroup(cmd_name, self._groups[cmd_name])
        if cmd_name in self._commands:
            return LazyGroup(cmd_name, "").get_command(ctx, cmd_name)
        return None


class LazyGroup(_CommandGroup):
    """A group whose module is loaded when its commands are listed or run."""

    def declarations(self) -> Mapping[str, "CommandDeclaration"]:
        commands: Commands = importlib.import_module(f"cpctl.cli.commands.{self.name}").commands
        return commands.declarations

    def summaries(self) -> Mapping[str, str]:
        """The commands of the group with the first line of their docstrings."""
        declared = self.declarations().items()
        return {name: (inspect.getdoc(each.function) or "").split("\n")[0] for name, each in declared}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        declared = self.declarations().get(cmd_name)
        if declared is None:
            return None
        info = typer.models.CommandInfo(
            name=cmd_name,
            cls=Command,
            callback=_make_typer_callback(declared.function),
            epilog=declared.example,
            context_settings=declared.context_settings,
        )
        return typer.main.get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


def render_help(root: RootGroup, names: Sequence[str], context: Context) -> str:
    """The `--help` text of a command, or of cpctl itself without names. Raises UsageError with the closest command."""
    with ExitStack() as stack:
        command: Any = root
        typer_context = stack.enter_context(root.make_context("cpctl", [], obj=context, resilient_parsing=True))
        for name in names:
            if not isinstance(command, _CommandGroup):
                raise UsageError(f"`{typer_context.command_path}` has no subcommands.", typer_context)
            typer_context.resilient_parsing = False  # so that an unknown name is refused
            _, command, _ = command.resolve_command(typer_context, [name])
            inner = command.make_context(name, [], parent=typer_context, resilient_parsing=True)
            typer_context = stack.enter_context(inner)
        return str(command.get_help(typer_context)) + "\n"


class CommandDeclaration(NamedTuple):
    """A command as its module declares it."""

    function: Callable[..., None]
    example: str
    context_settings: dict[str, Any] | None


class Commands:
    """The commands of one group. The first parameter of a command is the Context.

    A parameter whose type is a NamedTuple stands for options: one per field.
    """

    def __init__(self) -> None:
        self.declarations: dict[str, CommandDeclaration] = {}

    def add(
        self, name: str, example: str, context_settings: dict[str, Any] | None = None
    ) -> Callable[[Function], Function]:
        """Declare a command: its name, an example that works, and changes to how typer parses it."""

        def declare(function: Function) -> Function:
            self.declarations[name] = CommandDeclaration(function, example, context_settings)
            return function

        return declare


def _make_typer_callback(function: Callable[..., None]) -> Callable[..., None]:
    """The function as typer calls it: with a typer context, and an option for each field of a NamedTuple."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    bundles: dict[str, Any] = {each.name: each.annotation for each in parameters if hasattr(each.annotation, "_fields")}

    def callback(typer_context: typer.Context, **values: Any) -> None:
        for name, bundle in bundles.items():
            values[name] = bundle(**{field: values.pop(field) for field in bundle._fields})
        function(typer_context.obj, **values)

    flat = [inspect.Parameter("typer_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for each in parameters:
        flat += inspect.signature(each.annotation).parameters.values() if each.name in bundles else [each]
    callback.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in flat]
    )
    callback.__doc__ = function.__doc__
    callback.__annotations__ = {each.name: each.annotation for each in flat}
    return callback


def _version_option() -> Any:
    def show(ctx: Any, param: Any, value: bool) -> None:
        if value:
            from cpctl import __version__

            typer.echo(f"cpctl {__version__}")
            raise typer.Exit

    return typer.core.TyperOption(
        param_decls=["--version", "-V"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show the version.",
    )
