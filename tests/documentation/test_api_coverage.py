"""The API coverage table has a row for every endpoint and webhook, and no other."""

import pytest

from cpctl.api.endpoints import ENDPOINTS
from cpctl.signals.webhook_types import WEBHOOK_TYPES
from tools.docs.api_coverage import CONFIDENCE, ENDPOINT_COVERAGE, WEBHOOK_COVERAGE


def test_every_endpoint_and_every_webhook_has_a_row() -> None:
    assert set(ENDPOINT_COVERAGE) == set(ENDPOINTS)
    assert set(WEBHOOK_COVERAGE) == set(WEBHOOK_TYPES)


@pytest.mark.parametrize("name", ENDPOINT_COVERAGE)
def test_every_row_has_a_known_confidence(name: str) -> None:
    assert ENDPOINT_COVERAGE[name].confidence in CONFIDENCE
