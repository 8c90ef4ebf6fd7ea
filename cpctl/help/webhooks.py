"""The topic about webhooks."""

from collections.abc import Iterator

from cpctl.help.blocks import Block, Code, Head, Rows, Words

# What a receiver of webhooks answers. 200 and 204 end the matter for Cloudprinter; it repeats all else for 7 days,
# at most 100 times (CloudSignal Webhooks 2.0, "Response").
ANSWERS: dict[int, str] = {
    200: "stored",
    204: "of an order that is not known here; Cloudprinter does not repeat it",
    400: "no JSON object, or without a type or an order",
    401: "the wrong key",
    405: "not a POST",
    411: "without a length",
    413: "too long",
    415: "not JSON, by its content type",
    503: "could not be stored; Cloudprinter repeats it",
}


def webhooks() -> Iterator[Block]:
    """How to receive what Cloudprinter reports."""
    yield Words(
        "Cloudprinter reports what happens to orders and items by posting a JSON object to an address of yours. "
        "`cpctl webhooks serve` receives them, keeps each one on disk before it answers, and can hand it on."
    )
    yield Code("cpctl webhooks serve --port 8080\ncpctl webhooks list")
    yield Words(
        "Every webhook carries the key that is set for it at Cloudprinter; it must be the `webhooks` key of the "
        "profile, or CPCTL_WEBHOOK_KEY. Put a server with TLS in front: the key travels in the body."
    )
    yield Head("Answers")
    yield Rows([(str(status), meaning) for status, meaning in ANSWERS.items()])
    yield Words(
        "Cloudprinter repeats what is answered otherwise than with 200 or 204, up to 100 times in 7 days. There is no "
        "id and no promise of order, so the same webhook may come twice; it is kept once."
    )
    yield Head("Handing on")
    yield Words(
        "A webhook can be forwarded to another address, or given to a command of your own; what is stored is never "
        "lost by that. To try it: start a sandbox with --webhook-url, and let it send one."
    )
    yield Code("cpctl sandbox serve --webhook-url http://127.0.0.1:8080/\ncpctl sandbox trigger ItemShipped")
