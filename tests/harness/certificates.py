"""Certificates for loopback addresses, made by openssl."""

import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")


class KeyPair(NamedTuple):
    """A certificate and its key."""

    cert: Path
    key: Path

    def replace(self, other: "KeyPair") -> None:
        """Replace the files by another pair, as a renewal does."""
        for ours, theirs in zip(self, other, strict=True):
            draft = ours.with_name(f"{ours.name}.draft")
            shutil.copy(theirs, draft)
            draft.replace(ours)


def make_key_pair(folder: Path, name: str, password: str = "", also: str = "") -> KeyPair:
    """A certificate for localhost and perhaps another DNS name, valid for a day; `name` is its subject."""
    pair = KeyPair(folder / f"{name}.cert.pem", folder / f"{name}.key.pem")
    arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "1", "-addext"]
    names = f"subjectAltName=DNS:localhost,IP:127.0.0.1{f',DNS:{also}' if also else ''}"
    protect = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    files = ["-subj", f"/CN={name}", "-keyout", str(pair.key), "-out", str(pair.cert)]
    subprocess.run(["openssl", *arguments, names, *protect, *files], check=True, capture_output=True)
    return pair


def trusting_context(*pairs: KeyPair) -> ssl.SSLContext:
    """A TLS context for clients that trust only these certificates."""
    context = ssl.create_default_context()
    context.check_hostname = True
    for pair in pairs:
        context.load_verify_locations(pair.cert)
    return context


def make_certificate(folder: Path, days: tuple[int, int] = (-1, 300), name: str = "IP:127.0.0.1") -> KeyPair:
    """A self-signed certificate for a name, valid from and to this many days from now."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pair = KeyPair(folder / "server.pem", folder / "server-key.pem")
    first, last = (f"{datetime.now(UTC) + timedelta(days=number):%Y%m%d%H%M%SZ}" for number in days)
    settings = folder / "openssl.cnf"
    (folder / "index.txt").write_text("")
    settings.write_text(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
        f"policy=any\nx509_extensions=site\n[any]\nO=optional\nCN=supplied\n[site]\nsubjectAltName={name}\n"
        "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"
        "[req]\ndistinguished_name=who\n[who]\n"
    )
    request = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Print House/CN=shop", "-out"]
    request += ["server.csr", "-keyout", pair.key.name, "-config", settings.name]
    sign = ["openssl", "ca", "-batch", "-selfsign", "-config", settings.name, "-in", "server.csr", "-notext"]
    sign += ["-keyfile", pair.key.name, "-startdate", first, "-enddate", last, "-out", pair.cert.name]
    for command in (request, sign):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return pair
