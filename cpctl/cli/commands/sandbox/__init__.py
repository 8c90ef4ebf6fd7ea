"""`cpctl sandbox`: a simulated Cloudprinter on this machine."""

import shlex
import tempfile
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from cpctl.cli.commands.sandbox.run import (
    CONTROL_VARIABLE,
    make_child_environment,
    make_exports,
    run_command,
    shell_exit_status,
)
from cpctl.cli.context import CommandFinished, Context
from cpctl.cli.framework import Commands
from cpctl.cli.options import ExtraFields, Limit, parse_fields
from cpctl.cli.time_args import parse_duration
from cpctl.errors import ConfigError, InvalidInput
from cpctl.files import address_file
from cpctl.output.columns import SANDBOX_FAULT, SANDBOX_REQUEST, SANDBOX_WEBHOOK
from cpctl.output.views import make_columns
from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.faults import FAULT_KINDS, make_fault
from cpctl.sandbox.sandbox_state import DEFAULT_ITEMS_PER_ORDER, DEFAULT_ORDERS
from cpctl.sandbox.server.sandbox_server import Sandbox

commands = Commands()

DEFAULT_PORT = 8900


class SandboxOptions(NamedTuple):
    """The options of a new sandbox."""

    orders: Annotated[int, typer.Option(metavar="N", min=1, help="Number of orders to start with.")] = DEFAULT_ORDERS
    items: Annotated[int, typer.Option(metavar="N", min=1, help="Number of items of each order.")] = (
        DEFAULT_ITEMS_PER_ORDER
    )
    dialect: Annotated[
        str, typer.Option(metavar="NAME", help="Respond as the live service does, or as documented.")
    ] = "live"
    webhook_url: Annotated[
        str | None, typer.Option("--webhook-url", metavar="URL", help="Send webhooks to this URL on this machine.")
    ] = None
    webhook_version: Annotated[
        str, typer.Option("--webhook-version", metavar="VERSION", help="2.0, or 2.1 with the tracking URL of a parcel.")
    ] = "2.0"

    def make_sandbox(self, port: int = 0) -> Sandbox:
        """A sandbox that is not started yet. Raises InvalidInput."""
        url, version = self.webhook_url, self.webhook_version
        return Sandbox(port, self.orders, self.items, dialect=self.dialect, webhook_url=url, webhook_version=version)


@commands.add("serve", "cpctl sandbox serve --port 8900 --ready-file ready")
def serve_sandbox(
    context: Context,
    options: SandboxOptions,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Port to listen on; 0 for a free one.")
    ] = DEFAULT_PORT,
    ready_file: Annotated[
        str | None, typer.Option("--ready-file", metavar="FILE", help="Write the URL to this file once it listens.")
    ] = None,
) -> None:
    """Run a sandbox until it is stopped; prints the variables to use it from a shell."""
    with options.make_sandbox(port) as sandbox:
        context.output.write(f"export {name}={shlex.quote(value)}\n" for name, value in make_exports(sandbox).items())
        with address_file(ready_file) as write_address:
            write_address(sandbox.base_url)
            context.output.note(f"The sandbox listens on {sandbox.base_url}. Ctrl-C stops it.")
            while True:  # one endless wait could not be interrupted on Windows
                time.sleep(3600)


@commands.add(
    "run",
    "cpctl sandbox run -- cpctl signal packed 123456780001 --order 123456780000",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def run_in_sandbox(
    context: Context,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="Command to run against it.")],
    options: SandboxOptions,
) -> None:
    """Run a command with a new sandbox, configuration and store; exit with its status."""
    with (
        options.make_sandbox() as sandbox,
        tempfile.TemporaryDirectory(prefix="cpctl-sandbox-", ignore_cleanup_errors=True) as folder,
    ):
        context.exit_status = shell_exit_status(run_command(command, make_child_environment(sandbox, Path(folder))))
        context.is_work_done = True


@commands.add("reset", "cpctl sandbox reset --orders 100 --items 5")
def reset_sandbox(
    context: Context,
    orders: Annotated[int | None, typer.Option(metavar="N", min=1, help="New number of orders.")] = None,
    items: Annotated[int | None, typer.Option(metavar="N", min=1, help="New number of items of each order.")] = None,
) -> None:
    """Reset a running sandbox: new orders, no requests, no webhooks, no faults."""
    end_if_dry_run(context)
    find_control(context).reset(orders=orders, items=items)
    context.output.note("The sandbox was reset.")


@commands.add("fault", "cpctl sandbox fault status --status 503 --retry-after 30 --times 2")
def set_fault(
    context: Context,
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[KIND]", help=f"{', '.join(FAULT_KINDS)}; or clear. Default: list faults."),
    ] = None,
    path: Annotated[str, typer.Option(metavar="PREFIX", help="Apply only to paths with this prefix.")] = "",
    times: Annotated[int, typer.Option(metavar="N", min=0, help="Number of requests; 0: until it is cleared.")] = 0,
    status: Annotated[int | None, typer.Option(metavar="CODE", help="HTTP status of the response.")] = None,
    retry_after: Annotated[
        str | None, typer.Option("--retry-after", metavar="WHEN", help="Retry-After header: seconds or an HTTP date.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds to wait; for slow-drip, between bytes.")
    ] = None,
) -> None:
    """Inject a fault into a running sandbox, clear all with `clear`, or list the active ones."""
    if kind is None:
        if status or retry_after or seconds or times or path:
            raise InvalidInput("Name the fault to inject.", f"Valid: {', '.join(FAULT_KINDS)}.")
        active = find_control(context).list_faults()
        if not active:
            context.output.note(f"No fault is active. Valid: {', '.join(FAULT_KINDS)}.")
        context.show(active, SANDBOX_FAULT)
    elif kind == "clear":
        end_if_dry_run(context)
        find_control(context).clear_faults()
        context.output.note("No fault is active.")
    else:
        make_fault(kind, path, times, status, retry_after, seconds)  # reports mistakes even if no sandbox runs
        end_if_dry_run(context)
        find_control(context).add_fault(kind, path, times, status, retry_after, seconds)
        context.output.note(f"The fault {kind} is active; `cpctl sandbox fault clear` clears it.")


@commands.add("requests", "cpctl sandbox requests -o json")
def list_requests(context: Context, limit: Limit = 0) -> None:
    """List the requests that a running sandbox received; keys are masked."""
    requests = find_control(context).list_requests()
    if not requests:
        context.output.note("The sandbox has received no requests.")
    context.show(requests[-limit:] if limit else requests, SANDBOX_REQUEST)


@commands.add("orders", "cpctl sandbox orders")
def list_orders(context: Context) -> None:
    """List the orders of a running sandbox, with the latest signal of each item."""
    rows = [
        {"order": order["id"], "item": item["id"], "latest_signal": item["latest_signal"], "signals": item["signals"]}
        for order in find_control(context).get_state()["orders"]
        for item in order["items"]
    ]
    context.answered_calls.append(("sandbox/orders", {}, rows))
    context.show(rows, make_columns("order", "item", "latest_signal"))


@commands.add("advance", "cpctl sandbox advance 10m")
def advance_time(
    context: Context, span: Annotated[str, typer.Argument(metavar="SPAN", help="Time, such as 90s, 10m, 2h or 3d.")]
) -> None:
    """Advance the clock of a running sandbox: orders progress, quotes expire, webhooks are retried."""
    end_if_dry_run(context)
    now = find_control(context).advance_clock(parse_duration(span, "SPAN").total_seconds())
    context.output.note(f"The time of the sandbox is {now:%Y-%m-%d %H:%M:%S} GMT.")


@commands.add("trigger", "cpctl sandbox trigger ItemShipped --item 123456780001")
def trigger_webhook(
    context: Context,
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="ItemShipped, CloudprinterOrderValidated, ...")],
    order: Annotated[str | None, typer.Option(metavar="ORDER", help="Order; default: the first.")] = None,
    item: Annotated[str | None, typer.Option(metavar="ITEM", help="Item; default: the first.")] = None,
    extra_fields: ExtraFields = None,
) -> None:
    """Make a running sandbox send one webhook to its receiver."""
    end_if_dry_run(context)
    fields = {"order": order, "item": item, **parse_fields(extra_fields)}
    given = {name: value for name, value in fields.items() if value is not None}
    context.show([find_control(context).trigger_webhook(event_type, **given)], SANDBOX_WEBHOOK)


@commands.add("webhooks", "cpctl sandbox webhooks --to https://127.0.0.1:8100/webhooks")
def list_webhooks(
    context: Context,
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Send webhooks to this URL on this machine.")
    ] = None,
) -> None:
    """List the webhooks of a running sandbox with their delivery, or set their receiver."""
    if to is not None:
        end_if_dry_run(context)
        find_control(context).set_webhook_url(to)
        context.output.note(f"The sandbox now sends its webhooks to {to}.")
        return
    webhooks = find_control(context).list_webhooks()
    if not webhooks:
        context.output.note("The sandbox has sent no webhooks.")
    context.show(webhooks, SANDBOX_WEBHOOK)


def end_if_dry_run(context: Context) -> None:
    if context.options.dry_run:
        context.output.note("Dry run: the sandbox was not changed.")
        raise CommandFinished


def find_control(context: Context) -> ControlClient:
    """A client of the running sandbox: at the address in its variable, else at the base_url of the profile."""
    if address := context.environment.get(CONTROL_VARIABLE):
        return ControlClient(address)
    try:
        address = context.profile["base_url"]
    except ConfigError:
        address = f"http://127.0.0.1:{DEFAULT_PORT}"
    if not address.startswith("http://"):
        raise InvalidInput(
            f"{address} is not a sandbox.",
            f"Use a sandbox profile (--profile), or set {CONTROL_VARIABLE} to its control address.",
        )
    return ControlClient(address)
