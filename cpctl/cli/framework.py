"""How commands are declared: shared options everywhere, groups that load on first use.

All that is known of typer's machinery stands here; commands know its parameters only.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Annotated, Any, NamedTuple, TypeVar

import typer
import typer.core
import typer.main
import typer.models

from cpctl.cli.context import Context, SharedOptions

Function = TypeVar("Function", bound=Callable[..., Any])
# typer has no public name for the error of a wrong command line; it is what BadParameter is made of.
UsageError: Any = typer.BadParameter.__mro__[1]


class SharedParameters:
    """The options that every command takes, built once and given to all."""

    _cached: list[Any] | None = None

    @classmethod
    def parameters(cls) -> list[Any]:
        """The parameters, for typer."""
        if cls._cached is None:
            built, _, _ = typer.main.get_params_convertors_ctx_param_name_from_function(_shared_options_signature)
            cls._cached = list(built)
        return cls._cached

    @classmethod
    def apply(cls, typer_context: typer.Context) -> None:
        """Move the shared options of one level of the command line to the Run; deeper levels win."""
        given = {name: typer_context.params.pop(name) for name in _SHARED_OPTION_NAMES if name in typer_context.params}
        run: Context = typer_context.obj
        run.options = run.options._replace(
            **{name: value for name, value in given.items() if value not in (None, False, 0)}
        )


def _shared_options_signature(
    profile: Annotated[str | None, typer.Option("-p", "--profile", metavar="NAME", help="Profile to use.")] = None,
    config: Annotated[str | None, typer.Option(metavar="FILE", help="Configuration file to use.")] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FORMAT", help="table, tsv, json, jsonl, yaml, csv or value."),
    ] = None,
    query: Annotated[str | None, typer.Option(metavar="JMESPATH", help="Show only this of the result.")] = None,
    dry_run: Annotated[bool, typer.Option("-n", "--dry-run", help="Show the call; send and store nothing.")] = False,
    quiet: Annotated[
        int, typer.Option("-q", "--quiet", count=True, help="Say less; twice: no warnings either.", show_default=False)
    ] = 0,
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more.", show_default=False)] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="Show calls (keys masked) and tracebacks.")] = False,
    timeout: Annotated[str | None, typer.Option(metavar="SECONDS", help="Longest time for one call.")] = None,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask a question.")] = False,
    color: Annotated[str | None, typer.Option(metavar="WHEN", help="auto, always or never.")] = None,
) -> None:
    """The signature from which the shared options are built; never called."""


_SHARED_OPTION_NAMES = SharedOptions._fields
HELP_SETTINGS = {"help_option_names": ["-h", "--help"]}


class _SharedOptionsMixin:
    """Help that shows a command's own options first and the shared ones last."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Options of every command": []}
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            record = parameter.get_help_record(ctx)
            shared = parameter in SharedParameters.parameters() or parameter.name == "help"
            kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
            if record is not None:
                sections["Options of every command" if shared else kind].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the command line; a failure knows whose it is, which typer leaves out for some."""
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class Command(_SharedOptionsMixin, typer.core.TyperCommand):
    """One command: its own options, and the shared ones."""

    def __init__(self, *, params: list[Any] | None = None, context_settings: Any = None, **kwargs: Any) -> None:
        settings = {**HELP_SETTINGS, **(context_settings or {})}
        own = params or []
        taken = {name for parameter in own for name in parameter.opts}
        # `orders wait --timeout` is its own; where a command has an option of that name, it is not shared.
        shared = [each for each in SharedParameters.parameters() if not taken & set(each.opts)]
        super().__init__(params=[*own, *shared], context_settings=settings, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Hand the shared options over, then run the command."""
        SharedParameters.apply(ctx)
        return super().invoke(ctx)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The example, on a line of its own that can be copied."""
        if self.epilog:
            formatter.write(f"\nExample:\n  {self.epilog}\n")


class _CommandGroup(_SharedOptionsMixin, typer.core.TyperGroup):
    """A group whose list of commands comes from a table and whose commands are made on first use."""

    def __init__(self, name: str, help: str) -> None:
        super().__init__(
            name=name,
            help=help,
            params=SharedParameters.parameters(),
            context_settings=HELP_SETTINGS,
            rich_markup_mode=None,
        )
        self.invoke_without_command = True

    def summaries(self) -> Mapping[str, str]:
        """The group's commands, each with its sentence."""
        raise NotImplementedError

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in the order of the table."""
        return list(self.summaries())

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Commands first: they are what one looks for."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries().items()))
        super().format_options(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command; typer's own way of naming the nearest one looks only at commands already made."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and name not in self.summaries():
            from cpctl.cli.suggestions import suggest_command

            top = ctx.find_root().command
            hint = suggest_command(name, self.summaries(), top.commands_by_group(), is_top_level=self is top)
            raise UsageError(f'There is no command "{name}". {hint}', ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Hand the shared options over; without a command, show the help."""
        SharedParameters.apply(ctx)
        if not ctx._protected_args:
            typer.echo(ctx.get_help())
            return None
        return super().invoke(ctx)


class RootGroup(_CommandGroup):
    """The whole of cpctl: groups, and commands that stand alone, each in a module of its own."""

    def __init__(self, groups: Mapping[str, str], commands: Mapping[str, str], help: str) -> None:
        super().__init__("cpctl", help)
        self._groups = groups
        self._commands = commands
        self.params = [_version_option(), *self.params]

    def summaries(self) -> Mapping[str, str]:
        """All groups and commands."""
        return {**self._groups, **self._commands}

    def commands_by_group(self) -> dict[str, list[str]]:
        """The commands of each group. Loads all of them: for failures, and for lists of everything."""
        return {group: list(LazyGroup(group, "").summaries()) for group in self._groups}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A group without loading it; a command by loading its module."""
        if cmd_name in self._groups:
            return LazyGroup(cmd_name, self._groups[cmd_name])
        if cmd_name in self._commands:
            return LazyGroup(cmd_name, "").get_command(ctx, cmd_name)
        return None


class LazyGroup(_CommandGroup):
    """A group whose module is loaded when one of its commands is listed or run."""

    def declarations(self) -> Mapping[str, "CommandDeclaration"]:
        commands: Commands = importlib.import_module(f"cpctl.cli.commands.{self.name}").commands
        return commands.declarations

    def summaries(self) -> Mapping[str, str]:
        """The first sentence of every command."""
        return {
            name: (inspect.getdoc(each.function) or "").split("\n")[0] for name, each in self.declarations().items()
        }

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make one command, and only that one."""
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


def render_help(root: RootGroup, names: Sequence[str], app_context: Context) -> str:
    """What `--help` shows of the command these words name; of cpctl itself without words.

    Raises typer's error of a wrong command line, naming the nearest command.
    """
    with ExitStack() as opened:
        command: Any = root
        context = opened.enter_context(root.make_context("cpctl", [], obj=app_context, resilient_parsing=True))
        for word in names:
            if not isinstance(command, _CommandGroup):
                raise UsageError(f"`{context.command_path}` has no commands of its own.", context)
            context.resilient_parsing = False  # so that a word that does not exist is refused
            _, command, _ = command.resolve_command(context, [word])
            made = command.make_context(word, [], parent=context, resilient_parsing=True)
            context = opened.enter_context(made)
        return str(command.get_help(context)) + "\n"


class CommandDeclaration(NamedTuple):
    """A command as its module declares it."""

    function: Callable[..., None]
    example: str
    context_settings: dict[str, Any] | None


class Commands:
    """The commands of one group. A command's first parameter is the Run it is handed.

    A parameter whose type is a NamedTuple stands for the options that are its fields.
    """

    def __init__(self) -> None:
        self.declarations: dict[str, CommandDeclaration] = {}

    def add(
        self, name: str, example: str, context_settings: dict[str, Any] | None = None
    ) -> Callable[[Function], Function]:
        """Declare a command: its name, an example that works, and changes to typer's rules of parsing."""

        def declare(function: Function) -> Function:
            self.declarations[name] = CommandDeclaration(function, example, context_settings)
            return function

        return declare


def _make_typer_callback(function: Callable[..., None]) -> Callable[..., None]:
    """The function as typer wants it: context instead of Run, options instead of NamedTuples."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    bundles: dict[str, Any] = {each.name: each.annotation for each in parameters if hasattr(each.annotation, "_fields")}

    def handed(context: typer.Context, **values: Any) -> None:
        for name, kind in bundles.items():
            values[name] = kind(**{field: values.pop(field) for field in kind._fields})
        function(context.obj, **values)

    flat = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for each in parameters:
        flat += inspect.signature(each.annotation).parameters.values() if each.name in bundles else [each]
    handed.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in flat]
    )
    handed.__doc__ = function.__doc__
    handed.__annotations__ = {each.name: each.annotation for each in flat}
    return handed


def _version_option() -> Any:
    def show(value: bool) -> None:
        if value:
            from cpctl import __version__

            typer.echo(f"cpctl {__version__}")
            raise typer.Exit

    def declared(
        version: Annotated[
            bool, typer.Option("--version", "-V", callback=show, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        """Never called; typer reads its signature."""

    built, _, _ = typer.main.get_params_convertors_ctx_param_name_from_function(declared)
    built[0].expose_value = False
    return built[0]
