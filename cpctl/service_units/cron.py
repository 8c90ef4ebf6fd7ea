"""Lines for a crontab, where there is no systemd."""

from cpctl.errors import InvalidInput
from cpctl.service_units.escaping import cron_word, for_cron
from cpctl.service_units.service_plan import Plan

# Debian's cron refuses a longer command.
LONGEST_COMMAND = 998
MINUTE, HOUR, DAY = 60, 3600, 86_400


def cron_line(plan: Plan) -> str:
    """The line that does the work of the plan. Raises InvalidInput where cron cannot."""
    values = [f"{name}={cron_word(value)}" for name, value in plan.environment]
    if plan.credential is not None:
        values.append(f"{plan.credential.variable}={cron_word(plan.credential.file)}")
    command = " ".join([*values, _started(plan)])
    if len(command) > LONGEST_COMMAND:
        raise InvalidInput(
            f"The cron line would have {len(command)} characters; some crons take {LONGEST_COMMAND}.",
            "Use shorter paths, or write the command into a script of your own.",
        )
    return f"{_moments(plan.every or 2 * MINUTE) if plan.service.once else '* * * * *'} {command}\n"


def _started(plan: Plan) -> str:
    """What cron starts: a short run, or each minute a service that ends at once where one already runs."""
    command = plan.service.once or plan.service.command
    words = " ".join(cron_word(word) for word in (*plan.program, *command, *plan.words))
    if plan.service.once:
        return words
    lock = for_cron(f'flock -n -E 0 "$HOME/.{plan.name}.lock"')
    return f"{lock} {words} 2>&1 | logger -t {plan.name}"


def _moments(every: int) -> str:
    """The five fields for a span that divides the hour or the day. Raises InvalidInput for any other."""
    if every == DAY:
        return "0 0 * * *"
    if every % HOUR == 0 and DAY % every == 0:
        return "0 * * * *" if every == HOUR else f"0 */{every // HOUR} * * *"
    if every % MINUTE == 0 and HOUR % every == 0:
        return "* * * * *" if every == MINUTE else f"*/{every // MINUTE} * * * *"
    raise InvalidInput(
        f"cron cannot run something every {every} seconds.", "Use --every 1m, 2m, 5m, 10m, 15m, 30m, 1h, 2h, 6h or 1d."
    )
