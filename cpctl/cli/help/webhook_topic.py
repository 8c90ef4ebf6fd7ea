"""The topic about webhooks."""

from collections.abc import Iterator

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph
from cpctl.webhooks.server.responses import RESPONSE_MEANINGS


def webhooks() -> Iterator[Block]:
    """How to receive what Cloudprinter reports."""
    yield Paragraph(
        "Cloudprinter reports what happens to orders and items by posting a JSON object to an address of yours. "
        "`cpctl webhooks serve` receives them, keeps each one on disk before it answers, and can hand it on."
    )
    yield CodeBlock("cpctl webhooks serve --behind-proxy\ncpctl webhooks list\ncpctl webhooks items")
    yield Paragraph(
        "Every webhook carries the key that is set for it at Cloudprinter; it must be the `webhooks` key of the "
        "profile, or CPCTL_WEBHOOK_KEY. Put a server with TLS in front: the key travels in the body."
    )
    yield Heading("Answers")
    yield DefinitionList([(str(status), meaning) for status, meaning in RESPONSE_MEANINGS.items()])
    yield Paragraph(
        "Cloudprinter repeats what is answered otherwise than with 200 or 204, up to 100 times in 7 days. There is no "
        "id and no promise of order, so the same webhook may come twice; it is kept once."
    )
    yield Heading("Handing over")
    yield Paragraph(
        "--forward-to URL posts each event on, --exec COMMAND runs a program with the event on its standard input. "
        "Neither delays an answer; what a target has not got waits in the store and is tried again."
    )
    yield CodeBlock(
        "cpctl webhooks serve --forward-to http://127.0.0.1:3000/ --exec ./note-it\ncpctl webhooks replay 12"
    )
    yield Paragraph("To try it out, tell a sandbox where to, and let it send one:")
    yield CodeBlock("cpctl sandbox webhooks --to http://127.0.0.1:8100/\ncpctl sandbox trigger ItemShipped")
