"""A signal of the shop comes back as a webhook: over TLS, into the store, and to a program."""

from pathlib import Path

from webhook_certificates import make_pair, needs_openssl
from webhook_server import event, eventually, serving, webhook_world
from webhook_target import noted, noting
from worlds import ITEM, ORDER, World, configuration, environment_in, shipped

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.store.store import Store
from cpctl.webhooks.events.event_store import EventSearch, find_events, find_item_states


@needs_openssl
def test_a_parcel_that_was_reported_is_told_by_webhook_and_reaches_a_program(tmp_path: Path) -> None:
    receiver = webhook_world(tmp_path / "receiver", CPCTL_WEBHOOK_KEY=API_KEYS["webhooks"])
    shop = World(
        tmp_path / "shop", {**environment_in(tmp_path / "shop"), "CPCTL_CONFIG": str(tmp_path / "config.yaml")}
    )
    shop.folder.mkdir()
    pair, told = make_pair(tmp_path, "receiver"), noting(tmp_path / "told")
    tls = ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)]
    with serving(receiver, *tls, "--exec", str(told)) as server:
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
            eventually(ready.exists, "the sandbox is ready")
            (tmp_path / "config.yaml").write_text(configuration(ready.read_text().strip()))
            (tmp_path / "config.yaml").chmod(0o600)
            assert shop.run(*shipped(tracking="1Z999"), "--require-delivery").code == 0
            eventually(lambda: noted(told), "told")
        finally:
            sandbox.kill()
            sandbox.communicate()
        (said,) = noted(told)
        assert {name: said[name] for name in ("type", "order", "item", "tracking", "shipping_option")} == {
            "type": "ItemShipped",
            "order": ORDER,
            "item": ITEM,
            "tracking": "1Z999",
            "shipping_option": "GLS",
        }
        store = Store(receiver.store, lambda said: None)

        def looked() -> bool:
            (kept,) = find_events(store, EventSearch("default"))
            return bool(kept["targets"][0]["state"] == "done")

        eventually(looked, "handed over")
        (item,) = find_item_states(store, "default", ORDER)
        assert item["item"] == ITEM
        assert API_KEYS["webhooks"] not in server.said()
        store.close()


def test_the_store_serves_signals_and_webhooks_alike(hook_world: World) -> None:
    """One store for both: the receiver and the outbox do not lock each other out."""
    keys = {"CPCTL_SIGNAL_KEY": API_KEYS["signal"]}
    with serving(hook_world) as server:
        for number in range(5):
            assert server.post(event(number)).status == 200
            words = (*shipped(f"12345678{number:04}"), "--queue-only", "--shipping-option", "GLS")
            assert hook_world.run(*words, **keys).code == 0
        assert server.events() == 5
        assert server.rows("SELECT count(*) AS n FROM signals") == [{"n": 5}]
