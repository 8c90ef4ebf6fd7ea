#!/usr/bin/env bash
# Takes one order of two items from registered to shipped, and pulls the network once on the way.
# Run it against the sandbox: cpctl sandbox run -- bash examples/ship-an-order.sh
set -euo pipefail

order=123456780000
items=(123456780001 123456780002)

step() { printf '\n$ %s\n' "$*"; "$@"; }

step cpctl signal registered "${items[@]}" --order $order
step cpctl signal produce "${items[@]}" --order $order
step cpctl signal produced "${items[@]}" --order $order

printf '\n# Somebody pulls the network cable ...\n'
cpctl sandbox fault down --quiet

step cpctl signal packed "${items[@]}" --order $order
step cpctl signal shipped "${items[@]}" --order $order --tracking 1A2B3C4D5E6F
step cpctl outbox check || echo "(exit status $?)"

printf '\n# ... and plugs it in again.\n'
cpctl sandbox fault clear --quiet

step cpctl outbox flush --verbose
step cpctl outbox check

printf '\n# What the service received, in order, with the times of the events:\n'
cpctl sandbox requests -o tsv --query '[?processed].body.items[]'
