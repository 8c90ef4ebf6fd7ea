"""`cpctl webhooks`: receiving, and looking at what was received."""

from cpctl.cli.group import Commands
from cpctl.cli.receiving import Handing, Listening, serve
from cpctl.cli.run import Run

commands = Commands()


@commands.add("serve", "cpctl webhooks serve --tls-cert fullchain.pem --tls-key privkey.pem --host 0.0.0.0 --port 443")
def serve_webhooks(run: Run, listening: Listening, handing: Handing) -> None:
    """Receive webhooks: check the key, store the event, then answer; hand it over after that."""
    serve(run, listening, handing)
