#!/usr/bin/env bash
# Two webhooks arrive in the wrong order, and one of them twice.
# Run it against the sandbox: cpctl sandbox run -- bash examples/any-order.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
cd "$folder"

cpctl webhooks serve --port 0 --ready-file ready --quiet &
until [ -s ready ]; do kill -0 $! && sleep 0.1; done

post_webhook() { # post_webhook TYPE TIME
    printf '> %s of %s: ' "$1" "$2"
    curl -s "$(cat ready)" -H 'Content-Type: application/json' -d '{
        "apikey": "sandbox-webhook-key", "type": "'"$1"'", "order": "123456780000", "item": "123456780001",
        "order_reference": "654321", "item_reference": "321", "datetime": "2026-01-20T'"$2"'+00:00"}'
    echo
}
post_webhook ItemPacked 12:00:00
post_webhook ItemProduce 09:30:00
post_webhook ItemPacked 12:00:00

step() { printf '> %s\n' "$*"; "$@"; }
step cpctl webhooks list -o table
step cpctl webhooks items -o table
