#!/usr/bin/env bash
# An item is shipped; its webhook arrives over TLS, is stored, and is passed to a small program.
# Run it against the sandbox: cpctl sandbox run -- bash examples/receive-webhooks.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
cd "$folder"

# A certificate for this machine, and a program that is run for each event, with the event on standard input.
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout tls.key -out tls.pem 2>/dev/null
cat > note-it <<'PROGRAM'
#!/bin/sh
echo "$CPCTL_EVENT_TYPE of $CPCTL_EVENT_ITEM: $CPCTL_EVENT_TRACKING" >> noted
PROGRAM
chmod +x note-it

cpctl webhooks serve --port 0 --tls-cert tls.pem --tls-key tls.key --exec "$folder/note-it" --ready-file ready --quiet &
until [ -s ready ]; do kill -0 $! && sleep 0.1; done
cpctl sandbox webhooks --to "$(cat ready)/webhooks" --quiet

step() { printf '> %s\n' "$*"; "$@"; }
step cpctl signal shipped 123456780001 --order 123456780000 --tracking 1Z5R89390357567127 -o table
for _ in $(seq 100); do [ -s noted ] && break || sleep 0.1; done
step cpctl webhooks items --order 123456780000 -o table
step cat noted
