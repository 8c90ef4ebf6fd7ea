"""Lines for a crontab (crontab(5)), for machines without systemd."""

import shlex

from cpctl.errors import InvalidInput
from cpctl.service_units.service_plan import ServicePlan, reject_control_characters

# Debian's cron refuses a longer command.
MAX_COMMAND_LENGTH = 998
MINUTE, HOUR, DAY = 60, 3600, 86_400


def render_cron_line(plan: ServicePlan) -> str:
    """The crontab line of a plan. Raises InvalidInput if cron cannot run it."""
    variables = [*plan.environment]
    if plan.credential is not None:
        variables.append((plan.credential.variable, plan.credential.file))
    command = " ".join([*(f"{name}={_quote_word(value)}" for name, value in variables), _render_command(plan)])
    reject_control_characters(command)
    if len(command) > MAX_COMMAND_LENGTH:
        raise InvalidInput(
            f"The cron line would be {len(command)} characters long; some crons accept only {MAX_COMMAND_LENGTH}.",
            "Use shorter paths, or put the command into a script.",
        )
    is_one_shot = bool(plan.service.one_shot_command)
    schedule = _render_schedule(plan.interval_seconds or 2 * MINUTE) if is_one_shot else "* * * * *"
    return f"{schedule} {command}\n"


def _render_command(plan: ServicePlan) -> str:
    """A run that ends, or a service that cron tries to start each minute and that a lock keeps from running twice."""
    command = plan.service.one_shot_command or plan.service.command
    words = " ".join(_quote_word(word) for word in (*plan.program, *command, *plan.options))
    if plan.service.one_shot_command:
        return words
    lock = _escape_command(f'flock -n -E 0 "$HOME/.{plan.name}.lock"')
    return f"{lock} {words} 2>&1 | logger -t {plan.name}"


def _render_schedule(interval_seconds: int) -> str:
    if interval_seconds == DAY:
        return "0 0 * * *"
    if interval_seconds % HOUR == 0 and DAY % interval_seconds == 0:
        return "0 * * * *" if interval_seconds == HOUR else f"0 */{interval_seconds // HOUR} * * *"
    if interval_seconds % MINUTE == 0 and HOUR % interval_seconds == 0:
        return "* * * * *" if interval_seconds == MINUTE else f"*/{interval_seconds // MINUTE} * * * *"
    raise InvalidInput(
        f"cron cannot run a command every {interval_seconds} seconds.",
        "Use --every 1m, 2m, 5m, 10m, 15m, 30m, 1h, 2h, 6h or 1d.",
    )


def _quote_word(text: str) -> str:
    return _escape_command(shlex.quote(text))


def _escape_command(command: str) -> str:
    """Escape a shell command for a crontab. Raises InvalidInput for a backslash, which crons read differently."""
    if "\\" in command:
        raise InvalidInput(
            f"A cron line cannot contain a backslash: {command}",
            "Use another name or path, or `cpctl service print` without --cron.",
        )
    return command.replace("%", "\\%")
