"""Key files written together with the configuration, and what is known about a new key."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.calls import make_caller
from cpctl.cli.context import Context
from cpctl.config.changes import create_private_folder, write_config_or_key
from cpctl.config.keys import KEY_VARIABLES, Key
from cpctl.config.profiles import load_profile
from cpctl.errors import ConfigError

# A read-only call with a short answer that every account may make.
KEY_CHECK_ENDPOINT = "shipping/levels"
KEY_CHECK_TIMEOUT_SECONDS = 10.0
UNVERIFIED_KEY_NOTES = {
    "signal": "not checked: every call with this key reports something. The first signal shows whether it is valid",
    "webhooks": "not checked: the service sends this key, cpctl never does",
}


@contextmanager
def key_files_transaction(keys: Mapping[Path, Key]) -> Iterator[None]:
    """Write key files; restore what was there if the body fails. Raises ConfigError."""
    before: dict[Path, bytes | None] = {}
    try:
        for file, key in keys.items():
            create_private_folder(file.parent)
            before[file] = _read_if_exists(file)
            write_config_or_key(file, f"{key.value}\n")
        yield
    except BaseException:
        for file, content in before.items():
            with suppress(OSError, ConfigError):
                if content is None:
                    file.unlink(missing_ok=True)
                else:
                    write_config_or_key(file, content)
        raise


def _read_if_exists(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"Cannot replace the key file {file}: {error.strerror}.") from error


def verify_core_key(context: Context) -> None:
    """Try the core key with a read-only call. Raises KeyRefused, or another CpctlError if the call fails."""
    timeout_seconds = min(context.profile.timeout, KEY_CHECK_TIMEOUT_SECONDS)
    make_caller(context, "core", timeout_seconds)(ENDPOINTS[KEY_CHECK_ENDPOINT], {})


def warn_if_key_overridden(context: Context, service: str) -> None:
    """Warn if the environment has a key that overrides the one in the profile."""
    for name in (KEY_VARIABLES[service], f"{KEY_VARIABLES[service]}_FILE"):
        if name in context.environment:
            context.output.warn(f"{name} is set in the environment and overrides the {service} key of every profile.")


def warn_if_keys_equal(context: Context, profile: str) -> None:
    """Warn if core and signal have the same key."""
    from cpctl.cli.commands.whoami import find_same_key_warnings

    for text in find_same_key_warnings(load_profile(context.environment, context.options.config, profile)):
        context.output.warn(text)
