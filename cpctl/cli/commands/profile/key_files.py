"""Keys and the configuration on disk: written together, or not at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.calls import make_caller
from cpctl.cli.context import Context
from cpctl.config.changes import create_private_folder
from cpctl.config.keys import KEY_VARIABLES, Key
from cpctl.config.profiles import load_profile
from cpctl.errors import ConfigError, InvalidInput

# It reads, it answers with a short list, and every account may call it.
KEY_CHECK_ENDPOINT = "shipping/levels"
KEY_CHECK_TIMEOUT_SECONDS = 10.0  # seconds
UNVERIFIED_KEY_NOTES = {
    "signal": "not checked: every call with this key reports something. The first signal shows whether it is right",
    "webhooks": "not checked: the service sends it, and cpctl never does",
}


def write_config_or_key(file: Path, text: str) -> None:
    """Write a configuration or a key. Raises ConfigError; then the file is as it was."""
    from cpctl.files import write_private

    if file.exists() and not os.access(file, os.W_OK):  # a new file in its place would undo what somebody meant
        raise ConfigError(f"{file} cannot be written: it is read-only.", "Nothing was changed.")
    try:
        write_private(file, text)
    except InvalidInput as error:
        raise ConfigError(error.message, "Nothing was changed.") from error


@contextmanager
def key_files_transaction(keys: Mapping[Path, Key]) -> Iterator[None]:
    """Key files that stay only if all that follows succeeds; else everything is as it was. Raises ConfigError."""
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
                    write_config_or_key(file, content.decode("utf-8", "surrogateescape"))
        raise


def _read_if_exists(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"The key file {file} cannot be replaced: {error.strerror}.") from error


def verify_core_key(context: Context) -> None:
    """Find out from the service whether the core key in force is right. Raises what `api.calling.call` raises."""
    make_caller(context, "core", min(context.profile.timeout, KEY_CHECK_TIMEOUT_SECONDS))(
        ENDPOINTS[KEY_CHECK_ENDPOINT], {}
    )


def warn_if_key_overridden(context: Context, service: str) -> None:
    """Say where the environment has a key that beats the one in the profile."""
    for name in (KEY_VARIABLES[service], f"{KEY_VARIABLES[service]}_FILE"):
        if name in context.environment:
            context.output.warn(f"{name} is set in the environment and beats the {service} key of every profile.")


def warn_if_keys_equal(context: Context, profile: str) -> None:
    """Say where core and signal have got one and the same key."""
    from cpctl.cli.commands.whoami import find_same_key_warnings

    for text in find_same_key_warnings(load_profile(context.environment, context.options.config, profile)):
        context.output.warn(text)
