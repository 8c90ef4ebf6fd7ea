"""The topic about the sandbox."""

from collections.abc import Iterator

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph


def sandbox() -> Iterator[Block]:
    """A Cloudprinter on this machine, and its faults."""
    from cpctl.sandbox.faults import FAULT_KINDS
    from cpctl.sandbox.sandbox_state import API_KEYS, DEFAULT_ITEMS_PER_ORDER, DEFAULT_ORDERS, DIALECTS

    yield Paragraph(
        "The sandbox is a Cloudprinter on this machine: every call of the documents, orders that move on, quotes that "
        "expire, webhooks. It keeps nothing when it ends. Nothing reaches the real service."
    )
    yield Heading("A command against a fresh one")
    yield CodeBlock("cpctl sandbox run -- bash")
    yield Paragraph("The command gets a configuration and a store of its own; the exit status is the command's.")
    yield Heading("One that stays")
    yield CodeBlock(
        "cpctl sandbox serve --port 8900\ncpctl --profile sandbox signal packed 123456780001 --order 123456780000"
    )
    yield Paragraph(
        f"It begins with {DEFAULT_ORDERS} orders of {DEFAULT_ITEMS_PER_ORDER} items: 123456780000 has 123456780001 and on. Its keys:"
    )
    yield DefinitionList(list(API_KEYS.items()))
    yield Paragraph(f"--dialect is {' or '.join(DIALECTS)}: as the service really answers, or as its documents say.")
    yield Heading("Faults")
    yield DefinitionList([(row.name, row.description) for row in FAULT_KINDS.values()])
    yield CodeBlock("cpctl sandbox fault status --status 503 --retry-after 30 --times 2\ncpctl sandbox fault clear")
    yield Paragraph("A fault holds for all paths, or with --path for those that begin so.")
