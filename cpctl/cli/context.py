"""Context: what a command gets. Profile, outbox and output are created on first use."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cpctl.config.keys import Key, mask_keys
from cpctl.errors import ExitCode, InvalidInput, suggest
from cpctl.output.streams import Output
from cpctl.output.text import escape_controls

if TYPE_CHECKING:
    from cpctl.api.client import Client
    from cpctl.config.profiles import Profile
    from cpctl.outbox.models import Send
    from cpctl.outbox.outbox import Outbox
    from cpctl.output.views import View
    from cpctl.sdk.reporter import SignalReporter
    from cpctl.store.store import Store


COLORS = ("auto", "always", "never")


class CommandFinished(Exception):
    """The command is finished; its exit status is in the Context."""


class SharedOptions(NamedTuple):
    """The options of every command, as typed: `framework` gives them to each."""

    profile: Annotated[str | None, typer.Option("-p", "--profile", metavar="NAME", help="Use this profile.")] = None
    config: Annotated[str | None, typer.Option(metavar="FILE", help="Use this configuration file.")] = None
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FORMAT", help="Output as table, tsv, json, jsonl, yaml, csv or value."),
    ] = None
    query: Annotated[str | None, typer.Option(metavar="JMESPATH", help="Select a part of the result.")] = None
    dry_run: Annotated[bool, typer.Option("-n", "--dry-run", help="Show the calls; send and store nothing.")] = False
    quiet: Annotated[
        int,
        typer.Option(
            "-q", "--quiet", count=True, help="Show fewer messages; -qq hides warnings too.", show_default=False
        ),
    ] = 0
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, help="Show more messages.", show_default=False)
    ] = 0
    debug: Annotated[bool, typer.Option("--debug", help="Show calls (keys masked) and tracebacks.")] = False
    timeout: Annotated[str | None, typer.Option(metavar="SECONDS", help="Maximum time for one call.")] = None
    no_input: Annotated[bool, typer.Option("--no-input", help="Never prompt.")] = False
    color: Annotated[str | None, typer.Option(metavar="WHEN", help="Use color: auto, always or never.")] = None


class Context:
    """One run of cpctl, from the command line to the exit status."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {name: value for name, value in environment.items() if value}
        self.options = SharedOptions()
        self.exit_status = ExitCode.DONE
        self.is_work_done = False  # only printing is left: its failure must not change the exit status
        self.default_value_query: str | None = None  # of `-o value` without --query
        self.accepted_count = 0
        self.answered_calls: list[tuple[str, Mapping[str, Any], Any]] = []  # endpoint, request body, answer
        self._masked_keys: list[Key] = []
        self._keys_by_service: dict[str, Key] = {}

    @cached_property
    def output(self) -> Output:
        """Results and messages. Raises InvalidInput for an unknown format, a wrong query or color."""
        color = self.options.color or "auto"
        if color not in COLORS:
            raise InvalidInput(f'--color "{color}" must be auto, always or never.', suggest(color, COLORS))
        query = self.options.query
        return Output(
            self.environment,
            self.mask_keys,
            format=self.options.output,
            query=self.default_value_query if query is None and self.options.output == "value" else query,
            color=color,
            quiet=self.options.quiet,
            verbose=self.options.verbose,
        )

    @cached_property
    def error_output(self) -> Output:
        """Messages only: for failures before the options are known, or because they are wrong."""
        color = self.options.color
        return Output(self.environment, self.mask_keys, color=color if color in COLORS else "auto")

    @cached_property
    def profile(self) -> "Profile":
        """The selected profile. Raises ConfigError."""
        from cpctl.config.profiles import load_profile

        loaded = load_profile(self.environment, self.options.config, self.options.profile, self.options.timeout)
        # Masked from the start, even if this command never uses the key.
        self._masked_keys += [Key(str(source.value)) for source in loaded.keys.values() if source.kind == "value"]
        return loaded

    @cached_property
    def store(self) -> "Store":
        """The store of the profile; not opened yet."""
        from cpctl.store.store import Store

        return Store(self.profile.store, self.output.warn)

    @cached_property
    def outbox(self) -> "Outbox":
        from cpctl.outbox.outbox import Outbox

        return Outbox(self.store, self.profile.name)

    @cached_property
    def reporter(self) -> "SignalReporter":
        from cpctl.sdk.reporter import SignalReporter

        return SignalReporter(self.profile, self.outbox, self.make_signal_sender)

    def make_signal_sender(self) -> "Send":
        """A function that posts signals over one connection. Raises ConfigError if the key cannot be read."""
        from cpctl.sdk.sender import make_signal_sender

        return make_signal_sender(self.profile, self.make_client("signal"))

    def make_client(self, service: str) -> "Client":
        """An HTTP client with the key of a service. Raises ConfigError if the key cannot be read."""
        key = self.read_key(service)
        from cpctl.sdk.sender import make_client

        return make_client(self.profile, key, self.output.note if self.options.debug else None)

    def close(self) -> None:
        """Close the store if it was opened."""
        if "store" in self.__dict__:
            self.store.close()

    def save_completion_hints(self) -> None:
        """Keep the references in the answers for completion; a failure to do so is ignored."""
        if self.answered_calls and not self.options.dry_run:
            with suppress(Exception):
                from cpctl.cli.completion.hints import save_hints

                save_hints(self.environment, self.options.config, self.profile.name, self.answered_calls)

    def read_key(self, service: str) -> Key:
        """Read the key of a service; all output masks it from now on. Raises ConfigError."""
        if service not in self._keys_by_service:  # a key command may be slow, or ask for a passphrase
            self.use_key(service, self.profile.key_source(service).read())
        return self._keys_by_service[service]

    def add_masked_key(self, key: Key) -> None:
        if key not in self._masked_keys:
            self._masked_keys.append(key)

    def use_key(self, service: str, key: Key) -> None:
        """Use this key for a service instead of the one in the profile."""
        self._keys_by_service[service] = key
        self.add_masked_key(key)

    def use_profile(self, name: str) -> None:
        """Switch to another profile, and read its file again."""
        self.options = self.options._replace(profile=name)
        self.__dict__.pop("profile", None)

    def mask_keys(self, text: str) -> str:
        return mask_keys(text, self._masked_keys)

    @property
    def has_explicit_output(self) -> bool:
        """Whether --output or --query is given: data then replaces the text for people."""
        return bool(self.options.output or self.options.query)

    @property
    def can_prompt(self) -> bool:
        """Whether a question can be asked: at a terminal, unless --no-input or CPCTL_NO_INPUT is given."""
        import sys

        is_forbidden = self.options.no_input or "CPCTL_NO_INPUT" in self.environment
        return not is_forbidden and sys.stdin is not None and sys.stdin.isatty() and self.output.stderr_is_terminal

    def confirm(self, question: str, yes: bool) -> None:
        """Ask for confirmation unless `yes`. Raises InvalidInput if the answer is no, or a prompt is impossible."""
        if yes:
            return
        if not self.can_prompt:
            raise InvalidInput(f"{question} Cannot prompt: input is not a terminal.", "Add --yes to confirm.")
        if not typer.confirm(escape_controls(self.mask_keys(question)), err=True):
            raise InvalidInput("Not confirmed; nothing was changed.")

    def show(self, data: Any, view: "View | None" = None, status: ExitCode = ExitCode.DONE) -> None:
        """Show the result of a command that only reads, and set the exit status."""
        self.exit_status = self.exit_status or status
        self.output.show(data, view)

    def finish(self, data: Any, view: "View | None", status: ExitCode) -> None:
        """Show the result of a command that changed something; its exit status stays, even if printing fails."""
        self.exit_status = status
        self.is_work_done = True
        if data is not None:  # an answer without a body
            self.output.show(data, view)
