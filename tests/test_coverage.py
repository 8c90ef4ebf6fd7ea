"""The API coverage table leaves nothing out that the program speaks, and claims nothing that is not there."""

import pytest

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.root import root
from cpctl.signals.webhook_kinds import WEBHOOKS
from docs.coverage import CONFIDENCE, ENDPOINTS_COVERED, WEBHOOKS_COVERED


def test_every_endpoint_and_every_webhook_has_a_row() -> None:
    assert set(ENDPOINTS_COVERED) == set(ENDPOINTS)
    assert set(WEBHOOKS_COVERED) == set(WEBHOOKS)


@pytest.mark.parametrize("name", ENDPOINTS_COVERED)
def test_the_command_that_a_row_names_is_there(name: str) -> None:
    row = ENDPOINTS_COVERED[name]
    words = row.command.split(" --")[0].split()
    tree = root()
    with tree.make_context("cpctl", list(words), obj=None, resilient_parsing=True) as context:
        found = tree
        for word in words:
            found = found.get_command(context, word)
            assert found is not None, row.command
    assert row.confidence in CONFIDENCE
