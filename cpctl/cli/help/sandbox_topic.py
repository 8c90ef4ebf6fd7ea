"""The topic about the sandbox."""

from collections.abc import Iterator

from cpctl.cli.help.blocks import Block, Code, Head, Rows, Words


def sandbox() -> Iterator[Block]:
    """A Cloudprinter on this machine, and its faults."""
    from cpctl.sandbox.faults import FAULTS
    from cpctl.sandbox.sandbox_state import DIALECTS, ITEMS, KEYS, ORDERS

    yield Words(
        "The sandbox is a Cloudprinter on this machine: every call of the documents, orders that move on, quotes that "
        "expire, webhooks. It keeps nothing when it ends. Nothing reaches the real service."
    )
    yield Head("A command against a fresh one")
    yield Code("cpctl sandbox run -- bash")
    yield Words("The command gets a configuration and a store of its own; the exit status is the command's.")
    yield Head("One that stays")
    yield Code(
        "cpctl sandbox serve --port 8900\ncpctl --profile sandbox signal packed 123456780001 --order 123456780000"
    )
    yield Words(f"It begins with {ORDERS} orders of {ITEMS} items: 123456780000 has 123456780001 and on. Its keys:")
    yield Rows(list(KEYS.items()))
    yield Words(f"--dialect is {' or '.join(DIALECTS)}: as the service really answers, or as its documents say.")
    yield Head("Faults")
    yield Rows([(row.name, row.meaning) for row in FAULTS.values()])
    yield Code("cpctl sandbox fault status --status 503 --retry-after 30 --times 2\ncpctl sandbox fault clear")
    yield Words("A fault holds for all paths, or with --path for those that begin so.")
