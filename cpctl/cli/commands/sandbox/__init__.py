"""`cpctl sandbox`: a Cloudprinter on this machine."""

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
from cpctl.output.columns import SANDBOX_FAULT, SANDBOX_REQUEST, SANDBOX_WEBHOOK, make_columns
from cpctl.output.private_files import address_file
from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.faults import FAULT_KINDS, make_fault
from cpctl.sandbox.sandbox_state import DEFAULT_ITEMS_PER_ORDER, DEFAULT_ORDERS
from cpctl.sandbox.server.sandbox_server import Sandbox

commands = Commands()

DEFAULT_PORT = 8900


class SandboxOptions(NamedTuple):
    """What a new sandbox holds, and how it speaks."""

    orders: Annotated[int, typer.Option(metavar="N", min=1, help="How many orders it begins with.")] = DEFAULT_ORDERS
    items: Annotated[int, typer.Option(metavar="N", min=1, help="How many items each of them has.")] = (
        DEFAULT_ITEMS_PER_ORDER
    )
    dialect: Annotated[
        str, typer.Option(metavar="NAME", help="Answers as the live service gives them, or as documented.")
    ] = "live"
    webhook_url: Annotated[
        str | None, typer.Option("--webhook-url", metavar="URL", help="Where to send webhooks; on this machine only.")
    ] = None
    webhook_version: Annotated[
        str, typer.Option("--webhook-version", metavar="VERSION", help="2.0, or 2.1 with the address of a parcel.")
    ] = "2.0"

    def make_sandbox(self, port: int = 0) -> Sandbox:
        """A sandbox of this shape, not started. Raises InvalidInput."""
        return Sandbox(
            port,
            self.orders,
            self.items,
            dialect=self.dialect,
            webhook_url=self.webhook_url,
            webhook_version=self.webhook_version,
        )


@commands.add("serve", "cpctl sandbox serve --port 8900 --ready-file ready")
def serve_sandbox(
    context: Context,
    options: SandboxOptions,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Port to listen on; 0 for a free one.")
    ] = DEFAULT_PORT,
    ready_file: Annotated[
        str | None, typer.Option("--ready-file", metavar="FILE", help="Written when it listens; holds its address.")
    ] = None,
) -> None:
    """Run a sandbox until it is stopped; prints what a shell needs to use it."""
    with options.make_sandbox(port) as sandbox:
        context.output.write(f"export {name}={shlex.quote(value)}\n" for name, value in make_exports(sandbox).items())
        with address_file(ready_file) as write_address:
            write_address(sandbox.base_url)
            context.output.note(f"The sandbox listens on {sandbox.base_url}. Ctrl-C stops it.")
            while True:  # in pieces, because Windows lets nothing interrupt a wait without end
                time.sleep(3600)


@commands.add(
    "run",
    "cpctl sandbox run -- cpctl signal packed 123456780001 --order 123456780000",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def run_in_sandbox(
    context: Context,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run against it.")],
    options: SandboxOptions,
) -> None:
    """Run a command against a fresh sandbox, with a configuration and a store of its own; exit as it does."""
    with (
        options.make_sandbox() as sandbox,
        tempfile.TemporaryDirectory(prefix="cpctl-sandbox-", ignore_cleanup_errors=True) as folder,
    ):
        context.exit_status = shell_exit_status(run_command(command, make_child_environment(sandbox, Path(folder))))
        context.is_work_done = True


@commands.add("reset", "cpctl sandbox reset --orders 100 --items 5")
def reset_sandbox(
    context: Context,
    orders: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many orders from now on.")] = None,
    items: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many items each from now on.")] = None,
) -> None:
    """Make a running sandbox as new: fresh orders, no requests, no faults."""
    end_if_dry_run(context)
    find_control(context).reset(orders=orders, items=items)
    context.output.note("The sandbox is as new.")


@commands.add("fault", "cpctl sandbox fault status --status 503 --retry-after 30 --times 2")
def set_fault(
    context: Context,
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[KIND]", help=f"{', '.join(FAULT_KINDS)}; clear ends all; without one, list them."),
    ] = None,
    path: Annotated[str, typer.Option(metavar="PREFIX", help="Only for paths that begin so.")] = "",
    times: Annotated[int, typer.Option(metavar="N", min=0, help="For so many requests; 0: until it is cleared.")] = 0,
    status: Annotated[int | None, typer.Option(metavar="CODE", help="HTTP status to answer with.")] = None,
    retry_after: Annotated[
        str | None, typer.Option("--retry-after", metavar="WHEN", help="Retry-After header: seconds or an HTTP date.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds to wait; between bytes for a drip.")
    ] = None,
) -> None:
    """Switch a fault of a running sandbox on, end all with `clear`, or list those that are on."""
    if kind is None and (status or retry_after or seconds or times or path):
        raise InvalidInput("Name the fault to switch on.", f"There are: {', '.join(FAULT_KINDS)}.")
    if kind is not None:
        if kind != "clear":  # what is mistyped is said although no sandbox runs
            make_fault(kind, path, times, status, retry_after, seconds)
        end_if_dry_run(context)
    panel = find_control(context)
    if kind == "clear":
        panel.clear_faults()
        context.output.note("No fault is on.")
    elif kind is not None:
        panel.add_fault(kind, path=path, times=times, status=status, retry_after=retry_after, seconds=seconds)
        context.output.note(f"The fault {kind} is on; `cpctl sandbox fault clear` ends it.")
    else:
        active = panel.list_faults()
        if not active:
            context.output.note(f"No fault is on. There are: {', '.join(FAULT_KINDS)}.")
        context.show(active, SANDBOX_FAULT)


@commands.add("requests", "cpctl sandbox requests -o json")
def list_requests(context: Context, limit: Limit = 0) -> None:
    """Show every request a running sandbox received; keys are masked."""
    found = find_control(context).list_requests()
    if not found:
        context.output.note("The sandbox has received nothing.")
    context.show(found[-limit:] if limit else found, SANDBOX_REQUEST)


@commands.add("orders", "cpctl sandbox orders")
def list_orders(context: Context) -> None:
    """Show the orders of a running sandbox, and what is known of their items."""
    rows = [
        {"order": order["id"], "item": item["id"], "latest": item["latest"], "signals": item["signals"]}
        for order in find_control(context).get_state()["orders"]
        for item in order["items"]
    ]
    context.answered_calls.append(("sandbox/orders", {}, rows))
    context.show(rows, make_columns("order", "item", "latest"))


@commands.add("advance", "cpctl sandbox advance 10m")
def advance_time(
    context: Context, span: Annotated[str, typer.Argument(metavar="SPAN", help="How far, such as 90s, 10m, 2h or 3d.")]
) -> None:
    """Put the clock of a running sandbox forward: orders move on, quotes expire, webhooks are tried again."""
    end_if_dry_run(context)
    now = find_control(context).advance_clock(parse_duration(span, "SPAN").total_seconds())
    context.output.note(f"In the sandbox it is {now:%Y-%m-%d %H:%M:%S} GMT.")


@commands.add("trigger", "cpctl sandbox trigger ItemShipped --item 123456780001")
def trigger_webhook(
    context: Context,
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="ItemShipped, CloudprinterOrderValidated, ...")],
    order: Annotated[str | None, typer.Option(metavar="ORDER", help="Its order; the first if none is given.")] = None,
    item: Annotated[str | None, typer.Option(metavar="ITEM", help="Its item; the first if none is given.")] = None,
    extra_fields: ExtraFields = None,
) -> None:
    """Make a running sandbox send one webhook, to the address it was started with."""
    end_if_dry_run(context)
    said = {"order": order, "item": item, **parse_fields(extra_fields)}
    sent = find_control(context).trigger_webhook(
        event_type, **{name: value for name, value in said.items() if value is not None}
    )
    context.show([sent], SANDBOX_WEBHOOK)


@commands.add("webhooks", "cpctl sandbox webhooks --to https://127.0.0.1:8100/webhooks")
def list_webhooks(
    context: Context,
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Send them there from now on; on this machine only.")
    ] = None,
) -> None:
    """Show every webhook of a running sandbox, and whether it was delivered; or say where they go."""
    if to is not None:
        end_if_dry_run(context)
        find_control(context).set_webhook_url(to)
        context.output.note(f"The sandbox sends its webhooks to {to} from now on.")
        return
    found = find_control(context).list_webhooks()
    if not found:
        context.output.note("The sandbox has sent no webhook.")
    context.show(found, SANDBOX_WEBHOOK)


def end_if_dry_run(context: Context) -> None:
    """In a dry run, say so and end: the sandbox is left as it is."""
    if context.options.dry_run:
        context.output.note("Dry run: the sandbox is left as it is.")
        raise CommandFinished


def find_control(context: Context) -> ControlClient:
    """The panel of the running sandbox: by its own variable, else at the profile's address."""
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
