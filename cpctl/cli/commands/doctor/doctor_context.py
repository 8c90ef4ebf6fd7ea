"""What the doctor looks at: a Run, and what is found out about it only once."""

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


class DoctorContext:
    """One run of cpctl under examination. Nothing that is asked here changes anything."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def profile(self) -> Profile | None:
        """The profile in force, or None where there is none that can be used."""
        try:
            return self.context.profile
        except ConfigError:
            return None

    @cached_property
    def config_path(self) -> Path:
        """The configuration file, whether it is there or not. Raises ConfigError."""
        return find_config_file(self.context.options.config, self.context.environment)[0]

    @cached_property
    def store_path(self) -> Path:
        """The store, whether it is there or not. Raises ConfigError."""
        return self.profile.store if self.profile else find_default_store(self.context.environment)[0]

    @cached_property
    def store_contents(self) -> StoreInspection | CpctlError | None:
        """What lies in the store; None where there is none yet."""
        try:
            return inspect_store(self.store_path, limit=20) if self.store_path.exists() else None
        except CpctlError as error:
            return error
        except OSError as error:
            return ConfigError(f"The store {self.store_path} cannot be looked at: {error.strerror}.")

    @cached_property
    def timeout_seconds(self) -> float:
        """How long one look at the network may take."""
        assert self.profile is not None, "the network is looked at with a profile only"
        return self.profile.timeout if self.context.options.timeout else min(self.profile.timeout, MAX_NETWORK_SECONDS)

    @cached_property
    def route(self) -> ConnectionSettings:
        """The way to the service."""
        assert self.profile is not None, "the network is looked at with a profile only"
        from cpctl.api.client import find_proxy_and_ca_bundle

        url = self.profile["base_url"]
        return ConnectionSettings(url, *find_proxy_and_ca_bundle(url, is_loopback(urlsplit(url).hostname or "")))

    @cached_property
    def connection(self) -> ConnectionProbe | Exception:
        """What a connection told, or why there is none."""
        import http.client

        try:
            return probe_connection(self.route, self.timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            return error
