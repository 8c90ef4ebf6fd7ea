"""The API coverage table leaves nothing out that the program speaks, and claims nothing that is not there."""

import pytest

from cpctl.api.endpoints import ENDPOINTS
from cpctl.signals.webhook_types import WEBHOOK_TYPES
from tools.docs.coverage import CONFIDENCE, ENDPOINTS_COVERED, WEBHOOKS_COVERED


def test_every_endpoint_and_every_webhook_has_a_row() -> None:
    assert set(ENDPOINTS_COVERED) == set(ENDPOINTS)
    assert set(WEBHOOKS_COVERED) == set(WEBHOOK_TYPES)


@pytest.mark.parametrize("name", ENDPOINTS_COVERED)
def test_every_row_says_how_sure_we_are(name: str) -> None:
    assert ENDPOINTS_COVERED[name].confidence in CONFIDENCE
