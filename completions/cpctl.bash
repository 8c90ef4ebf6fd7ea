# bash completion of cpctl. Written by `make docs`; `cpctl completion bash` prints it.
#
# Words that do not change stand here. Only profiles, references and ids are asked of
# cpctl (`cpctl __complete`), which looks at files of this machine and never at the network.
# No word is ever evaluated. Bash 3.2 can read this.

_cpctl_shared() { # sets the options of every command: names, and the kind of the value (- for none)
    shared=('--profile,-p profiles' '--config files' '--output,-o formats' '--query free'
        '--dry-run,-n -' '--quiet,-q* -' '--verbose,-v* -' '--debug -' '--timeout free' '--no-input -'
        '--color colors' '--help,-h -')
}

_cpctl_table() { # sets what may follow the command $1; fails where there is no such command
    subcommands=() switches=() arguments=()
    case $1 in
        '')
            subcommands=('signal' 'outbox' 'orders' 'quote' 'products' 'shipping' 'catalogs' 'titles' 'profile'
                'webhooks' 'service' 'sandbox' 'help' 'explain' 'api' 'whoami' 'doctor' 'completion')
            switches=('--version,-V -')
            ;;
        'signal')
            subcommands=('registered' 'produce' 'produced' 'packed' 'shipped' 'delay' 'error' 'canceled'
                'order-registered' 'types' 'causes' 'history' 'report' 'send' 'watch' 'scan' 'sheet')
            ;;
        'signal registered')
            switches=('--order unfinished-orders' '--at free' '--api-version versions' '--require-delivery -'
                '--queue-only -' '--force -' '--field,-f* free')
            arguments=('items*')
            ;;
        'signal produce')
            switches=('--order unfinished-orders' '--at free' '--api-version versions' '--require-delivery -'
                '--queue-only -' '--force -' '--field,-f* free')
            arguments=('items*')
            ;;
        'signal produced')
            switches=('--order unfinished-orders' '--at free' '--api-version versions' '--require-delivery -'
                '--queue-only -' '--force -' '--field,-f* free')
            arguments=('items*')
            ;;
        'signal packed')
            switches=('--order unfinished-orders' '--at free' '--api-version versions' '--require-delivery -'
                '--queue-only -' '--force -' '--field,-f* free')
            arguments=('items*')
            ;;
        'signal shipped')
            switches=('--order unfinished-orders' '--tracking free' '--shipping-option free' '--at free'
                '--api-version versions' '--require-delivery -' '--queue-only -' '--force -' '--field,-f* free')
            arguments=('items*')
            ;;
        'signal delay')
            switches=('--order unfinished-orders' '--cause free' '--delay free' '--at free'
                '--api-version versions' '--require-delivery -' '--queue-only -' '--force -' '--field,-f* free')
            arguments=('items*')
            ;;
        'signal error')
            switches=('--order unfinished-orders' '--cause free' '--delay free' '--at free'
                '--api-version versions' '--require-delivery -' '--queue-only -' '--force -' '--field,-f* free')
            arguments=('items*')
            ;;
        'signal canceled')
            switches=('--order unfinished-orders' '--cause causes' '--message free' '--delay free' '--at free'
                '--api-version versions' '--require-delivery -' '--queue-only -' '--force -' '--field,-f* free')
            arguments=('items*')
            ;;
        'signal order-registered')
            switches=('--at free' '--api-version versions' '--require-delivery -' '--queue-only -' '--force -'
                '--field,-f* free')
            arguments=('unfinished-orders')
            ;;
        'signal types')
            ;;
        'signal causes')
            ;;
        'signal history')
            switches=('--since free' '--item reported-items' '--order reported-orders' '--state* signal-states'
                '--limit free')
            ;;
        'signal report')
            switches=('--date days' '--from free' '--to free' '--station stations' '--all-stations -'
                '--operator operators' '--html files')
            ;;
        'signal send')
            switches=('--map presets+maps' '--type signal-types' '--set* assignments' '--encoding free'
                '--delimiter free' '--no-header -' '--columns free' '--partial -' '--connections free'
                '--api-version versions' '--queue-only -' '--require-delivery -' '--result files')
            arguments=('files')
            ;;
        'signal watch')
            switches=('--map presets+maps' '--type signal-types' '--set* assignments' '--encoding free'
                '--delimiter free' '--no-header -' '--columns free' '--partial -' '--connections free'
                '--api-version versions' '--queue-only -' '--require-delivery -' '--interval free'
                '--settle free' '--once -')
            arguments=('folders')
            ;;
        'signal scan')
            switches=('--type scanned-types' '--order unfinished-orders' '--hold free' '--sound sounds+commands'
                '--check -')
            ;;
        'signal sheet')
            switches=('--html files')
            ;;
        'outbox')
            subcommands=('list' 'show' 'flush' 'retry' 'hold' 'release' 'drop' 'export' 'import' 'check')
            ;;
        'outbox list')
            switches=('--state* signal-states' '--limit free')
            ;;
        'outbox show')
            arguments=('signal-ids*')
            ;;
        'outbox flush')
            switches=('--require-delivery -' '--watch -')
            ;;
        'outbox retry')
            switches=('--all -')
            arguments=('outbox-ids*')
            ;;
        'outbox hold')
            arguments=('outbox-ids*')
            ;;
        'outbox release')
            switches=('--all -')
            arguments=('outbox-ids*')
            ;;
        'outbox drop')
            switches=('--yes,-y -')
            arguments=('outbox-ids*')
            ;;
        'outbox export')
            switches=('--hold -')
            arguments=('files')
            ;;
        'outbox import')
            arguments=('files')
            ;;
        'outbox check')
            switches=('--warn free' '--crit free')
            ;;
        'orders')
            subcommands=('list' 'info' 'add' 'cancel' 'log' 'wait' 'states')
            ;;
        'orders list')
            switches=('--field,-f* free' '--state* order-states' '--since free' '--until free' '--limit free'
                '--api order-apis')
            ;;
        'orders info')
            switches=('--field,-f* free' '--api order-apis')
            arguments=('orders*')
            ;;
        'orders add')
            switches=('--field,-f* free' '--check -' '--skeleton -' '--api order-apis')
            arguments=('files')
            ;;
        'orders cancel')
            switches=('--field,-f* free' '--yes,-y -' '--api order-apis')
            arguments=('open-orders')
            ;;
        'orders log')
            switches=('--field,-f* free' '--api order-apis')
            arguments=('orders')
            ;;
        'orders wait')
            switches=('--for order-states+order-ends' '--timeout free' '--interval free')
            arguments=('open-orders')
            ;;
        'orders states')
            ;;
        'quote')
            subcommands=('get' 'price' 'info')
            ;;
        'quote get')
            switches=('--country countries' '--state country-states' '--currency currencies' '--item* specs'
                '--level levels' '--cheapest -' '--field,-f* free')
            arguments=('files')
            ;;
        'quote price')
            switches=('--country countries' '--state country-states' '--currency currencies' '--item* specs'
                '--level levels' '--cheapest -' '--field,-f* free')
            arguments=('files')
            ;;
        'quote info')
            switches=('--field,-f* free')
            arguments=('free')
            ;;
        'products')
            subcommands=('list' 'info' 'mixes' 'mix')
            ;;
        'products list')
            switches=('--field,-f* free' '--category categories' '--search free')
            ;;
        'products info')
            switches=('--field,-f* free')
            arguments=('products*')
            ;;
        'products mixes')
            switches=('--field,-f* free' '--search free')
            ;;
        'products mix')
            switches=('--field,-f* free')
            arguments=('mixes*')
            ;;
        'shipping')
            subcommands=('levels' 'countries' 'states')
            ;;
        'shipping levels')
            switches=('--field,-f* free')
            ;;
        'shipping countries')
            switches=('--field,-f* free' '--search free')
            ;;
        'shipping states')
            switches=('--field,-f* free')
            arguments=('countries')
            ;;
        'catalogs')
            subcommands=('list' 'info' 'add' 'remove')
            ;;
        'catalogs list')
            switches=('--field,-f* free' '--search free')
            ;;
        'catalogs info')
            switches=('--field,-f* free')
            arguments=('catalogs*')
            ;;
        'catalogs add')
            switches=('--name free' '--note free' '--field,-f* free')
            arguments=('free')
            ;;
        'catalogs remove')
            switches=('--field,-f* free' '--yes,-y -')
            arguments=('catalogs')
            ;;
        'titles')
            subcommands=('list' 'info' 'add' 'remove')
            ;;
        'titles list')
            switches=('--field,-f* free' '--search free')
            arguments=('catalogs')
            ;;
        'titles info')
            switches=('--field,-f* free')
            arguments=('titles*')
            ;;
        'titles add')
            switches=('--name free' '--note free' '--field,-f* free')
            arguments=('free')
            ;;
        'titles remove')
            switches=('--field,-f* free' '--yes,-y -')
            arguments=('titles')
            ;;
        'profile')
            subcommands=('init' 'list' 'show' 'set-key' 'use' 'path' 'check')
            ;;
        'profile init')
            switches=('--environment environments' '--base-url free' '--core-key-file files'
                '--core-key-command commands' '--signal-key-file files' '--signal-key-command commands'
                '--webhooks-key-file files' '--webhooks-key-command commands' '--later* key-services'
                '--shipping-option free' '--signal-version versions' '--default -' '--force -' '--no-check -')
            arguments=('free')
            ;;
        'profile list')
            ;;
        'profile show')
            ;;
        'profile set-key')
            switches=('--check -')
            arguments=('key-services' 'free')
            ;;
        'profile use')
            arguments=('profiles')
            ;;
        'profile path')
            ;;
        'profile check')
            ;;
        'webhooks')
            subcommands=('serve' 'list' 'show' 'tail' 'items' 'replay' 'export' 'prune' 'types')
            ;;
        'webhooks serve')
            switches=('--host free' '--port free' '--tls-cert files' '--tls-key files' '--behind-proxy -'
                '--max-connections free' '--request-seconds free' '--ready-file files'
                '--log-format log-formats' '--public-status -' '--forward-to* free' '--exec* commands'
                '--delivery-seconds free' '--with-key -' '--known-orders -')
            ;;
        'webhooks list')
            switches=('--type* webhook-types' '--order received-orders' '--item received-items'
                '--reference received-references' '--since free' '--until free' '--undelivered -' '--limit free')
            ;;
        'webhooks show')
            arguments=('event-ids*')
            ;;
        'webhooks tail')
            switches=('--type* webhook-types' '--order received-orders' '--item received-items'
                '--reference received-references' '--since free' '--until free' '--undelivered -'
                '--follow,-f -' '--lines free')
            ;;
        'webhooks items')
            switches=('--order received-orders' '--item received-items' '--latest* webhook-types')
            ;;
        'webhooks replay')
            switches=('--to free' '--with-key -')
            arguments=('event-ids*')
            ;;
        'webhooks export')
            switches=('--type* webhook-types' '--order received-orders' '--item received-items'
                '--reference received-references' '--since free' '--until free' '--undelivered -')
            arguments=('files')
            ;;
        'webhooks prune')
            switches=('--older-than free' '--drop-target free' '--yes,-y -')
            ;;
        'webhooks types')
            ;;
        'service')
            subcommands=('print')
            ;;
        'service print')
            switches=('--user -' '--timer -' '--every free' '--cron -' '--run-as free' '--name free'
                '--write folders' '--force -')
            arguments=('runnable-services' 'free*')
            ;;
        'sandbox')
            subcommands=('serve' 'run' 'reset' 'fault' 'requests' 'orders' 'advance' 'trigger' 'webhooks')
            ;;
        'sandbox serve')
            switches=('--orders free' '--items free' '--dialect dialects' '--webhook-url free'
                '--webhook-version webhook-versions' '--port free' '--ready-file files')
            ;;
        'sandbox run')
            switches=('--orders free' '--items free' '--dialect dialects' '--webhook-url free'
                '--webhook-version webhook-versions')
            arguments=('command-line*')
            ;;
        'sandbox reset')
            switches=('--orders free' '--items free')
            ;;
        'sandbox fault')
            switches=('--path paths' '--times free' '--status fault-statuses' '--retry-after free'
                '--seconds free')
            arguments=('faults')
            ;;
        'sandbox requests')
            switches=('--limit free')
            ;;
        'sandbox orders')
            ;;
        'sandbox advance')
            arguments=('free')
            ;;
        'sandbox trigger')
            switches=('--order unfinished-orders' '--item items' '--field,-f* free')
            arguments=('webhook-types')
            ;;
        'sandbox webhooks')
            switches=('--to free')
            ;;
        'help')
            arguments=('topics*')
            ;;
        'explain')
            switches=('--api order-apis')
            arguments=('calls*')
            ;;
        'api')
            switches=('--field,-f* free' '--input files' '--service services')
            arguments=('endpoints')
            ;;
        'whoami')
            ;;
        'doctor')
            switches=('--offline -' '--bundle files' '--force -')
            ;;
        'completion')
            arguments=('shells')
            ;;
        *) return 1 ;;
    esac
}

_cpctl_known() { # sets the words of the kind $1; fails for a kind that has to be asked for
    found=()
    case $1 in
        'formats')
            found=('table' 'tsv' 'json' 'jsonl' 'yaml' 'csv' 'value')
            ;;
        'colors')
            found=('auto' 'always' 'never')
            ;;
        'countries')
            found=('AD' 'AE' 'AF' 'AG' 'AI' 'AL' 'AM' 'AO' 'AQ' 'AR' 'AS' 'AT' 'AU' 'AW' 'AX' 'AZ' 'BA' 'BB'
                'BD' 'BE' 'BF' 'BG' 'BH' 'BI' 'BJ' 'BL' 'BM' 'BN' 'BO' 'BQ' 'BR' 'BS' 'BT' 'BV' 'BW' 'BY' 'BZ'
                'CA' 'CC' 'CD' 'CF' 'CG' 'CH' 'CI' 'CK' 'CL' 'CM' 'CN' 'CO' 'CR' 'CU' 'CV' 'CW' 'CX' 'CY' 'CZ'
                'DE' 'DJ' 'DK' 'DM' 'DO' 'DZ' 'EC' 'EE' 'EG' 'EH' 'ER' 'ES' 'ET' 'FI' 'FJ' 'FK' 'FM' 'FO' 'FR'
                'GA' 'GB' 'GD' 'GE' 'GF' 'GG' 'GH' 'GI' 'GL' 'GM' 'GN' 'GP' 'GQ' 'GR' 'GS' 'GT' 'GU' 'GW' 'GY'
                'HK' 'HM' 'HN' 'HR' 'HT' 'HU' 'ID' 'IE' 'IL' 'IM' 'IN' 'IO' 'IQ' 'IR' 'IS' 'IT' 'JE' 'JM' 'JO'
                'JP' 'KE' 'KG' 'KH' 'KI' 'KM' 'KN' 'KP' 'KR' 'KW' 'KY' 'KZ' 'LA' 'LB' 'LC' 'LI' 'LK' 'LR' 'LS'
                'LT' 'LU' 'LV' 'LY' 'MA' 'MC' 'MD' 'ME' 'MF' 'MG' 'MH' 'MK' 'ML' 'MM' 'MN' 'MO' 'MP' 'MQ' 'MR'
                'MS' 'MT' 'MU' 'MV' 'MW' 'MX' 'MY' 'MZ' 'NA' 'NC' 'NE' 'NF' 'NG' 'NI' 'NL' 'NO' 'NP' 'NR' 'NU'
                'NZ' 'OM' 'PA' 'PE' 'PF' 'PG' 'PH' 'PK' 'PL' 'PM' 'PN' 'PR' 'PS' 'PT' 'PW' 'PY' 'QA' 'RE' 'RO'
                'RS' 'RU' 'RW' 'SA' 'SB' 'SC' 'SD' 'SE' 'SG' 'SH' 'SI' 'SJ' 'SK' 'SL' 'SM' 'SN' 'SO' 'SR' 'SS'
                'ST' 'SV' 'SX' 'SY' 'SZ' 'TC' 'TD' 'TF' 'TG' 'TH' 'TJ' 'TK' 'TL' 'TM' 'TN' 'TO' 'TR' 'TT' 'TV'
                'TW' 'TZ' 'UA' 'UG' 'UM' 'US' 'UY' 'UZ' 'VA' 'VC' 'VE' 'VG' 'VI' 'VN' 'VU' 'WF' 'WS' 'YE' 'YT'
                'ZA' 'ZM' 'ZW')
            ;;
        'currencies')
            found=('AED' 'AFN' 'ALL' 'AMD' 'AOA' 'ARS' 'AUD' 'AWG' 'AZN' 'BAM' 'BBD' 'BDT' 'BHD' 'BIF' 'BMD'
                'BND' 'BOB' 'BRL' 'BSD' 'BTN' 'BWP' 'BYN' 'BZD' 'CAD' 'CDF' 'CHF' 'CLP' 'CNY' 'COP' 'CRC' 'CUP'
                'CVE' 'CZK' 'DJF' 'DKK' 'DOP' 'DZD' 'EGP' 'ERN' 'ETB' 'EUR' 'FJD' 'FKP' 'GBP' 'GEL' 'GHS' 'GIP'
                'GMD' 'GNF' 'GTQ' 'GYD' 'HKD' 'HNL' 'HTG' 'HUF' 'IDR' 'ILS' 'INR' 'IQD' 'IRR' 'ISK' 'JMD' 'JOD'
                'JPY' 'KES' 'KGS' 'KHR' 'KMF' 'KPW' 'KRW' 'KWD' 'KYD' 'KZT' 'LAK' 'LBP' 'LKR' 'LRD' 'LSL' 'LYD'
                'MAD' 'MDL' 'MGA' 'MKD' 'MMK' 'MNT' 'MOP' 'MRU' 'MUR' 'MVR' 'MWK' 'MXN' 'MYR' 'MZN' 'NAD' 'NGN'
                'NIO' 'NOK' 'NPR' 'NZD' 'OMR' 'PAB' 'PEN' 'PGK' 'PHP' 'PKR' 'PLN' 'PYG' 'QAR' 'RON' 'RSD' 'RUB'
                'RWF' 'SAR' 'SBD' 'SCR' 'SDG' 'SEK' 'SGD' 'SHP' 'SLE' 'SOS' 'SRD' 'SSP' 'STN' 'SVC' 'SYP' 'SZL'
                'THB' 'TJS' 'TMT' 'TND' 'TOP' 'TRY' 'TTD' 'TWD' 'TZS' 'UAH' 'UGX' 'USD' 'UYU' 'UZS' 'VED' 'VES'
                'VND' 'VUV' 'WST' 'XAF' 'XCD' 'XCG' 'XOF' 'XPF' 'YER' 'ZAR' 'ZMW' 'ZWG')
            ;;
        'order-states')
            found=('new' 'verify' 'verified' 'verify_error' 'download' 'download_error' 'downloaded' 'render'
                'render_error' 'rendered' 'distribute' 'distributed' 'distribute_error' 'create' 'created'
                'create_error' 'upload' 'upload_error' 'uploaded' 'complete' 'canceled' 'sandbox_complete')
            ;;
        'order-ends')
            found=('done')
            ;;
        'order-apis')
            found=('core' 'publish')
            ;;
        'versions')
            found=('1.1' '2.0')
            ;;
        'dialects')
            found=('live' 'documented')
            ;;
        'presets')
            found=('ups-worldship' 'dhl' 'gls' 'dpd' 'sendcloud' 'shipstation')
            ;;
        'signal-states')
            found=('queued' 'held' 'delivered' 'refused' 'expired' 'dropped')
            ;;
        'signal-types')
            found=('OrderRegistered' 'ItemRegistered' 'ItemProduce' 'ItemProduced' 'ItemPacked' 'ItemShipped'
                'ItemDelay' 'ItemError' 'ItemCanceled')
            ;;
        'scanned-types')
            found=('registered' 'produce' 'produced' 'packed' 'shipped')
            ;;
        'days')
            found=('today' 'yesterday')
            ;;
        'sounds')
            found=('bell' 'none')
            ;;
        'assignments')
            found=('order=' 'item=' 'tracking=' 'shipping_option=' 'cause=' 'message=' 'delay=')
            ;;
        'causes')
            found=('CancelCoverSpine' 'CancelBookSize' 'CancelCoverSize' 'CancelBookCorrupt'
                'CancelCoverCorrupt' 'CancelBookTrim' 'CancelCoverTrim' 'CancelPageCount' 'CancelUnknownFont'
                'CancelBookMargins' 'CancelCoverMargins' 'CancelBookRip' 'CancelCoverRip' 'CancelUserRequest'
                'CancelInkjetCoverage' 'CancelDownloadError' 'CancelValidateError' 'CancelInvalidAddress'
                'CancelTestOrder' 'CancelFilesCorrupt' 'CancelMiscError')
            ;;
        'faults')
            found=('latency' 'status' 'reset-before' 'reset-after' 'truncated' 'invalid-json' 'slow-drip' 'down'
                'clear')
            ;;
        'fault-statuses')
            found=('400' '401' '403' '404' '409' '410' '422' '429' '500' '502' '503' '504')
            ;;
        'webhook-types')
            found=('CloudprinterOrderValidated' 'CloudprinterOrderCanceled' 'ItemValidated' 'ItemProduce'
                'ItemProduced' 'ItemPacked' 'ItemShipped' 'ItemError' 'ItemCanceled' 'ItemDeliveryStarted'
                'ItemDeliveryFailed' 'ItemDeliveryCompleted')
            ;;
        'webhook-versions')
            found=('2.0' '2.1')
            ;;
        'log-formats')
            found=('text' 'json')
            ;;
        'topics')
            found=('signals' 'outbox' 'scan' 'files' 'webhooks' 'sandbox' 'configuration' 'keys' 'environment'
                'output' 'exit-codes' 'signal' 'outbox' 'orders' 'quote' 'products' 'shipping' 'catalogs'
                'titles' 'profile' 'webhooks' 'service' 'sandbox' 'help' 'explain' 'api' 'whoami' 'doctor'
                'completion')
            ;;
        'environments')
            found=('live' 'sandbox')
            ;;
        'key-services')
            found=('core' 'signal' 'webhooks')
            ;;
        'calls')
            found=('signal.order-registered' 'signal.registered' 'signal.produce' 'signal.produced'
                'signal.packed' 'signal.shipped' 'signal.delay' 'signal.error' 'signal.canceled' 'orders.list'
                'orders.info' 'orders.add' 'orders.cancel' 'orders.log' 'quote.get' 'quote.info' 'quote.price'
                'products.list' 'products.info' 'shipping.levels' 'shipping.countries' 'shipping.states'
                'catalogs.list' 'catalogs.info' 'catalogs.add' 'catalogs.remove' 'titles.list' 'titles.info'
                'titles.add' 'titles.remove' 'products.mixes' 'products.mix' 'publish.orders.list'
                'publish.orders.info' 'publish.orders.add' 'publish.orders.cancel' 'publish.orders.log'
                'webhook.CloudprinterOrderValidated' 'webhook.CloudprinterOrderCanceled' 'webhook.ItemValidated'
                'webhook.ItemProduce' 'webhook.ItemProduced' 'webhook.ItemPacked' 'webhook.ItemShipped'
                'webhook.ItemError' 'webhook.ItemCanceled' 'webhook.ItemDeliveryStarted'
                'webhook.ItemDeliveryFailed' 'webhook.ItemDeliveryCompleted')
            ;;
        'runnable-services')
            found=('outbox' 'webhooks')
            ;;
        'paths')
            found=('/cloudsignal/2.0/status/' '/1.1/status/' '/cloudsignal/1.1/status/' '/cloudcore/1.0/orders/'
                '/cloudcore/1.0/orders/info' '/cloudcore/1.0/orders/add' '/cloudcore/1.0/orders/cancel'
                '/cloudcore/1.0/orders/log' '/cloudcore/1.0/orders/quote' '/cloudcore/1.0/orders/quote/info'
                '/cloudcore/1.0/prices/lookup' '/cloudcore/1.0/products' '/cloudcore/1.0/products/info'
                '/cloudcore/1.0/shipping/levels' '/cloudcore/1.0/shipping/countries'
                '/cloudcore/1.0/shipping/states' '/cloudpublish/1.0/catalogs' '/cloudpublish/1.0/catalogs/info'
                '/cloudpublish/1.0/catalogs/add' '/cloudpublish/1.0/catalogs/remove' '/cloudpublish/1.0/titles'
                '/cloudpublish/1.0/titles/info' '/cloudpublish/1.0/titles/add' '/cloudpublish/1.0/titles/remove'
                '/cloudpublish/1.0/products/mixes' '/cloudpublish/1.0/products/mixes/info'
                '/cloudpublish/1.0/orders')
            ;;
        'endpoints')
            found=('/cloudsignal/2.0/status/' '/1.1/status/' '/cloudsignal/1.1/status/' 'orders/' 'orders/info'
                'orders/add' 'orders/cancel' 'orders/log' 'orders/quote' 'orders/quote/info' 'prices/lookup'
                'products' 'products/info' 'shipping/levels' 'shipping/countries' 'shipping/states'
                '/cloudpublish/1.0/catalogs' '/cloudpublish/1.0/catalogs/info' '/cloudpublish/1.0/catalogs/add'
                '/cloudpublish/1.0/catalogs/remove' '/cloudpublish/1.0/titles' '/cloudpublish/1.0/titles/info'
                '/cloudpublish/1.0/titles/add' '/cloudpublish/1.0/titles/remove'
                '/cloudpublish/1.0/products/mixes' '/cloudpublish/1.0/products/mixes/info'
                '/cloudpublish/1.0/orders')
            ;;
        'services')
            found=('core' 'publish' 'signal')
            ;;
        'shells')
            found=('bash' 'zsh' 'fish')
            ;;
        'states-US')
            found=('AL' 'AK' 'AZ' 'AR' 'CA' 'CO' 'CT' 'DE' 'DC' 'FL' 'GA' 'HI' 'ID' 'IL' 'IN' 'IA' 'KS' 'KY'
                'LA' 'ME' 'MD' 'MA' 'MI' 'MN' 'MS' 'MO' 'MT' 'NE' 'NV' 'NH' 'NJ' 'NM' 'NY' 'NC' 'ND' 'OH' 'OK'
                'OR' 'PA' 'RI' 'SC' 'SD' 'TN' 'TX' 'UT' 'VT' 'VA' 'WA' 'WV' 'WI' 'WY' 'AS' 'FM' 'GU' 'MH' 'MP'
                'PR' 'PW' 'UM' 'VI' 'AA' 'AE' 'AP')
            ;;
        'states-CA')
            found=('AB' 'BC' 'MB' 'NB' 'NL' 'NS' 'NT' 'NU' 'ON' 'PE' 'QC' 'SK' 'YT')
            ;;
        'states-AE')
            found=('AJ' 'AZ' 'DU' 'FU' 'RK' 'SH' 'UQ')
            ;;
        'states-AU')
            found=('ACT' 'NSW' 'NT' 'QLD' 'SA' 'TAS' 'VIC' 'WA')
            ;;
        'states-BR')
            found=('AC' 'AL' 'AM' 'AP' 'BA' 'CE' 'DF' 'ES' 'GO' 'MA' 'MG' 'MS' 'MT' 'PA' 'PB' 'PE' 'PI' 'PR'
                'RJ' 'RN' 'RO' 'RR' 'RS' 'SC' 'SE' 'SP' 'TO')
            ;;
        'states-IN')
            found=('AN' 'AP' 'AR' 'AS' 'BR' 'CG' 'CH' 'DH' 'DL' 'GA' 'GJ' 'HP' 'HR' 'JH' 'JK' 'KA' 'KL' 'LA'
                'LD' 'MH' 'ML' 'MN' 'MP' 'MZ' 'NL' 'OD' 'PB' 'PY' 'RJ' 'SK' 'TN' 'TR' 'TS' 'UK' 'UP' 'WB')
            ;;
        'states-MX')
            found=('AGU' 'BCN' 'BCS' 'CAM' 'CHH' 'CHP' 'CMX' 'COA' 'COL' 'DUR' 'GRO' 'GUA' 'HID' 'JAL' 'MEX'
                'MIC' 'MOR' 'NAY' 'NLE' 'OAX' 'PUE' 'QUE' 'ROO' 'SIN' 'SLP' 'SON' 'TAB' 'TAM' 'TLA' 'VER' 'YUC'
                'ZAC')
            ;;
        *) return 1 ;;
    esac
}

_cpctl_split() { # sets words, up to the cursor, as they were typed: readline parts them at = and : as well
    local line=${COMP_LINE:0:COMP_POINT} number piece rest
    words=() places=()
    for ((number = 0; number <= COMP_CWORD; number++)); do
        rest=${line#"${line%%[! $'\t']*}"}
        piece=${COMP_WORDS[number]}
        ((number == COMP_CWORD)) && piece=$rest
        if ((number > 0)) && [[ $rest == "$line" ]]; then
            words[${#words[@]} - 1]+=$piece
        else
            words[${#words[@]}]=$piece
            places[${#places[@]}]=$number
        fi
        line=${rest#"$piece"}
    done
}

_cpctl_plain() { # sets plain: $1 without quotes and backslashes; and quote: the one that is still open
    local rest=$1 sign
    plain=$1 quote=
    case $1 in *[\'\"\\]*) plain= ;; *) return ;; esac
    while [[ $rest ]]; do
        sign=${rest:0:1} rest=${rest:1}
        if [[ $sign == '\' && $quote != \' ]]; then
            plain+=${rest:0:1} rest=${rest:1}
        elif [[ $quote && $sign == "$quote" ]]; then
            quote=
        elif [[ ! $quote && ($sign == \' || $sign == '"') ]]; then
            quote=$sign
        else
            plain+=$sign
        fi
    done
}

_cpctl_option() { # sets kind and repeated for the option named $1; remembers that it was given
    local record
    for record in "${switches[@]}" "${shared[@]}"; do
        local names=${record%% *}
        case ,${names%\*}, in
            *,"$1",*)
                kind=${record#* }
                [[ $names == *\* ]] || taken+=" $names "
                return 0
                ;;
        esac
    done
    return 1
}

_cpctl_cluster() { # short options in one word, such as -qv or -ojson; sets wanted where a value is still to come
    local rest=${1#-} kind
    while [[ $rest ]]; do
        _cpctl_option "-${rest:0:1}" || return
        rest=${rest:1}
        if [[ $kind != - ]]; then
            [[ $rest ]] || wanted=$kind
            attached=${1%"$rest"} attached_kind=$kind
            return
        fi
    done
}

_cpctl_walk() { # reads the words before the cursor: path, arguments so far, the option whose value comes next
    local number word kind attached attached_kind
    path= count=0 wanted= ended= country= begin= taken=
    _cpctl_table ''
    for ((number = 1; number < ${#words[@]} - 1; number++)); do
        word=${plains[number]}
        if [[ $wanted ]]; then
            [[ $wanted == countries ]] && country=$word
            wanted=
        elif [[ ! $ended && $word == -- ]]; then
            ended=yes
        elif [[ ! $ended && $word == --*=* ]]; then
            _cpctl_option "${word%%=*}" && [[ $kind == countries ]] && country=${word#*=}
        elif [[ ! $ended && $word == --* ]]; then
            _cpctl_option "$word" && [[ $kind != - ]] && wanted=$kind
        elif [[ ! $ended && $word == -?* ]]; then
            _cpctl_cluster "$word"
        elif ((${#subcommands[@]})); then
            path="${path:+$path }$word"
            _cpctl_table "$path" || return 1
        elif [[ ${arguments[0]} == command-line* ]]; then
            begin=$number
            return 0
        else
            ((count++))
        fi
    done
    return 0
}

_cpctl_add() { # offers the word $1, if it begins as what was typed; written so that the shell reads it as one word
    local text=$1
    [[ $text == "$typed"* ]] || return
    case $quote in
        \') [[ $text == *\'* ]] && return ;;
        '"')
            [[ $text == *'!'* ]] && return # history would be put in its place
            text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//\$/\\\$} text=${text//\`/\\\`}
            ;;
        *) [[ $text == *[!A-Za-z0-9_./:=@%+,-]* ]] && printf -v text %q "$text" ;;
    esac
    text=$before$text
    COMPREPLY[${#COMPREPLY[@]}]=${text#"$strip"}
}

_cpctl_ask() { # offers the words of the kind $1 that only cpctl knows
    local word more
    while IFS=$'\t' read -r word more; do
        _cpctl_add "$word"
    done < <(command "$program" __complete "$1" "${plains[@]:1:${#plains[@]}-2}" 2>/dev/null </dev/null)
}

_cpctl_offer() { # offers the words of the kinds $1
    local kind word found
    for kind in ${1//+/ }; do
        [[ $kind == country-states ]] && kind="states-$(printf %s "$country" | tr '[:lower:]' '[:upper:]')"
        case $kind in
            free | states-) ;;
            files) type compopt >/dev/null 2>&1 && compopt -o default ;;
            folders) type compopt >/dev/null 2>&1 && compopt -o dirnames ;;
            commands) while read -r word; do _cpctl_add "$word"; done < <(compgen -c -- "$typed" | sort -u) ;;
            *)
                if _cpctl_known "$kind"; then
                    for word in "${found[@]}"; do _cpctl_add "$word"; done
                else
                    _cpctl_ask "$kind"
                fi
                ;;
        esac
    done
}

_cpctl_options() { # offers the options that were not given yet
    local record names name
    for record in "${switches[@]}" "${shared[@]}"; do
        names=${record%% *}
        [[ $taken == *" $names "* ]] && continue
        names=${names%\*}
        for name in ${names//,/ }; do _cpctl_add "$name"; done
    done
}

_cpctl_argument() { # offers what may stand next without a name
    local last=$((${#arguments[@]} - 1)) argument
    argument=${arguments[count]}
    ((count > last && last >= 0)) && [[ ${arguments[last]} == *\* ]] && argument=${arguments[last]}
    if [[ $argument ]]; then
        _cpctl_offer "${argument%\*}"
    elif [[ ! $ended ]]; then
        _cpctl_options
    fi
}

_cpctl_command() { # completes the command that stands within the line from its word $1 on
    if [[ ${plains[$1]##*/} == cpctl && $1 -lt $((${#words[@]} - 1)) ]]; then
        words=("${words[@]:$1}") plains=("${plains[@]:$1}")
        _cpctl_line
    elif (($1 == ${#words[@]} - 1)); then
        _cpctl_offer commands
    elif type _command_offset >/dev/null 2>&1; then
        _command_offset "${places[$1]}"
    else
        _cpctl_offer files
    fi
}

_cpctl_line() { # completes the last of words
    local switches subcommands arguments path count wanted ended country begin taken kind attached attached_kind name sign
    local last=$((${#words[@]} - 1))
    _cpctl_walk || return
    if [[ ! $begin && ${arguments[0]} == command-line* && ($ended || $typed != -*) && ! $wanted ]]; then
        begin=$last
    fi
    if [[ $begin ]]; then
        _cpctl_command "$begin"
        return
    fi
    if [[ $wanted ]]; then
        _cpctl_offer "$wanted"
    elif [[ ! $ended && $typed == --*=* ]]; then
        name=${typed%%=*}
        _cpctl_option "$name" || return
        [[ $kind == - ]] && return
        before="$name=" typed=${typed#*=}
        _cpctl_offer "$kind"
    elif [[ ! $ended && $typed == -* ]]; then
        [[ $typed == -[!-]?* ]] && _cpctl_cluster "$typed"
        if [[ $attached ]]; then
            before=$attached typed=${typed#"$attached"}
            _cpctl_offer "$attached_kind"
        else
            _cpctl_options
        fi
    elif ((${#subcommands[@]})); then
        for name in "${subcommands[@]}"; do _cpctl_add "$name"; done
    else
        _cpctl_argument
    fi
}

_cpctl() {
    local words places plains=() plain quote shared program sign typed before= strip= current number IFS=$' \t\n'
    COMPREPLY=()
    _cpctl_split
    _cpctl_shared
    for ((number = 0; number < ${#words[@]}; number++)); do
        _cpctl_plain "${words[number]}"
        plains[number]=$plain
    done
    program=${plains[0]/#\~\//$HOME/}
    [[ $program == */* ]] || program=cpctl
    typed=$plain current=${words[${#words[@]} - 1]}
    # Readline puts a reply in place of what stands behind the last of these signs, or behind an open quote.
    if [[ $quote ]]; then
        strip=${current%%"$quote"*}
    else
        for sign in = : @; do
            if [[ $COMP_WORDBREAKS == *"$sign"* && $current == *"$sign"* ]]; then
                [[ ${current%"$sign"*}$sign == "$strip"* ]] && strip=${current%"$sign"*}$sign
            fi
        done
    fi
    _cpctl_line
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=,] ]]; then
        type compopt >/dev/null 2>&1 && compopt -o nospace
    fi
}

if type compopt >/dev/null 2>&1; then
    complete -F _cpctl cpctl
else
    complete -o default -F _cpctl cpctl
fi
