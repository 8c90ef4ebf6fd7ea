"""`cpctl sandbox`: a Cloudprinter on this machine."""

import os
import shlex
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from cpctl.cli.group import Commands
from cpctl.cli.parameters import Limit
from cpctl.cli.run import Run
from cpctl.config.secrets import ENV_NAMES
from cpctl.errors import ConfigError, InvalidInput
from cpctl.output.columns import FAULT, REQUEST, columns
from cpctl.output.files import write_private
from cpctl.sandbox.control import Control
from cpctl.sandbox.faults import FAULTS
from cpctl.sandbox.server import Sandbox
from cpctl.sandbox.state import ITEMS, KEYS, ORDERS

commands = Commands()

DEFAULT_PORT = 8900
CONTROL = "CPCTL_SANDBOX_CONTROL"
Orders = Annotated[int, typer.Option(metavar="N", min=1, help="How many orders it holds.")]
ItemsEach = Annotated[int, typer.Option("--items", metavar="N", min=1, help="How many items each order has.")]


@commands.add("serve", "cpctl sandbox serve --port 8900 --ready-file ready")
def serve_sandbox(
    run: Run,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Port to listen on; 0 for a free one.")
    ] = DEFAULT_PORT,
    ready_file: Annotated[
        str | None, typer.Option("--ready-file", metavar="FILE", help="Written when it listens; holds its address.")
    ] = None,
    orders: Orders = ORDERS,
    items: ItemsEach = ITEMS,
) -> None:
    """Run a sandbox until it is stopped; prints what a shell needs to use it."""
    with Sandbox(port=port, orders=orders, items=items) as sandbox:
        run.output.write(f"export {name}={shlex.quote(value)}\n" for name, value in _environment(sandbox).items())
        ready = Path(ready_file) if ready_file else None
        try:
            if ready:
                write_private(ready, f"{sandbox.base_url}\n")
            run.output.note(f"The sandbox listens on {sandbox.base_url}. Ctrl-C stops it.")
            threading.Event().wait()
        finally:
            if ready:
                ready.unlink(missing_ok=True)


def _environment(sandbox: Sandbox) -> dict[str, str]:
    keys = {ENV_NAMES[service]: key for service, key in KEYS.items()}
    return {"CPCTL_BASE_URL": sandbox.base_url, CONTROL: sandbox.control_url, **keys}


@commands.add(
    "run",
    "cpctl sandbox run -- cpctl signal packed 123456780001 --order 123456780000",
    parsing={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def run_in_sandbox(
    run: Run,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run against it.")],
    orders: Orders = ORDERS,
    items: ItemsEach = ITEMS,
) -> None:
    """Run a command against a fresh sandbox, with a configuration and a store of its own; exit as it does."""
    with (
        Sandbox(orders=orders, items=items) as sandbox,
        tempfile.TemporaryDirectory(prefix="cpctl-sandbox-", ignore_cleanup_errors=True) as folder,
    ):
        run.status = _exit_code(_run_command(command, _child_environment(run, sandbox, Path(folder))))
        run.worked = True


def _child_environment(run: Run, sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """The caller's environment without anything that could lead to the real service."""
    config = folder / "config.yaml"
    write_private(config, _configuration(sandbox))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CPCTL_")}
    # The command finds the cpctl that runs it, also where that one is not installed for everybody.
    path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
    own = {"CPCTL_CONFIG": str(config), "CPCTL_DATA_DIR": str(folder / "data"), CONTROL: sandbox.control_url}
    return {**inherited, "PATH": path, **own}


def _configuration(sandbox: Sandbox) -> str:
    keys = "".join(f"    {service}: {{api_key: {key}}}\n" for service, key in KEYS.items())
    return (
        "default_profile: sandbox\nprofiles:\n  sandbox:\n    environment: sandbox\n"
        f"    base_url: {sandbox.base_url}\n{keys}    shipping_option: GLS\n"
    )


def _run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run a command to its end. Ctrl-C reaches it from the terminal; a SIGTERM to us is passed on."""
    try:
        child = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise InvalidInput(f"{command[0]} cannot be run: {error.strerror}.") from error
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child decides what Ctrl-C means; we exit as it does
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def _exit_code(status: int) -> Any:
    """The status a shell would show: 128 and the signal's number for what a signal ended."""
    return 128 - status if status < 0 else status


@commands.add("reset", "cpctl sandbox reset --orders 100 --items 5")
def reset_sandbox(
    run: Run,
    orders: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many orders from now on.")] = None,
    items: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many items each from now on.")] = None,
) -> None:
    """Make a running sandbox as new: fresh orders, no requests, no faults."""
    control(run).reset(orders=orders, items=items)
    run.output.note("The sandbox is as new.")


@commands.add("fault", "cpctl sandbox fault status --status 503 --retry-after 30 --times 2")
def switch_fault(
    run: Run,
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[KIND]", help=f"{', '.join(FAULTS)}; clear ends all; without one, list them."),
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
    panel = control(run)
    if kind == "clear":
        panel.clear_faults()
        run.output.note("No fault is on.")
    elif kind is not None:
        panel.add_fault(kind, path=path, times=times, status=status, retry_after=retry_after, seconds=seconds)
        run.output.note(f"The fault {kind} is on; `cpctl sandbox fault clear` ends it.")
    else:
        active = panel.faults()
        if not active:
            run.output.note(f"No fault is on. There are: {', '.join(FAULTS)}.")
        run.show(active, FAULT)


@commands.add("requests", "cpctl sandbox requests -o json")
def list_requests(run: Run, limit: Limit = 0) -> None:
    """Show every request a running sandbox received; keys are masked."""
    found = control(run).requests()
    if not found:
        run.output.note("The sandbox has received nothing.")
    run.show(found[-limit:] if limit else found, REQUEST)


@commands.add("orders", "cpctl sandbox orders")
def list_orders(run: Run) -> None:
    """Show the orders of a running sandbox, and what is known of their items."""
    rows = [
        {"order": order["id"], "item": item["id"], "latest": item["latest"], "signals": item["signals"]}
        for order in control(run).state()["orders"]
        for item in order["items"]
    ]
    run.show(rows, columns("order", "item", "latest"))


def control(run: Run) -> Control:
    """The panel of the running sandbox: by its own variable, else at the profile's address."""
    if address := run.environment.get(CONTROL):
        return Control(address)
    try:
        address = run.profile["base_url"]
    except ConfigError:
        address = f"http://127.0.0.1:{DEFAULT_PORT}"
    if not address.startswith("http://"):
        raise InvalidInput(
            f"{address} is not a sandbox.",
            f"Use a sandbox profile (--profile), or set {CONTROL} to its control address.",
        )
    return Control(address)
