"""`cpctl` whose `webhooks serve` has short internal times: python -m harness.webhooks.fast_server webhooks serve …"""

import sys
from functools import partial

from cpctl.cli.commands import webhooks
from cpctl.cli.main import main
from cpctl.webhooks.server.server_settings import ServerTimes

FAST_TIMES = ServerTimes(check=0.1, tls_shutdown=0.2, graceful_stop=1.0, stop=2.0, worker_stop=0.5)

if __name__ == "__main__":
    webhooks.serve = partial(webhooks.serve, times=FAST_TIMES)  # type: ignore[assignment]
    sys.exit(main())
