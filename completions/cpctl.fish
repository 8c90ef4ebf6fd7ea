# fish completion of cpctl. Written by `make docs`; `cpctl completion fish` prints it.
#
# Words that do not change stand here. Only profiles, references and ids are asked of
# cpctl (`cpctl __complete`), which looks at files of this machine and never at the network.
# No word is ever evaluated.

function __cpctl_shared --no-scope-shadowing # sets the options of every command: names, kind of the value (- for none), a sentence
    set shared '--profile,-p profiles Use this profile.' '--config files Use this configuration file.' \
        '--output,-o formats Output as table, tsv, json, jsonl, yaml, csv or value.' \
        '--query free Select a part of the result.' \
        '--dry-run,-n - Show the calls; send and store nothing.' \
        '--quiet,-q* - Show fewer messages; -qq hides warnings too.' \
        '--verbose,-v* - Show more messages.' '--debug - Show calls (keys masked) and tracebacks.' \
        '--timeout free Maximum time for one call.' '--no-input - Never prompt.' \
        '--color colors Use color: auto, always or never.' '--help,-h - Show this message and exit.'
end

function __cpctl_table --no-scope-shadowing # sets what may follow the command $path; fails where there is no such command
    set subcommands
    set switches
    set arguments
    switch "$path"
        case ''
            set subcommands 'signal Report production signals: registered, produced, shipped and others.' \
                'outbox Manage the signals that are accepted but not delivered yet.' \
                'orders Manage orders: list, show, add, cancel, wait.' \
                'quote Get the price and the shipping options of an order.' \
                'products List products and product mixes.' \
                'shipping List shipping levels, countries and states.' \
                'catalogs Manage catalogs of titles (CloudPublish).' \
                'titles Manage the titles of a catalog (CloudPublish).' \
                'profile Manage the profiles of the configuration file.' \
                'webhooks Receive webhooks, and show the received events.' \
                'service Print systemd units and cron lines that run cpctl as a service.' \
                'sandbox Run a simulated Cloudprinter on this machine, to try things out and to test scripts.' \
                'help Show the help of a command, or of a topic such as exit-codes.' \
                'explain Explain a call or a signal: its fields, key, responses, and an example.' \
                'api Call any path of the service; the right key is added.' \
                'whoami Show where calls go, and the source of every setting.' \
                'doctor Check configuration, keys, store, network, clock and machine.' \
                'completion Print the completion script of a shell.'
            set switches '--version,-V - Show the version.'
        case 'signal'
            set subcommands \
                'registered Report ItemRegistered: the item is received and accepted by the production.' \
                'produce Report ItemProduce: production of the item has started.' \
                'produced Report ItemProduced: production of the item is completed.' \
                'packed Report ItemPacked: the item is packed.' \
                'shipped Report ItemShipped: the item is on its way, with a tracking code.' \
                'delay Report ItemDelay: the item will be late; production recovers from it.' \
                'error Report ItemError: the item has a problem or an error.' \
                'canceled Report ItemCanceled: the item will not be produced.' \
                'order-registered Report OrderRegistered: the order is received and accepted by the production.' \
                'types List the signal types and their fields.' \
                'causes List the published causes of a cancellation.' \
                'history Show the accepted signals and what became of them.' \
                'report Show the numbers of a shift: what was reported, by whom, and how long items took.' \
                'send Report a file of signals; the same file again sends nothing twice.' \
                'watch Report every file that is put in a folder, and move it to done or error with its results.' \
                'scan Run a packing bench: scan items and labels, and report them.' \
                'sheet List the command barcodes of the packing bench, or write them as a page to print.'
        case 'signal registered'
            set switches '--order unfinished-orders Full id of the order of the items.' \
                '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'items*'
        case 'signal produce'
            set switches '--order unfinished-orders Full id of the order of the items.' \
                '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'items*'
        case 'signal produced'
            set switches '--order unfinished-orders Full id of the order of the items.' \
                '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'items*'
        case 'signal packed'
            set switches '--order unfinished-orders Full id of the order of the items.' \
                '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'items*'
        case 'signal shipped'
            set switches '--order unfinished-orders Full id of the order of the items.' \
                '--tracking free Tracking code of the parcel.' \
                '--shipping-option free Carrier of the parcel, such as GLS. [the profile\'s]' \
                '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'items*'
        case 'signal delay'
            set switches '--order unfinished-orders Full id of the order of the items.' \
                '--cause free Reason for the problem.' '--delay free Expected delay in whole hours.' \
                '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'items*'
        case 'signal error'
            set switches '--order unfinished-orders Full id of the order of the items.' \
                '--cause free Reason for the problem.' '--delay free Expected delay in whole hours.' \
                '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'items*'
        case 'signal canceled'
            set switches '--order unfinished-orders Full id of the order of the items.' \
                '--cause causes One of `cpctl signal causes`.' '--message free Message for the client.' \
                '--delay free Expected delay in whole hours.' \
                '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'items*'
        case 'signal order-registered'
            set switches '--at free Time of the event, ISO 8601; local without an offset. [now]' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--force - Send it even if it contradicts an earlier signal.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'unfinished-orders'
        case 'signal types'
        case 'signal causes'
        case 'signal history'
            set switches '--since free Include only entries since this time: 2026-01-20T13:00, 2h, 7d.' \
                '--item reported-items Show only signals of this item.' \
                '--order reported-orders Show only signals of this order.' \
                '--state* signal-states Show only this state; repeatable.' \
                '--limit free Show only the N most recent; 0 shows all.'
        case 'signal report'
            set switches '--date days today, yesterday or 2026-01-20.' '--from free Start of the shift.' \
                '--to free End of the shift; may be after midnight.' \
                '--station stations Count only this station.' \
                '--all-stations - Count every station; the default.' \
                '--operator operators Count only this operator.' \
                '--html files Write a page to print; - for standard output.'
        case 'signal send'
            set switches '--map presets+maps Column mapping: a preset, or one from the profile.' \
                '--type signal-types Signal type of rows that name none.' \
                '--set* assignments Set a field in every row; repeatable.' \
                '--encoding free Encoding of the file. [UTF-8, else cp1252]' \
                '--delimiter free Delimiter between cells. [detected in the header]' \
                '--no-header - The first line is a row, not a header; needs --columns.' \
                '--columns free Names of the columns if there is no header.' \
                '--partial - Accept valid rows even if other rows are wrong.' \
                '--connections free Number of connections for sending.' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--result files Write what became of each row to this file.'
            set arguments 'files'
        case 'signal watch'
            set switches '--map presets+maps Column mapping: a preset, or one from the profile.' \
                '--type signal-types Signal type of rows that name none.' \
                '--set* assignments Set a field in every row; repeatable.' \
                '--encoding free Encoding of the file. [UTF-8, else cp1252]' \
                '--delimiter free Delimiter between cells. [detected in the header]' \
                '--no-header - The first line is a row, not a header; needs --columns.' \
                '--columns free Names of the columns if there is no header.' \
                '--partial - Accept valid rows even if other rows are wrong.' \
                '--connections free Number of connections for sending.' \
                '--api-version versions CloudSignal 1.1 or 2.0.' \
                '--queue-only - Only accept; `outbox flush` sends later.' \
                '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--interval free Time between scans of the folder.' \
                '--settle free Process a file only after it has been unchanged for this long.' \
                '--once - Process the complete files, then exit; for cron.'
            set arguments 'folders'
        case 'signal scan'
            set switches '--type scanned-types registered, produce, produced, packed or shipped.' \
                '--order unfinished-orders Full id of the order of all items.' \
                '--hold free Time in which UNDO can take back a scan.' \
                '--sound sounds+commands Sound to play for each scan result.' \
                '--check - Test the scanner, keyboard layout, suffix and sound instead.'
        case 'signal sheet'
            set switches '--html files Write a page of barcodes to print.'
        case 'outbox'
            set subcommands 'list List signals that are not delivered: queued, held, refused and expired.' \
                'show Show everything that is known about signals.' \
                'flush Send the signals that wait, oldest first for each item.' \
                'retry Make signals due now, refused and expired ones too; `outbox flush` sends them.' \
                'hold Hold signals back, and with them the later signals of their items.' \
                'release Release held signals; without an ID, end the pause of the queue.' \
                'drop Give up signals for good; they are never sent and stay in the history.' \
                'export Write signals that are not delivered to a file, to take them to another machine.' \
                'import Import signals from an export, or what can still be read of a damaged store.' \
                'check Check the outbox as a monitoring plugin: exits with 0 OK, 1 warning, 2 critical, 3 unknown.'
        case 'outbox list'
            set switches '--state* signal-states Show only this state; repeatable.' \
                '--limit free Show only the N most recent; 0 shows all.'
        case 'outbox show'
            set arguments 'signal-ids*'
        case 'outbox flush'
            set switches '--require-delivery - Exit with 75 unless everything is delivered.' \
                '--watch - Run as a service: send until stopped.'
        case 'outbox retry'
            set switches '--all - Change every signal in a matching state, instead of IDs.'
            set arguments 'outbox-ids*'
        case 'outbox hold'
            set arguments 'outbox-ids*'
        case 'outbox release'
            set switches '--all - Change every signal in a matching state, instead of IDs.'
            set arguments 'outbox-ids*'
        case 'outbox drop'
            set switches '--yes,-y - Do not ask for confirmation.'
            set arguments 'outbox-ids*'
        case 'outbox export'
            set switches '--hold - Hold them here, so that only the other store sends.'
            set arguments 'files'
        case 'outbox import'
            set arguments 'files'
        case 'outbox check'
            set switches '--warn free Warn when the oldest signal waits this long.' \
                '--crit free Critical when the oldest waits this long.'
        case 'orders'
            set subcommands 'list List orders with their states.' \
                'info Show all details of orders: state, addresses, items, tracking.' \
                'add Add an order from a document, which is checked first. An order is never sent twice.' \
                'cancel Request cancellation of an order. A webhook or the order\'s state confirms it later.' \
                'log Show the states an order went through, and the time between them.' \
                'wait Wait until an order has reached a state.' 'states List the states of orders.'
        case 'orders list'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--state* order-states Show only this state; repeatable.' \
                '--since free Include only entries since this time: 2026-01-20T13:00, 2h, 7d.' \
                '--until free Include only entries before this time.' \
                '--limit free Show only the N most recent; 0 shows all.' '--api order-apis core or publish.'
        case 'orders info'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--api order-apis core or publish.'
            set arguments 'orders*'
        case 'orders add'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--check - Only check the document; send nothing.' \
                '--skeleton - Print a document to start from.' '--api order-apis core or publish.'
            set arguments 'files'
        case 'orders cancel'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--yes,-y - Do not ask for confirmation.' '--api order-apis core or publish.'
            set arguments 'open-orders'
        case 'orders log'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--api order-apis core or publish.'
            set arguments 'orders'
        case 'orders wait'
            set switches '--for order-states+order-ends State to wait for: number, code, or done.' \
                '--timeout free Longest time to wait, such as 90s or 2h.' \
                '--interval free Time between lookups of the order.'
            set arguments 'open-orders'
        case 'orders states'
        case 'quote'
            set subcommands 'get Request a quote: offers for each shipment, valid for 48 hours.' \
                'price Look up prices: the same as a quote, faster, with a rate limit.' 'info Show an offer.'
        case 'quote get'
            set switches '--country countries Country to ship to: two letters, ISO 3166-1.' \
                '--state country-states State, if the country requires one.' \
                '--currency currencies Currency of the prices: ISO 4217. [EUR]' \
                '--item* specs PRODUCT,count=1,pageblock_80off=120,total_pages=120; repeatable.' \
                '--level levels Choose the cheapest offer of this level for each shipment.' \
                '--cheapest - Choose the cheapest offer for each shipment.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'files'
        case 'quote price'
            set switches '--country countries Country to ship to: two letters, ISO 3166-1.' \
                '--state country-states State, if the country requires one.' \
                '--currency currencies Currency of the prices: ISO 4217. [EUR]' \
                '--item* specs PRODUCT,count=1,pageblock_80off=120,total_pages=120; repeatable.' \
                '--level levels Choose the cheapest offer of this level for each shipment.' \
                '--cheapest - Choose the cheapest offer for each shipment.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'files'
        case 'quote info'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'free'
        case 'products'
            set subcommands 'list List the products enabled for the account.' \
                'info Show options, files and measures of products.' \
                'mixes List the product mixes of CloudPublish.' \
                'mix Show the product and the options of product mixes.'
        case 'products list'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--category categories Only products of this category.' \
                '--search free Show only entries that contain this text, in any case.'
        case 'products info'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'products*'
        case 'products mixes'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--search free Show only entries that contain this text, in any case.'
        case 'products mix'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'mixes*'
        case 'shipping'
            set subcommands 'levels List the shipping levels.' \
                'countries List the countries that can be shipped to, and whether they require a state.' \
                'states List the states of a country.'
        case 'shipping levels'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.'
        case 'shipping countries'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--search free Show only entries that contain this text, in any case.'
        case 'shipping states'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'countries'
        case 'catalogs'
            set subcommands 'list List the catalogs of the account.' \
                'info Show catalogs with the number of their titles.' 'add Add a catalog.' \
                'remove Remove a catalog. Its titles are no longer available in it.'
        case 'catalogs list'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--search free Show only entries that contain this text, in any case.'
        case 'catalogs info'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'catalogs*'
        case 'catalogs add'
            set switches '--name free Name, at most 64 characters.' \
                '--note free Description, at most 256 characters.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'free'
        case 'catalogs remove'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--yes,-y - Do not ask for confirmation.'
            set arguments 'catalogs'
        case 'titles'
            set subcommands 'list List the titles of a catalog.' 'info Show titles with their files.' \
                'add Add a title.' 'remove Remove a title from the account.'
        case 'titles list'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--search free Show only entries that contain this text, in any case.'
            set arguments 'catalogs'
        case 'titles info'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'titles*'
        case 'titles add'
            set switches '--name free Name, at most 64 characters.' \
                '--note free Description, at most 256 characters.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'free'
        case 'titles remove'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--yes,-y - Do not ask for confirmation.'
            set arguments 'titles'
        case 'profile'
            set subcommands 'init Create a profile; prompt for what no option gives.' \
                'list List the profiles, and which one is the default.' \
                'show Show every setting of the profile with its source, and the last characters of each key.' \
                'set-key Write a key to the key file of the profile; prompt for it, or read it from standard input.' \
                'use Make a profile the default.' \
                'path Show the paths of configuration and store, and what set them.' \
                'check Check the configuration and every profile in it; nothing is sent.'
        case 'profile init'
            set switches '--environment environments live or sandbox: a label for people.' \
                '--base-url free Address of the service, if not the usual.' \
                '--core-key-file files File that holds this key, readable only by you.' \
                '--core-key-command commands Command whose first line of output is this key.' \
                '--signal-key-file files File that holds this key, readable only by you.' \
                '--signal-key-command commands Command whose first line of output is this key.' \
                '--webhooks-key-file files File that holds this key, readable only by you.' \
                '--webhooks-key-command commands Command whose first line of output is this key.' \
                '--later* key-services Leave out this key: it comes from the environment, or later; repeatable.' \
                '--shipping-option free Shipping option of parcels, such as GLS.' \
                '--signal-version versions Version of CloudSignal: 2.0 or 1.1.' \
                '--default - Make the new profile the default.' \
                '--force - Replace an existing profile of this name.' \
                '--no-check - Do not try the core key with a read-only call.'
            set arguments 'free'
        case 'profile list'
        case 'profile show'
        case 'profile set-key'
            set switches '--check - Try a core key with a read-only call; keep it only if it is accepted.'
            set arguments 'key-services' 'free'
        case 'profile use'
            set arguments 'profiles'
        case 'profile path'
        case 'profile check'
        case 'webhooks'
            set subcommands \
                'serve Receive webhooks: check the key, store the event, respond, then deliver it to targets.' \
                'list List received events, in the order in which they happened.' \
                'show Show events in full: their fields, how many times they were received, and their targets.' \
                'tail Show the last events, one per line; as JSONL if the output is not a terminal.' \
                'items Show the latest known state of each item and order. The item of an order is empty.' \
                'replay Send stored events again, and show the responses.' \
                'export Export events as JSONL, in the order of their arrival.' \
                'prune Delete old events that every target has accepted. The latest states of items stay.' \
                'types List the webhook types and their fields.'
        case 'webhooks serve'
            set switches '--host free Address to listen on.' '--port free Port to listen on; 0 for a free one.' \
                '--tls-cert files TLS certificate with its chain (PEM).' \
                '--tls-key files Private key of the certificate (PEM).' \
                '--behind-proxy - Trust a local proxy to handle TLS and name the sender.' \
                '--max-connections free Maximum concurrent connections; beyond it, requests get 503.' \
                '--request-seconds free Close connections that are slow or idle for this long.' \
                '--ready-file files Write the address to this file once the server listens.' \
                '--log-format log-formats Format of the log: text or json.' \
                '--public-status - Show /health and /metrics to other machines, too.' \
                '--forward-to* free Post each event to this URL; repeatable.' \
                '--exec* commands Run this for each event, as JSON on stdin; repeatable.' \
                '--delivery-seconds free Time limit for one delivery; default 10 for a URL, 60 for a command.' \
                '--with-key - Forward with the webhook key in the body, as it was received.' \
                '--known-orders - Answer 204 for orders that this store does not know.'
        case 'webhooks list'
            set switches '--type* webhook-types Only events of this type; repeatable.' \
                '--order received-orders Only this order, by its id or reference.' \
                '--item received-items Only this item, by its id or reference.' \
                '--reference received-references Only this reference of an order or of an item.' \
                '--since free Include only entries since this time: 2026-01-20T13:00, 2h, 7d.' \
                '--until free Include only entries before this time.' \
                '--undelivered - Only events that a target has not accepted.' \
                '--limit free Show only the N most recent; 0 shows all.'
        case 'webhooks show'
            set arguments 'event-ids*'
        case 'webhooks tail'
            set switches '--type* webhook-types Only events of this type; repeatable.' \
                '--order received-orders Only this order, by its id or reference.' \
                '--item received-items Only this item, by its id or reference.' \
                '--reference received-references Only this reference of an order or of an item.' \
                '--since free Include only entries since this time: 2026-01-20T13:00, 2h, 7d.' \
                '--until free Include only entries before this time.' \
                '--undelivered - Only events that a target has not accepted.' \
                '--follow,-f - Show each new event as it arrives.' \
                '--lines free Start with this many of the last events.'
        case 'webhooks items'
            set switches '--order received-orders Only this order, by its id or reference.' \
                '--item received-items Only this item, by its id or reference.' \
                '--latest* webhook-types Only where the latest event has this type; repeatable.'
        case 'webhooks replay'
            set switches '--to free Post them to this URL instead of their targets.' \
                '--with-key - Add the profile\'s webhook key, as the service does.'
            set arguments 'event-ids*'
        case 'webhooks export'
            set switches '--type* webhook-types Only events of this type; repeatable.' \
                '--order received-orders Only this order, by its id or reference.' \
                '--item received-items Only this item, by its id or reference.' \
                '--reference received-references Only this reference of an order or of an item.' \
                '--since free Include only entries since this time: 2026-01-20T13:00, 2h, 7d.' \
                '--until free Include only entries before this time.' \
                '--undelivered - Only events that a target has not accepted.'
            set arguments 'files'
        case 'webhooks prune'
            set switches '--older-than free Delete events received longer ago; 8d or more.' \
                '--drop-target free Stop delivering to a target that no longer exists.' \
                '--yes,-y - Do not ask for confirmation.'
        case 'webhooks types'
        case 'service'
            set subcommands 'print Print systemd units, or a line for cron, that keep cpctl running.'
        case 'service print'
            set switches '--user - Print user units, for `systemctl --user`.' \
                '--timer - Run it by a timer instead of all the time.' \
                '--every free Time between runs of the timer or cron; default 2m.' \
                '--cron - Print only the line for your crontab.' \
                '--run-as free Account that runs a system unit.' '--name free Name of the unit.' \
                '--write folders Write the unit files to this folder.' '--force - Overwrite existing files.'
            set arguments 'runnable-services' 'free*'
        case 'sandbox'
            set subcommands \
                'serve Run a sandbox until it is stopped; prints the variables to use it from a shell.' \
                'run Run a command with a new sandbox, configuration and store; exit with its status.' \
                'reset Reset a running sandbox: new orders, no requests, no webhooks, no faults.' \
                'fault Inject a fault into a running sandbox, clear all with `clear`, or list the active ones.' \
                'requests List the requests that a running sandbox received; keys are masked.' \
                'orders List the orders of a running sandbox, with the latest signal of each item.' \
                'advance Advance the clock of a running sandbox: orders progress, quotes expire, webhooks are retried.' \
                'trigger Make a running sandbox send one webhook to its receiver.' \
                'webhooks List the webhooks of a running sandbox with their delivery, or set their receiver.'
        case 'sandbox serve'
            set switches '--orders free Number of orders to start with.' \
                '--items free Number of items per order.' \
                '--dialect dialects Respond as the live service does, or as documented.' \
                '--webhook-url free Send webhooks to this URL on this machine.' \
                '--webhook-version webhook-versions 2.0, or 2.1 with the tracking URL of a parcel.' \
                '--port free Port to listen on; 0 for a free one.' \
                '--ready-file files Write the URL to this file once it listens.'
        case 'sandbox run'
            set switches '--orders free Number of orders to start with.' \
                '--items free Number of items per order.' \
                '--dialect dialects Respond as the live service does, or as documented.' \
                '--webhook-url free Send webhooks to this URL on this machine.' \
                '--webhook-version webhook-versions 2.0, or 2.1 with the tracking URL of a parcel.'
            set arguments 'command-line*'
        case 'sandbox reset'
            set switches '--orders free New number of orders.' '--items free New number of items per order.'
        case 'sandbox fault'
            set switches '--path paths Apply only to paths with this prefix.' \
                '--times free Number of requests; 0: until it is cleared.' \
                '--status fault-statuses HTTP status of the response.' \
                '--retry-after free Retry-After header: seconds or an HTTP date.' \
                '--seconds free Seconds to wait; for slow-drip, between bytes.'
            set arguments 'faults'
        case 'sandbox requests'
            set switches '--limit free Show only the N most recent; 0 shows all.'
        case 'sandbox orders'
        case 'sandbox advance'
            set arguments 'free'
        case 'sandbox trigger'
            set switches '--order unfinished-orders Order; default: the first.' \
                '--item items Item; default: the first.' \
                '--field,-f* free Add a field that cpctl does not know; repeatable.'
            set arguments 'webhook-types'
        case 'sandbox webhooks'
            set switches '--to free Send webhooks to this URL on this machine.'
        case 'help'
            set arguments 'topics*'
        case 'explain'
            set switches '--api order-apis API of the call: core or publish.'
            set arguments 'calls*'
        case 'api'
            set switches '--field,-f* free Add a field that cpctl does not know; repeatable.' \
                '--input files Send this JSON object.' '--service services Service: core, publish or signal.'
            set arguments 'endpoints'
        case 'whoami'
        case 'doctor'
            set switches '--offline - Skip the checks that need the network.' \
                '--bundle files Write a zip file for a bug report, without keys.' \
                '--force - Replace the file of --bundle.'
        case 'completion'
            set arguments 'shells'
        case '*'
            return 1
    end
    return 0
end

function __cpctl_known --no-scope-shadowing # sets the words of the kind $kind; fails for a kind that has to be asked for
    set found
    switch "$kind"
        case 'formats'
            set found 'table for people; the default on a terminal' \
                'tsv tab-separated with a header, never cut; the default elsewhere' 'json all the data' \
                'jsonl all the data, one JSON value per line' 'yaml all the data' \
                'csv comma-separated with a header' 'value one value per line, chosen with --query'
        case 'colors'
            set found 'auto' 'always' 'never'
        case 'countries'
            set found 'AD Andorra' 'AE United Arab Emirates' 'AF Afghanistan' 'AG Antigua and Barbuda' \
                'AI Anguilla' 'AL Albania' 'AM Armenia' 'AO Angola' 'AQ Antarctica' 'AR Argentina' \
                'AS American Samoa' 'AT Austria' 'AU Australia' 'AW Aruba' 'AX Åland Islands' 'AZ Azerbaijan' \
                'BA Bosnia and Herzegovina' 'BB Barbados' 'BD Bangladesh' 'BE Belgium' 'BF Burkina Faso' \
                'BG Bulgaria' 'BH Bahrain' 'BI Burundi' 'BJ Benin' 'BL Saint Barthelemy' 'BM Bermuda' \
                'BN Brunei' 'BO Bolivia' 'BQ Caribbean Netherlands' 'BR Brazil' 'BS Bahamas' 'BT Bhutan' \
                'BV Bouvet Island' 'BW Botswana' 'BY Belarus' 'BZ Belize' 'CA Canada' 'CC Cocos Islands' \
                'CD Democratic Republic of the Congo' 'CF Central African Republic' 'CG Republic of the Congo' \
                'CH Switzerland' 'CI Côte d\'Ivoire' 'CK Cook Islands' 'CL Chile' 'CM Cameroon' 'CN China' \
                'CO Colombia' 'CR Costa Rica' 'CU Cuba' 'CV Cabo Verde' 'CW Curaçao' 'CX Christmas Island' \
                'CY Cyprus' 'CZ Czechia' 'DE Germany' 'DJ Djibouti' 'DK Denmark' 'DM Dominica' \
                'DO Dominican Republic' 'DZ Algeria' 'EC Ecuador' 'EE Estonia' 'EG Egypt' 'EH Western Sahara' \
                'ER Eritrea' 'ES Spain' 'ET Ethiopia' 'FI Finland' 'FJ Fiji' 'FK Falkland Islands' \
                'FM Micronesia' 'FO Faroe Islands' 'FR France' 'GA Gabon' 'GB United Kingdom' 'GD Grenada' \
                'GE Georgia' 'GF French Guiana' 'GG Guernsey' 'GH Ghana' 'GI Gibraltar' 'GL Greenland' \
                'GM Gambia' 'GN Guinea' 'GP Guadeloupe' 'GQ Equatorial Guinea' 'GR Greece' \
                'GS South Georgia and the South Sandwich Islands' 'GT Guatemala' 'GU Guam' 'GW Guinea-Bissau' \
                'GY Guyana' 'HK Hong Kong' 'HM Heard Island and McDonald Islands' 'HN Honduras' 'HR Croatia' \
                'HT Haiti' 'HU Hungary' 'ID Indonesia' 'IE Ireland' 'IL Israel' 'IM Isle of Man' 'IN India' \
                'IO British Indian Ocean Territory' 'IQ Iraq' 'IR Iran' 'IS Iceland' 'IT Italy' 'JE Jersey' \
                'JM Jamaica' 'JO Jordan' 'JP Japan' 'KE Kenya' 'KG Kyrgyzstan' 'KH Cambodia' 'KI Kiribati' \
                'KM Comoros' 'KN Saint Kitts and Nevis' 'KP North Korea' 'KR South Korea' 'KW Kuwait' \
                'KY Cayman Islands' 'KZ Kazakhstan' 'LA Laos' 'LB Lebanon' 'LC Saint Lucia' 'LI Liechtenstein' \
                'LK Sri Lanka' 'LR Liberia' 'LS Lesotho' 'LT Lithuania' 'LU Luxembourg' 'LV Latvia' 'LY Libya' \
                'MA Morocco' 'MC Monaco' 'MD Moldova' 'ME Montenegro' 'MF Saint Martin' 'MG Madagascar' \
                'MH Marshall Islands' 'MK North Macedonia' 'ML Mali' 'MM Myanmar' 'MN Mongolia' 'MO Macau' \
                'MP Northern Mariana Islands' 'MQ Martinique' 'MR Mauritania' 'MS Montserrat' 'MT Malta' \
                'MU Mauritius' 'MV Maldives' 'MW Malawi' 'MX Mexico' 'MY Malaysia' 'MZ Mozambique' 'NA Namibia' \
                'NC New Caledonia' 'NE Niger' 'NF Norfolk Island' 'NG Nigeria' 'NI Nicaragua' 'NL Netherlands' \
                'NO Norway' 'NP Nepal' 'NR Nauru' 'NU Niue' 'NZ New Zealand' 'OM Oman' 'PA Panama' 'PE Peru' \
                'PF French Polynesia' 'PG Papua New Guinea' 'PH Philippines' 'PK Pakistan' 'PL Poland' \
                'PM Saint Pierre and Miquelon' 'PN Pitcairn' 'PR Puerto Rico' 'PS Palestine' 'PT Portugal' \
                'PW Palau' 'PY Paraguay' 'QA Qatar' 'RE Réunion' 'RO Romania' 'RS Serbia' 'RU Russia' \
                'RW Rwanda' 'SA Saudi Arabia' 'SB Solomon Islands' 'SC Seychelles' 'SD Sudan' 'SE Sweden' \
                'SG Singapore' 'SH Saint Helena' 'SI Slovenia' 'SJ Svalbard and Jan Mayen' 'SK Slovakia' \
                'SL Sierra Leone' 'SM San Marino' 'SN Senegal' 'SO Somalia' 'SR Suriname' 'SS South Sudan' \
                'ST Sao Tome and Principe' 'SV El Salvador' 'SX Sint Maarten' 'SY Syria' 'SZ Eswatini' \
                'TC Turks and Caicos Islands' 'TD Chad' 'TF French Southern Territories' 'TG Togo' 'TH Thailand' \
                'TJ Tajikistan' 'TK Tokelau' 'TL Timor-Leste' 'TM Turkmenistan' 'TN Tunisia' 'TO Tonga' \
                'TR Türkiye' 'TT Trinidad and Tobago' 'TV Tuvalu' 'TW Taiwan' 'TZ Tanzania' 'UA Ukraine' \
                'UG Uganda' 'UM US Minor Outlying Islands' 'US United States' 'UY Uruguay' 'UZ Uzbekistan' \
                'VA Vatican City' 'VC Saint Vincent and the Grenadines' 'VE Venezuela' \
                'VG British Virgin Islands' 'VI US Virgin Islands' 'VN Vietnam' 'VU Vanuatu' \
                'WF Wallis and Futuna' 'WS Samoa' 'YE Yemen' 'YT Mayotte' 'ZA South Africa' 'ZM Zambia' \
                'ZW Zimbabwe'
        case 'currencies'
            set found 'AED UAE dirham' 'AFN Afghan afghani' 'ALL Albanian lek' 'AMD Armenian dram' \
                'AOA Angolan kwanza' 'ARS Argentine peso' 'AUD Australian dollar' 'AWG Aruban florin' \
                'AZN Azerbaijani manat' 'BAM Bosnian convertible mark' 'BBD Barbados dollar' \
                'BDT Bangladeshi taka' 'BHD Bahraini dinar' 'BIF Burundian franc' 'BMD Bermudian dollar' \
                'BND Brunei dollar' 'BOB Bolivian boliviano' 'BRL Brazilian real' 'BSD Bahamian dollar' \
                'BTN Bhutanese ngultrum' 'BWP Botswana pula' 'BYN Belarusian ruble' 'BZD Belize dollar' \
                'CAD Canadian dollar' 'CDF Congolese franc' 'CHF Swiss franc' 'CLP Chilean peso' \
                'CNY Chinese yuan' 'COP Colombian peso' 'CRC Costa Rican colon' 'CUP Cuban peso' \
                'CVE Cabo Verde escudo' 'CZK Czech koruna' 'DJF Djibouti franc' 'DKK Danish krone' \
                'DOP Dominican peso' 'DZD Algerian dinar' 'EGP Egyptian pound' 'ERN Eritrean nakfa' \
                'ETB Ethiopian birr' 'EUR Euro' 'FJD Fiji dollar' 'FKP Falkland Islands pound' \
                'GBP Pound sterling' 'GEL Georgian lari' 'GHS Ghanaian cedi' 'GIP Gibraltar pound' \
                'GMD Gambian dalasi' 'GNF Guinean franc' 'GTQ Guatemalan quetzal' 'GYD Guyanese dollar' \
                'HKD Hong Kong dollar' 'HNL Honduran lempira' 'HTG Haitian gourde' 'HUF Hungarian forint' \
                'IDR Indonesian rupiah' 'ILS Israeli shekel' 'INR Indian rupee' 'IQD Iraqi dinar' \
                'IRR Iranian rial' 'ISK Icelandic krona' 'JMD Jamaican dollar' 'JOD Jordanian dinar' \
                'JPY Japanese yen' 'KES Kenyan shilling' 'KGS Kyrgyz som' 'KHR Cambodian riel' \
                'KMF Comorian franc' 'KPW North Korean won' 'KRW South Korean won' 'KWD Kuwaiti dinar' \
                'KYD Cayman Islands dollar' 'KZT Kazakh tenge' 'LAK Lao kip' 'LBP Lebanese pound' \
                'LKR Sri Lankan rupee' 'LRD Liberian dollar' 'LSL Lesotho loti' 'LYD Libyan dinar' \
                'MAD Moroccan dirham' 'MDL Moldovan leu' 'MGA Malagasy ariary' 'MKD Macedonian denar' \
                'MMK Myanmar kyat' 'MNT Mongolian tugrik' 'MOP Macau pataca' 'MRU Mauritanian ouguiya' \
                'MUR Mauritian rupee' 'MVR Maldivian rufiyaa' 'MWK Malawian kwacha' 'MXN Mexican peso' \
                'MYR Malaysian ringgit' 'MZN Mozambican metical' 'NAD Namibian dollar' 'NGN Nigerian naira' \
                'NIO Nicaraguan cordoba' 'NOK Norwegian krone' 'NPR Nepalese rupee' 'NZD New Zealand dollar' \
                'OMR Omani rial' 'PAB Panamanian balboa' 'PEN Peruvian sol' 'PGK Papua New Guinean kina' \
                'PHP Philippine peso' 'PKR Pakistani rupee' 'PLN Polish zloty' 'PYG Paraguayan guarani' \
                'QAR Qatari riyal' 'RON Romanian leu' 'RSD Serbian dinar' 'RUB Russian ruble' \
                'RWF Rwandan franc' 'SAR Saudi riyal' 'SBD Solomon Islands dollar' 'SCR Seychelles rupee' \
                'SDG Sudanese pound' 'SEK Swedish krona' 'SGD Singapore dollar' 'SHP Saint Helena pound' \
                'SLE Sierra Leonean leone' 'SOS Somali shilling' 'SRD Surinamese dollar' \
                'SSP South Sudanese pound' 'STN Sao Tome dobra' 'SVC Salvadoran colon' 'SYP Syrian pound' \
                'SZL Swazi lilangeni' 'THB Thai baht' 'TJS Tajik somoni' 'TMT Turkmen manat' \
                'TND Tunisian dinar' 'TOP Tongan paanga' 'TRY Turkish lira' 'TTD Trinidad and Tobago dollar' \
                'TWD New Taiwan dollar' 'TZS Tanzanian shilling' 'UAH Ukrainian hryvnia' 'UGX Ugandan shilling' \
                'USD US dollar' 'UYU Uruguayan peso' 'UZS Uzbek sum' 'VED Venezuelan digital bolivar' \
                'VES Venezuelan bolivar' 'VND Vietnamese dong' 'VUV Vanuatu vatu' 'WST Samoan tala' \
                'XAF Central African CFA franc' 'XCD East Caribbean dollar' 'XCG Caribbean guilder' \
                'XOF West African CFA franc' 'XPF CFP franc' 'YER Yemeni rial' 'ZAR South African rand' \
                'ZMW Zambian kwacha' 'ZWG Zimbabwe gold'
        case 'order-states'
            set found 'new new, not processed' 'verify being verified' 'verified verified' \
                'verify_error verification failed' 'download files are being downloaded' \
                'download_error files could not be downloaded' 'downloaded files are downloaded' \
                'render being rendered' 'render_error rendering failed' 'rendered rendered' \
                'distribute files are being distributed' 'distributed files are distributed' \
                'distribute_error files could not be distributed' 'create files are being created' \
                'created files are created' 'create_error files could not be created' \
                'upload files are being uploaded' 'upload_error files could not be uploaded' \
                'uploaded files are uploaded; in production' 'complete complete: all items shipped or delivered' \
                'canceled canceled' 'sandbox_complete complete, in the sandbox mode of a key'
        case 'order-ends'
            set found 'done complete, by either API'
        case 'order-apis'
            set found 'core CloudCore' 'publish CloudPublish'
        case 'versions'
            set found '1.1' '2.0'
        case 'dialects'
            set found 'live' 'documented'
        case 'presets'
            set found 'ups-worldship UPS WorldShip, exported automatically after processing' \
                'dhl DHL business portal: list of shipments' 'gls GLS: list of parcels' \
                'dpd DPD: list of parcels' 'sendcloud Sendcloud: report of parcels' \
                'shipstation ShipStation: export of shipments'
        case 'signal-states'
            set found 'queued safe in the store; sent by `outbox flush`' \
                'held safe in the store; not sent until it is released' 'delivered the service has it' \
                'refused the service says it is wrong; not sent again unless asked for' \
                'expired not delivered in 7 days; not sent again unless asked for' \
                'dropped taken out of the outbox by hand; never sent'
        case 'signal-types'
            set found 'OrderRegistered the order is received and accepted by the production' \
                'ItemRegistered the item is received and accepted by the production' \
                'ItemProduce production of the item has started' \
                'ItemProduced production of the item is completed' 'ItemPacked the item is packed' \
                'ItemShipped the item is on its way, with a tracking code' \
                'ItemDelay the item will be late; production recovers from it' \
                'ItemError the item has a problem or an error' 'ItemCanceled the item will not be produced'
        case 'scanned-types'
            set found 'registered' 'produce' 'produced' 'packed' 'shipped'
        case 'days'
            set found 'today' 'yesterday'
        case 'sounds'
            set found 'bell the terminal\'s bell' 'none no sound'
        case 'assignments'
            set found 'order= full order id' 'item= full item id' 'tracking= tracking code of the parcel' \
                'shipping_option= carrier of the parcel, such as GLS' 'cause= reason for the problem' \
                'message= message for the client' 'delay= expected delay in whole hours'
        case 'causes'
            set found 'CancelCoverSpine wrong cover spine width' \
                'CancelBookSize wrong size or orientation of the book' \
                'CancelCoverSize wrong size or orientation of the cover' \
                'CancelBookCorrupt corrupt book block file' 'CancelCoverCorrupt corrupt cover file' \
                'CancelBookTrim wrong trim size of the book block' \
                'CancelCoverTrim wrong trim size of the cover' \
                'CancelPageCount wrong page count in the book block' 'CancelUnknownFont unknown fonts' \
                'CancelBookMargins wrong margins in the book block' \
                'CancelCoverMargins wrong margins on the cover' 'CancelBookRip RIP error in the book block' \
                'CancelCoverRip RIP error in the cover' 'CancelUserRequest the customer asked for it' \
                'CancelInkjetCoverage inkjet coverage too high' \
                'CancelDownloadError the files could not be downloaded' \
                'CancelValidateError the files could not be validated' \
                'CancelInvalidAddress invalid shipping address' 'CancelTestOrder the order is a test' \
                'CancelFilesCorrupt corrupt files' 'CancelMiscError another error'
        case 'faults'
            set found 'latency the request is processed at once, the response is delayed' \
                'status the response has that status; nothing is processed' \
                'reset-before the connection is reset before the request is processed' \
                'reset-after the request is processed, then the connection is reset' \
                'truncated the request is processed, the response is cut off' \
                'invalid-json the request is processed, the response is not JSON' \
                'slow-drip the request is processed, the response arrives byte by byte' \
                'down the network is down: connections are cut and refused' 'clear end all faults'
        case 'fault-statuses'
            set found '400 the service refused the request' '401 the service refused the key' \
                '403 the service refused the key' '404 there is no CloudSignal at this address' \
                '409 the service refused the request' '410 there is no CloudSignal at this address' \
                '422 the service refused the request' '429 rate limit exceeded' '500 the service failed' \
                '502 the service failed' '503 the service is unavailable' '504 the service failed'
        case 'webhook-types'
            set found 'CloudprinterOrderValidated' 'CloudprinterOrderCanceled' 'ItemValidated' 'ItemProduce' \
                'ItemProduced' 'ItemPacked' 'ItemShipped' 'ItemError' 'ItemCanceled' 'ItemDeliveryStarted' \
                'ItemDeliveryFailed' 'ItemDeliveryCompleted'
        case 'webhook-versions'
            set found '2.0' '2.1'
        case 'log-formats'
            set found 'text' 'json'
        case 'topics'
            set found 'signals What can be reported about an item, and how.' \
                'outbox What happens to a signal until it is delivered.' \
                'scan The packing bench: scanner, screen, command codes.' \
                'files Files of signals, their columns, and hot folders.' \
                'webhooks How to receive what Cloudprinter reports.' \
                'sandbox The simulated Cloudprinter on this machine, and its faults.' \
                'configuration The configuration file: every setting of a profile.' \
                'keys The three keys, and where to keep them.' \
                'environment Every environment variable that cpctl reads.' \
                'output Formats, queries, color, and the two output streams.' \
                'exit-codes What each exit status means.' \
                'signal Report production signals: registered, produced, shipped and others.' \
                'outbox Manage the signals that are accepted but not delivered yet.' \
                'orders Manage orders: list, show, add, cancel, wait.' \
                'quote Get the price and the shipping options of an order.' \
                'products List products and product mixes.' \
                'shipping List shipping levels, countries and states.' \
                'catalogs Manage catalogs of titles (CloudPublish).' \
                'titles Manage the titles of a catalog (CloudPublish).' \
                'profile Manage the profiles of the configuration file.' \
                'webhooks Receive webhooks, and show the received events.' \
                'service Print systemd units and cron lines that run cpctl as a service.' \
                'sandbox Run a simulated Cloudprinter on this machine, to try things out and to test scripts.' \
                'help Show the help of a command, or of a topic such as exit-codes.' \
                'explain Explain a call or a signal: its fields, key, responses, and an example.' \
                'api Call any path of the service; the right key is added.' \
                'whoami Show where calls go, and the source of every setting.' \
                'doctor Check configuration, keys, store, network, clock and machine.' \
                'completion Print the completion script of a shell.'
        case 'environments'
            set found 'live' 'sandbox'
        case 'key-services'
            set found 'core orders, quotes, products, catalogs and titles' \
                'signal signals from production; never the same key as core' \
                'webhooks incoming webhooks from Cloudprinter must carry it'
        case 'calls'
            set found 'signal.order-registered' 'signal.registered' 'signal.produce' 'signal.produced' \
                'signal.packed' 'signal.shipped' 'signal.delay' 'signal.error' 'signal.canceled' 'orders.list' \
                'orders.info' 'orders.add' 'orders.cancel' 'orders.log' 'quote.get' 'quote.info' 'quote.price' \
                'products.list' 'products.info' 'shipping.levels' 'shipping.countries' 'shipping.states' \
                'catalogs.list' 'catalogs.info' 'catalogs.add' 'catalogs.remove' 'titles.list' 'titles.info' \
                'titles.add' 'titles.remove' 'products.mixes' 'products.mix' 'publish.orders.list' \
                'publish.orders.info' 'publish.orders.add' 'publish.orders.cancel' 'publish.orders.log' \
                'webhook.CloudprinterOrderValidated' 'webhook.CloudprinterOrderCanceled' 'webhook.ItemValidated' \
                'webhook.ItemProduce' 'webhook.ItemProduced' 'webhook.ItemPacked' 'webhook.ItemShipped' \
                'webhook.ItemError' 'webhook.ItemCanceled' 'webhook.ItemDeliveryStarted' \
                'webhook.ItemDeliveryFailed' 'webhook.ItemDeliveryCompleted'
        case 'runnable-services'
            set found 'outbox' 'webhooks'
        case 'paths'
            set found '/cloudsignal/2.0/status/' '/1.1/status/' '/cloudsignal/1.1/status/' \
                '/cloudcore/1.0/orders/' '/cloudcore/1.0/orders/info' '/cloudcore/1.0/orders/add' \
                '/cloudcore/1.0/orders/cancel' '/cloudcore/1.0/orders/log' '/cloudcore/1.0/orders/quote' \
                '/cloudcore/1.0/orders/quote/info' '/cloudcore/1.0/prices/lookup' '/cloudcore/1.0/products' \
                '/cloudcore/1.0/products/info' '/cloudcore/1.0/shipping/levels' \
                '/cloudcore/1.0/shipping/countries' '/cloudcore/1.0/shipping/states' \
                '/cloudpublish/1.0/catalogs' '/cloudpublish/1.0/catalogs/info' '/cloudpublish/1.0/catalogs/add' \
                '/cloudpublish/1.0/catalogs/remove' '/cloudpublish/1.0/titles' '/cloudpublish/1.0/titles/info' \
                '/cloudpublish/1.0/titles/add' '/cloudpublish/1.0/titles/remove' \
                '/cloudpublish/1.0/products/mixes' '/cloudpublish/1.0/products/mixes/info' \
                '/cloudpublish/1.0/orders'
        case 'endpoints'
            set found '/cloudsignal/2.0/status/' '/1.1/status/' '/cloudsignal/1.1/status/' 'orders/' \
                'orders/info' 'orders/add' 'orders/cancel' 'orders/log' 'orders/quote' 'orders/quote/info' \
                'prices/lookup' 'products' 'products/info' 'shipping/levels' 'shipping/countries' \
                'shipping/states' '/cloudpublish/1.0/catalogs' '/cloudpublish/1.0/catalogs/info' \
                '/cloudpublish/1.0/catalogs/add' '/cloudpublish/1.0/catalogs/remove' '/cloudpublish/1.0/titles' \
                '/cloudpublish/1.0/titles/info' '/cloudpublish/1.0/titles/add' '/cloudpublish/1.0/titles/remove' \
                '/cloudpublish/1.0/products/mixes' '/cloudpublish/1.0/products/mixes/info' \
                '/cloudpublish/1.0/orders'
        case 'services'
            set found 'core' 'publish' 'signal'
        case 'shells'
            set found 'bash' 'zsh' 'fish'
        case 'states-US'
            set found 'AL Alabama' 'AK Alaska' 'AZ Arizona' 'AR Arkansas' 'CA California' 'CO Colorado' \
                'CT Connecticut' 'DE Delaware' 'DC District of Columbia' 'FL Florida' 'GA Georgia' 'HI Hawaii' \
                'ID Idaho' 'IL Illinois' 'IN Indiana' 'IA Iowa' 'KS Kansas' 'KY Kentucky' 'LA Louisiana' \
                'ME Maine' 'MD Maryland' 'MA Massachusetts' 'MI Michigan' 'MN Minnesota' 'MS Mississippi' \
                'MO Missouri' 'MT Montana' 'NE Nebraska' 'NV Nevada' 'NH New Hampshire' 'NJ New Jersey' \
                'NM New Mexico' 'NY New York' 'NC North Carolina' 'ND North Dakota' 'OH Ohio' 'OK Oklahoma' \
                'OR Oregon' 'PA Pennsylvania' 'RI Rhode Island' 'SC South Carolina' 'SD South Dakota' \
                'TN Tennessee' 'TX Texas' 'UT Utah' 'VT Vermont' 'VA Virginia' 'WA Washington' \
                'WV West Virginia' 'WI Wisconsin' 'WY Wyoming' 'AS American Samoa' \
                'FM Federated States of Micronesia' 'GU Guam' 'MH Marshall Islands' \
                'MP Northern Mariana Islands' 'PR Puerto Rico' 'PW Palau' 'UM US Minor Outlying Islands' \
                'VI US Virgin Islands' 'AA Armed Forces Americas' 'AE Armed Forces Europe' \
                'AP Armed Forces Pacific'
        case 'states-CA'
            set found 'AB Alberta' 'BC British Columbia' 'MB Manitoba' 'NB New Brunswick' \
                'NL Newfoundland and Labrador' 'NS Nova Scotia' 'NT Northwest Territories' 'NU Nunavut' \
                'ON Ontario' 'PE Prince Edward Island' 'QC Quebec' 'SK Saskatchewan' 'YT Yukon'
        case 'states-AE'
            set found 'AJ Ajman' 'AZ Abu Dhabi' 'DU Dubai' 'FU Fujairah' 'RK Ras al-Khaimah' 'SH Sharjah' \
                'UQ Umm al-Quwain'
        case 'states-AU'
            set found 'ACT Australian Capital Territory' 'NSW New South Wales' 'NT Northern Territory' \
                'QLD Queensland' 'SA South Australia' 'TAS Tasmania' 'VIC Victoria' 'WA Western Australia'
        case 'states-BR'
            set found 'AC Acre' 'AL Alagoas' 'AM Amazonas' 'AP Amapá' 'BA Bahia' 'CE Ceará' \
                'DF Distrito Federal' 'ES Espírito Santo' 'GO Goiás' 'MA Maranhão' 'MG Minas Gerais' \
                'MS Mato Grosso do Sul' 'MT Mato Grosso' 'PA Pará' 'PB Paraíba' 'PE Pernambuco' 'PI Piauí' \
                'PR Paraná' 'RJ Rio de Janeiro' 'RN Rio Grande do Norte' 'RO Rondônia' 'RR Roraima' \
                'RS Rio Grande do Sul' 'SC Santa Catarina' 'SE Sergipe' 'SP São Paulo' 'TO Tocantins'
        case 'states-IN'
            set found 'AN Andaman and Nicobar Islands' 'AP Andhra Pradesh' 'AR Arunachal Pradesh' 'AS Assam' \
                'BR Bihar' 'CG Chhattisgarh' 'CH Chandigarh' 'DH Dadra and Nagar Haveli and Daman and Diu' \
                'DL Delhi' 'GA Goa' 'GJ Gujarat' 'HP Himachal Pradesh' 'HR Haryana' 'JH Jharkhand' \
                'JK Jammu and Kashmir' 'KA Karnataka' 'KL Kerala' 'LA Ladakh' 'LD Lakshadweep' 'MH Maharashtra' \
                'ML Meghalaya' 'MN Manipur' 'MP Madhya Pradesh' 'MZ Mizoram' 'NL Nagaland' 'OD Odisha' \
                'PB Punjab' 'PY Puducherry' 'RJ Rajasthan' 'SK Sikkim' 'TN Tamil Nadu' 'TR Tripura' \
                'TS Telangana' 'UK Uttarakhand' 'UP Uttar Pradesh' 'WB West Bengal'
        case 'states-MX'
            set found 'AGU Aguascalientes' 'BCN Baja California' 'BCS Baja California Sur' 'CAM Campeche' \
                'CHH Chihuahua' 'CHP Chiapas' 'CMX Ciudad de México' 'COA Coahuila' 'COL Colima' 'DUR Durango' \
                'GRO Guerrero' 'GUA Guanajuato' 'HID Hidalgo' 'JAL Jalisco' 'MEX México' 'MIC Michoacán' \
                'MOR Morelos' 'NAY Nayarit' 'NLE Nuevo León' 'OAX Oaxaca' 'PUE Puebla' 'QUE Querétaro' \
                'ROO Quintana Roo' 'SIN Sinaloa' 'SLP San Luis Potosí' 'SON Sonora' 'TAB Tabasco' \
                'TAM Tamaulipas' 'TLA Tlaxcala' 'VER Veracruz' 'YUC Yucatán' 'ZAC Zacatecas'
        case '*'
            return 1
    end
    return 0
end

function __cpctl_option --no-scope-shadowing # sets kind for the option $name; remembers that it was given
    set -l record
    for record in $switches $shared
        set -l parts (string split -m 2 ' ' -- $record)
        if contains -- $name (string split , -- (string trim -r -c '*' -- $parts[1]))
            set kind $parts[2]
            string match -q '*\*' -- $parts[1]; or set -a taken $parts[1]
            return 0
        end
    end
    return 1
end

function __cpctl_cluster --no-scope-shadowing # short options in one word, such as -qv or -ojson
    set -l letters (string split '' -- (string sub -s 2 -- $word))
    set -l number 0
    set attached
    for letter in $letters
        set number (math $number + 1)
        set name -$letter
        __cpctl_option; or return
        if test "$kind" != -
            test $number = (count $letters); and set wanted $kind
            set attached (string sub -l (math $number + 1) -- $word)
            return
        end
    end
end

function __cpctl_walk --no-scope-shadowing # reads the words before the cursor
    set -l word
    set -l place 1
    for word in $tokens[2..-1]
        set place (math $place + 1)
        if test -n "$wanted"
            test "$wanted" = countries; and set country $word
            set wanted
        else if test -z "$ended"; and contains -- $word --
            set ended yes
        else if test -z "$ended"; and string match -q -- '--*=*' $word
            set -l pair (string split -m 1 = -- $word)
            set name $pair[1]
            __cpctl_option; and test "$kind" = countries; and set country $pair[2]
        else if test -z "$ended"; and string match -q -- '--*' $word
            set name $word
            __cpctl_option; and test "$kind" != -; and set wanted $kind
        else if test -z "$ended"; and string match -q -- '-?*' $word
            __cpctl_cluster
        else if set -q subcommands[1]
            set path (string trim -- "$path $word")
            __cpctl_table; or return 1
        else if string match -q 'command-line*' -- "$arguments[1]"
            set begin $place
            return 0
        else
            set count (math $count + 1)
        end
    end
    return 0
end

function __cpctl_show --no-scope-shadowing # offers the words of $list, each with a sentence behind a blank
    set -l line
    for line in $list
        printf '%s%s\n' "$before" (string replace ' ' \t -- $line)
    end
end

function __cpctl_offer --no-scope-shadowing # offers the words of the kinds $wanted
    set -l kind
    for kind in (string split + -- $wanted)
        test "$kind" = country-states; and set kind states-(string upper -- "$country")
        switch $kind
            case free states-
            case files
                for line in (__fish_complete_path "$typed")
                    printf '%s%s\n' "$before" $line
                end
            case folders
                for line in (__fish_complete_directories "$typed" '')
                    printf '%s%s\n' "$before" $line
                end
            case commands
                complete -C "$typed"
            case '*'
                set -l found
                if __cpctl_known
                    set -l list $found
                    __cpctl_show
                else
                    for line in (command $program __complete $kind $tokens[2..-1] 2>/dev/null </dev/null)
                        printf '%s%s\n' "$before" $line
                    end
                end
        end
    end
end

function __cpctl_options --no-scope-shadowing # offers the options that were not given yet
    set -l seen
    for record in $switches $shared
        set -l parts (string split -m 2 ' ' -- $record)
        contains -- $parts[1] $taken; and continue
        for name in (string split , -- (string trim -r -c '*' -- $parts[1]))
            contains -- $name $seen; and continue
            set -a seen $name
            printf '%s\t%s\n' $name $parts[3]
        end
    end
end

function __cpctl_argument --no-scope-shadowing # offers what may stand next without a name
    set wanted $arguments[(math $count + 1)]
    if test -z "$wanted"; and string match -q '*\*' -- "$arguments[-1]"
        set wanted $arguments[-1]
    end
    set wanted (string trim -r -c '*' -- $wanted)
    if test -n "$wanted"
        __cpctl_offer
    else if test -z "$ended"
        __cpctl_options
    end
end

function __cpctl_complete
    set -l tokens (commandline -opc)
    set -l typed (commandline -ct)
    set -l program cpctl
    string match -q '*/*' -- $tokens[1]; and set program (string replace -r '^~/' $HOME/ -- $tokens[1])
    set -l path ''
    set -l count 0
    set -l before ''
    set -l wanted
    set -l ended
    set -l country
    set -l begin
    set -l taken
    set -l kind
    set -l name
    set -l attached
    set -l shared
    set -l subcommands
    set -l switches
    set -l arguments
    __cpctl_shared
    __cpctl_table
    __cpctl_walk; or return
    set attached
    if test -z "$begin"; and test -z "$wanted"; and string match -q 'command-line*' -- "$arguments[1]"
        if test -n "$ended"; or not string match -q -- '-*' "$typed"
            set begin (math (count $tokens) + 1)
        end
    end
    if test -n "$begin" # a command of its own, completed by its own rules
        set -l rest (string escape -- $tokens[$begin..-1])
        test $begin -gt (count $tokens); and set rest
        complete -C (string join ' ' -- $rest "$typed")
    else if test -n "$wanted"
        __cpctl_offer
    else if test -z "$ended"; and string match -q -- '--*=*' "$typed"
        set -l pair (string split -m 1 = -- $typed)
        set name $pair[1]
        __cpctl_option; or return
        test "$kind" = -; and return
        set before "$name="
        set typed $pair[2]
        set wanted $kind
        __cpctl_offer
    else if test -z "$ended"; and string match -q -- '-*' "$typed"
        set -l word $typed
        string match -qr -- '^-[^-].' "$typed"; and __cpctl_cluster
        if test -n "$attached"
            set before $attached
            set typed (string sub -s (math (string length -- $attached) + 1) -- $typed)
            set wanted $kind
            __cpctl_offer
        else
            __cpctl_options
        end
    else if set -q subcommands[1]
        set -l list $subcommands
        __cpctl_show
    else
        __cpctl_argument
    end
end

complete -c cpctl -e
complete -c cpctl -k -f -a '(__cpctl_complete)'
