"""Certificates for loopback, made by openssl."""

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")


class KeyPair(NamedTuple):
    """A certificate and its key."""

    cert: Path
    key: Path

    def replace(self, other: "KeyPair") -> None:
        """Replace the files by those of another pair, as a renewal does."""
        for ours, theirs in zip(self, other, strict=True):
            draft = ours.with_name(f"{ours.name}.draft")
            shutil.copy(theirs, draft)
            draft.replace(ours)


def make_key_pair(folder: Path, name: str, password: str = "") -> KeyPair:
    """Make a certificate for localhost, valid for a day; its subject is the name."""
    pair = KeyPair(folder / f"{name}.cert.pem", folder / f"{name}.key.pem")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "1", "-addext"]
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    protect = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    files = ["-subj", f"/CN={name}", "-keyout", str(pair.key), "-out", str(pair.cert)]
    subprocess.run(["openssl", *words, names, *protect, *files], check=True, capture_output=True)
    return pair


def trusting_context(*pairs: KeyPair) -> ssl.SSLContext:
    """A TLS client context that trusts only these certificates."""
    context = ssl.create_default_context()
    context.check_hostname = True
    for pair in pairs:
        context.load_verify_locations(pair.cert)
    return context
