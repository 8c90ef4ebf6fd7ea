"""What the doctor looks at: a Run, and what is found out about it only once."""

from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from cpctl.cli.context import Run
from cpctl.config.paths import config_file, default_store
from cpctl.config.profiles import Profile, is_loopback
from cpctl.diagnostics.network_checks import Reached, Way, reach
from cpctl.errors import ConfigError, CpctlError
from cpctl.store.read_only import Look, look

LONGEST = 10.0


class Patient:
    """One run of cpctl under examination. Nothing that is asked here changes anything."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @cached_property
    def profile(self) -> Profile | None:
        """The profile in force, or None where there is none that can be used."""
        try:
            return self.run.profile
        except ConfigError:
            return None

    @cached_property
    def config(self) -> Path:
        """The configuration file, whether it is there or not. Raises ConfigError."""
        return config_file(self.run.options.config, self.run.environment)[0]

    @cached_property
    def store(self) -> Path:
        """The store, whether it is there or not. Raises ConfigError."""
        return self.profile.store if self.profile else default_store(self.run.environment)[0]

    @cached_property
    def look(self) -> Look | CpctlError | None:
        """What lies in the store; None where there is none yet."""
        try:
            return look(self.store, troubles=20) if self.store.exists() else None
        except CpctlError as error:
            return error
        except OSError as error:
            return ConfigError(f"The store {self.store} cannot be looked at: {error.strerror}.")

    @cached_property
    def seconds(self) -> float:
        """How long one look at the network may take."""
        assert self.profile is not None, "the network is looked at with a profile only"
        return self.profile.timeout if self.run.options.timeout else min(self.profile.timeout, LONGEST)

    @cached_property
    def way(self) -> Way:
        """The way to the service."""
        assert self.profile is not None, "the network is looked at with a profile only"
        from cpctl.api.client import way_to

        url = self.profile["base_url"]
        return Way(url, *way_to(url, is_loopback(urlsplit(url).hostname or "")))

    @cached_property
    def reached(self) -> Reached | Exception:
        """What a connection told, or why there is none."""
        import http.client

        try:
            return reach(self.way, self.seconds)
        except (OSError, http.client.HTTPException) as error:
            return error
