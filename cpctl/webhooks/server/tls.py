"""The TLS certificate of a receiver, reloaded when it is renewed."""

import ssl
from pathlib import Path

from cpctl.errors import ConfigError


class Certificate:
    """A certificate with its key."""

    def __init__(self, cert: Path, key: Path | None) -> None:
        self._files = (cert, key or cert)
        self._loaded_stamp: object = self._read_stamp()
        self._last_problem = ""
        self.context = _make_tls_context()
        self._load(self.context)

    def reload_if_changed(self) -> str | None:
        """Use a changed certificate for new connections. Returns what happened, or None; a failure is returned once."""
        stamp, previous_stamp = None, self._loaded_stamp
        try:
            stamp = self._read_stamp()
            if stamp == previous_stamp:
                return None
            # Loaded into a new context first: a failed load would leave the one in use without its key.
            self._load(_make_tls_context())
            self._load(self.context)
        except ConfigError as error:
            previous_problem = self._last_problem
            self._last_problem = f"certificate not renewed, the old one stays in use: {error.message}"
            return None if self._last_problem == previous_problem else self._last_problem
        finally:
            self._loaded_stamp = stamp
        self._last_problem = ""
        return "certificate renewed"

    def _read_stamp(self) -> object:
        try:
            return [((status := file.stat()).st_mtime_ns, status.st_ino, status.st_size) for file in self._files]
        except OSError as error:
            raise ConfigError(
                f"Cannot read {error.filename}: {error.strerror}.", "Give the paths of existing PEM files."
            ) from error

    def _load(self, context: ssl.SSLContext) -> None:
        cert, key = self._files
        try:
            # Without a password function, OpenSSL would prompt on the terminal.
            context.load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"Cannot use the certificate {cert} with the key {key}: {error}.",
                "Both must be PEM files; the key must belong to the certificate and have no password.",
            ) from error


def _make_tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
