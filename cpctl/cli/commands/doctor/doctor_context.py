"""What the checks of `doctor` examine; each fact is found out once."""

from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from cpctl.cli.context import Context
from cpctl.config.paths import find_config_file, find_default_store
from cpctl.config.profiles import Profile
from cpctl.diagnostics.network_checks import ConnectionProbe, ConnectionSettings, probe_connection
from cpctl.errors import ConfigError, CpctlError
from cpctl.net import is_loopback
from cpctl.outbox.queries import StoreInspection, inspect_store

MAX_NETWORK_SECONDS = 10.0
MAX_PROBLEM_SIGNALS = 20


class DoctorContext:
    """The context of a command, and what the checks share. Nothing here changes anything."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def profile(self) -> Profile | None:
        """The profile in use, or None if there is no usable one."""
        try:
            return self.context.profile
        except ConfigError:
            return None

    @cached_property
    def config_path(self) -> Path:
        """The configuration file, which may not exist. Raises ConfigError."""
        return find_config_file(self.context.options.config, self.context.environment)[0]

    @cached_property
    def store_path(self) -> Path:
        """The store, which may not exist. Raises ConfigError."""
        return self.profile.store if self.profile else find_default_store(self.context.environment)[0]

    @cached_property
    def store_contents(self) -> StoreInspection | CpctlError | None:
        """What is in the store, or why it cannot be read; None if it does not exist."""
        try:
            return inspect_store(self.store_path, MAX_PROBLEM_SIGNALS) if self.store_path.exists() else None
        except CpctlError as error:
            return error
        except OSError as error:
            return ConfigError(f"Cannot read the store {self.store_path}: {error.strerror}.")

    @cached_property
    def timeout_seconds(self) -> float:
        """The maximum time of one network check."""
        assert self.profile is not None, "network checks need a profile"
        return self.profile.timeout if self.context.options.timeout else min(self.profile.timeout, MAX_NETWORK_SECONDS)

    @cached_property
    def route(self) -> ConnectionSettings:
        """Address, proxy and certificate authorities for connections to the service."""
        assert self.profile is not None, "network checks need a profile"
        from cpctl.api.client import find_proxy_and_ca_bundle

        url = self.profile["base_url"]
        return ConnectionSettings(url, *find_proxy_and_ca_bundle(url, is_loopback(urlsplit(url).hostname or "")))

    @cached_property
    def connection(self) -> ConnectionProbe | Exception:
        """The result of one connection, or why it failed."""
        import http.client

        try:
            return probe_connection(self.route, self.timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            return error
