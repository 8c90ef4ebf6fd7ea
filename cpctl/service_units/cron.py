"""Lines for a crontab, where there is no systemd."""

from cpctl.errors import InvalidInput
from cpctl.service_units.escaping import escape_cron_command, quote_cron_word
from cpctl.service_units.service_plan import ServicePlan

# Debian's cron refuses a longer command.
MAX_COMMAND_LENGTH = 998
MINUTE, HOUR, DAY = 60, 3600, 86_400


def render_cron_line(plan: ServicePlan) -> str:
    """The line that does the work of the plan. Raises InvalidInput where cron cannot."""
    values = [f"{name}={quote_cron_word(value)}" for name, value in plan.environment]
    if plan.credential is not None:
        values.append(f"{plan.credential.variable}={quote_cron_word(plan.credential.file)}")
    command = " ".join([*values, _render_command(plan)])
    if len(command) > MAX_COMMAND_LENGTH:
        raise InvalidInput(
            f"The cron line would have {len(command)} characters; some crons take {MAX_COMMAND_LENGTH}.",
            "Use shorter paths, or write the command into a script of your own.",
        )
    return f"{_render_schedule(plan.interval_seconds or 2 * MINUTE) if plan.service.one_shot_command else '* * * * *'} {command}\n"


def _render_command(plan: ServicePlan) -> str:
    """What cron starts: a short run, or each minute a service that ends at once where one already runs."""
    command = plan.service.one_shot_command or plan.service.command
    words = " ".join(quote_cron_word(word) for word in (*plan.program, *command, *plan.options))
    if plan.service.one_shot_command:
        return words
    lock = escape_cron_command(f'flock -n -E 0 "$HOME/.{plan.name}.lock"')
    return f"{lock} {words} 2>&1 | logger -t {plan.name}"


def _render_schedule(interval_seconds: int) -> str:
    """The five fields for a span that divides the hour or the day. Raises InvalidInput for any other."""
    if interval_seconds == DAY:
        return "0 0 * * *"
    if interval_seconds % HOUR == 0 and DAY % interval_seconds == 0:
        return "0 * * * *" if interval_seconds == HOUR else f"0 */{interval_seconds // HOUR} * * *"
    if interval_seconds % MINUTE == 0 and HOUR % interval_seconds == 0:
        return "* * * * *" if interval_seconds == MINUTE else f"*/{interval_seconds // MINUTE} * * * *"
    raise InvalidInput(
        f"cron cannot run something every {interval_seconds} seconds.",
        "Use --every 1m, 2m, 5m, 10m, 15m, 30m, 1h, 2h, 6h or 1d.",
    )
