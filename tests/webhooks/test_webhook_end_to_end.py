"""A signal returns as a webhook: over TLS, into the store, and to a program."""

from pathlib import Path

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.store.store import Store
from cpctl.webhooks.events.event_search import EventSearch, find_events, find_item_states
from harness.certificates import make_key_pair, needs_openssl
from harness.cli_environment import (
    ITEM,
    ORDER,
    CliEnvironment,
    minimal_environment,
    sandbox_configuration,
    shipped_command,
)
from harness.webhooks.webhook_server import make_webhook_cli, running_server, wait_until, webhook_body
from harness.webhooks.webhook_targets import recorded_events, write_recorder


@needs_openssl
def test_a_shipment_is_received_as_a_webhook_and_delivered_to_a_program(tmp_path: Path) -> None:
    receiver = make_webhook_cli(tmp_path / "receiver", CPCTL_WEBHOOK_KEY=API_KEYS["webhooks"])
    shop = CliEnvironment(
        tmp_path / "shop", {**minimal_environment(tmp_path / "shop"), "CPCTL_CONFIG": str(tmp_path / "config.yaml")}
    )
    shop.folder.mkdir()
    pair, program = make_key_pair(tmp_path, "receiver"), write_recorder(tmp_path / "recorded")
    tls = ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)]
    with running_server(receiver, *tls, "--exec", str(program)) as server:
        ready = tmp_path / "sandbox-ready"
        words = (
            "sandbox",
            "serve",
            "--port",
            "0",
            "--ready-file",
            str(ready),
            "--webhook-url",
            f"{server.address}/hook",
        )
        sandbox = shop.start(*words)
        try:
            wait_until(ready.exists, "the sandbox is ready")
            (tmp_path / "config.yaml").write_text(sandbox_configuration(ready.read_text().strip()))
            (tmp_path / "config.yaml").chmod(0o600)
            assert shop.run(*shipped_command(tracking="1Z999"), "--require-delivery").code == 0
            wait_until(lambda: recorded_events(program), "recorded")
        finally:
            sandbox.kill()
            sandbox.communicate()
        (recorded,) = recorded_events(program)
        assert {name: recorded[name] for name in ("type", "order", "item", "tracking", "shipping_option")} == {
            "type": "ItemShipped",
            "order": ORDER,
            "item": ITEM,
            "tracking": "1Z999",
            "shipping_option": "GLS",
        }
        store = Store(receiver.store, lambda recorded: None)

        def looked() -> bool:
            (event,) = find_events(store, EventSearch("default"))
            return bool(event["targets"][0]["state"] == "done")

        wait_until(looked, "delivered")
        (item,) = find_item_states(store, "default", ORDER)
        assert item["item"] == ITEM
        assert API_KEYS["webhooks"] not in server.log_text()
        store.close()


def test_signals_and_webhooks_share_a_store(webhook_cli: CliEnvironment) -> None:
    """The receiver and the outbox can use one store at the same time."""
    keys = {"CPCTL_SIGNAL_KEY": API_KEYS["signal"]}
    with running_server(webhook_cli) as server:
        for number in range(5):
            assert server.post(webhook_body(number)).status == 200
            words = (*shipped_command(f"12345678{number:04}"), "--queue-only", "--shipping-option", "GLS")
            assert webhook_cli.run(*words, **keys).code == 0
        assert server.count_events() == 5
        assert server.select_rows("SELECT count(*) AS n FROM signals") == [{"n": 5}]
