"""`cpctl sandbox`: a simulated Cloudprinter on this machine."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.cli.context import CommandFinished, Context
from cpctl.cli.executable import find_own_command
from cpctl.cli.framework import Commands
from cpctl.cli.options import ExtraFields, Limit, parse_fields
from cpctl.cli.time_args import parse_duration
from cpctl.config.keys import KEY_VARIABLES
from cpctl.errors import ConfigError, InvalidInput
from cpctl.files import address_file, write_private
from cpctl.output.columns import SANDBOX_FAULT, SANDBOX_REQUEST, SANDBOX_WEBHOOK
from cpctl.output.views import make_columns
from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.faults import FAULT_KINDS, make_fault
from cpctl.sandbox.sandbox_state import API_KEYS, DEFAULT_ITEMS_PER_ORDER, DEFAULT_ORDERS
from cpctl.sandbox.server.sandbox_server import Sandbox

commands = Commands()

DEFAULT_PORT = 8900
CONTROL_VARIABLE = "CPCTL_SANDBOX_CONTROL"
NewWebhookUrl = Annotated[str | None, typer.Option(metavar="URL", help="Send webhooks to this URL on this machine.")]


class SandboxOptions(NamedTuple):
    """The options of a new sandbox."""

    orders: Annotated[int, typer.Option(metavar="N", min=1, help="Number of orders to start with.")] = DEFAULT_ORDERS
    items: Annotated[int, typer.Option(metavar="N", min=1, help="Number of items per order.")] = DEFAULT_ITEMS_PER_ORDER
    dialect: Annotated[
        str, typer.Option(metavar="NAME", help="Respond as the live service does, or as documented.")
    ] = "live"
    webhook_url: NewWebhookUrl = None
    webhook_version: Annotated[
        str, typer.Option("--webhook-version", metavar="VERSION", help="2.0, or 2.1 with the tracking URL of a parcel.")
    ] = "2.0"

    def make_sandbox(self, port: int = 0) -> Sandbox:
        """A sandbox that is not started yet. Raises InvalidInput."""
        return Sandbox(port, **self._asdict())


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
        status: Any = run_command(command, make_child_environment(sandbox, Path(folder)))
        # As a shell reports it: 128 plus the number of the signal that ended the child.
        context.exit_status = 128 - status if status < 0 else status
        context.is_work_done = True


@commands.add("reset", "cpctl sandbox reset --orders 100 --items 5")
def reset_sandbox(
    context: Context,
    orders: Annotated[int | None, typer.Option(metavar="N", min=1, help="New number of orders.")] = None,
    items: Annotated[int | None, typer.Option(metavar="N", min=1, help="New number of items per order.")] = None,
) -> None:
    """Reset a running sandbox: new orders, no requests, no webhooks, no faults."""
    find_control(context, will_change=True).reset(orders=orders, items=items)
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
        find_control(context, will_change=True).clear_faults()
        context.output.note("No fault is active.")
    else:
        fault = make_fault(kind, path, times, status, retry_after, seconds)  # reports mistakes even if no sandbox runs
        find_control(context, will_change=True).add_fault(**fault.as_json())
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
    now = find_control(context, will_change=True).advance_clock(parse_duration(span, "SPAN").total_seconds())
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
    fields = {"order": order, "item": item, **parse_fields(extra_fields)}
    given = {name: value for name, value in fields.items() if value is not None}
    context.show([find_control(context, will_change=True).trigger_webhook(event_type, **given)], SANDBOX_WEBHOOK)


@commands.add("webhooks", "cpctl sandbox webhooks --to https://127.0.0.1:8100/webhooks")
def list_webhooks(context: Context, to: NewWebhookUrl = None) -> None:
    """List the webhooks of a running sandbox with their delivery, or set their receiver."""
    if to is not None:
        find_control(context, will_change=True).set_webhook_url(to)
        context.output.note(f"The sandbox now sends its webhooks to {to}.")
        return
    webhooks = find_control(context).list_webhooks()
    if not webhooks:
        context.output.note("The sandbox has sent no webhooks.")
    context.show(webhooks, SANDBOX_WEBHOOK)


def find_control(context: Context, will_change: bool = False) -> ControlClient:
    """A client of the running sandbox: at the address in its variable, else at the base_url of the profile.

    A dry run ends before a command that will change the sandbox.
    """
    if will_change and context.options.dry_run:
        context.output.note("Dry run: the sandbox was not changed.")
        raise CommandFinished
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


def make_exports(sandbox: Sandbox) -> dict[str, str]:
    keys = {KEY_VARIABLES[service]: key for service, key in API_KEYS.items()}
    return {"CPCTL_BASE_URL": sandbox.base_url, CONTROL_VARIABLE: sandbox.control_url, **keys}


def make_child_environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """The caller's environment without anything that could lead to the real service."""
    config = folder / "config.yaml"
    write_private(config, render_configuration(sandbox))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CPCTL_")}
    path = os.pathsep.join([str(ensure_command_folder(folder)), inherited.get("PATH", os.defpath)])
    folders = {"CPCTL_DATA_DIR": str(folder / "data"), "CPCTL_CACHE_DIR": str(folder / "cache")}
    return {**inherited, "PATH": path, "CPCTL_CONFIG": str(config), **folders, CONTROL_VARIABLE: sandbox.control_url}


def render_configuration(sandbox: Sandbox) -> str:
    keys = "".join(f"    {service}: {{api_key: {key}}}\n" for service, key in API_KEYS.items())
    return (
        "default_profile: sandbox\nprofiles:\n  sandbox:\n    environment: sandbox\n"
        f"    base_url: {sandbox.base_url}\n{keys}    shipping_option: GLS\n"
    )


def ensure_command_folder(folder: Path) -> Path:
    """A folder where `cpctl` is this cpctl: the one it is installed in, else a new one with launchers."""
    command = find_own_command()
    if command[1:] == ["-m", "cpctl"]:
        for installed in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
            if shutil.which("cpctl", path=str(installed)):
                return installed
    launchers = folder / "bin"
    launchers.mkdir()
    for name, text in make_launchers(command).items():
        (launchers / name).write_text(text, encoding="utf-8", newline="\r\n" if name.endswith(".cmd") else "\n")
        (launchers / name).chmod(0o700)
    return launchers


def make_launchers(command: list[str]) -> dict[str, str]:
    """Scripts that run the command with their arguments, for sh and for cmd.exe, by file name."""
    quoted = " ".join(f'"{word}"' for word in command).replace("%", "%%")
    return {"cpctl": f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', "cpctl.cmd": f"@{quoted} %*\n"}


def run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run a command to its end; returns its exit status. Ctrl-C reaches it from the terminal; SIGTERM is passed on."""
    program = command[0]
    if os.name == "nt":  # Popen ignores the new PATH there and finds only .exe files
        program = shutil.which(program, path=environment.get("PATH")) or program
    try:
        child = subprocess.Popen([program, *command[1:]], env=environment)
    except OSError as error:
        raise InvalidInput(f"Cannot run {command[0]}: {error.strerror}.") from error
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child decides what Ctrl-C does
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
