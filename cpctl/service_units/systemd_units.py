"""systemd units, filled from the templates beside this module. docs/services.md explains their lines."""

import re
import shlex
from collections.abc import Iterable
from importlib import resources
from itertools import chain
from string import Template

from cpctl.errors import InvalidInput
from cpctl.service_units.service_plan import STATE_FOLDER, ServicePlan, UnitFile, reject_control_characters

# The service never stops retrying: waiting signals are worth a start every ten seconds. Only a wrong command line
# (exit status 2) cannot get better.
_RESTART = ("Restart=on-failure", "RestartSec=10s", "RestartPreventExitStatus=2")
# The manager of a user has no network-online.target.
_NETWORK = ("Wants=network-online.target", "After=network-online.target")
_UNQUOTED_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_PLACEHOLDER_LINE = re.compile(r"\$(\w+)")


def render_unit_files(plan: ServicePlan) -> list[UnitFile]:
    """The files of a plan, the service first. Raises InvalidInput for paths that systemd cannot use."""
    _check_paths(plan)
    files = [UnitFile(f"{plan.unit_folder}/{plan.name}.service", _render_service(plan))]
    if plan.interval_seconds:
        file, seconds = f"{plan.unit_folder}/{plan.name}.timer", plan.interval_seconds
        interval = f"{seconds}s" if seconds % 60 else f"{seconds // 60}min"
        content = _fill("unit.timer", file=file, description=plan.service.description, interval=interval)
        files.append(UnitFile(file, content))
    return files


def _check_paths(plan: ServicePlan) -> None:
    """systemd.service(5) allows no quotes in the path of a program; LoadCredential= cuts the end of a path."""
    program, key_file = plan.program[0], plan.credential.file if plan.credential else ""
    if any(character in program for character in "\"'\\"):
        raise InvalidInput(
            f"systemd cannot run a program with a quote or a backslash in its path: {program}",
            "Install cpctl elsewhere, or use --cron.",
        )
    if key_file != key_file.rstrip(" \\"):
        raise InvalidInput(f'The key file "{key_file}" ends in a space or a backslash.', "Use another name.")


def _render_service(plan: ServicePlan) -> str:
    is_system, is_timed = bool(plan.account), bool(plan.interval_seconds)
    unit = f"{plan.name}.service"
    names = [unit, f"{plan.name}.timer"] if is_timed else [unit]
    notes = (*plan.comments, *(plan.credential.comments if plan.credential else ()))
    command = plan.service.one_shot_command if is_timed else plan.service.command
    return _fill(
        "unit.service",
        file=f"{plan.unit_folder}/{unit}",
        service=plan.service.name,
        notes=[f"# {note}" for note in notes],
        sudo="sudo " if is_system else "",
        folder=shlex.quote(plan.unit_folder),
        files=" ".join(names),
        user_option="" if is_system else " --user",
        started_unit=names[-1],
        unit=unit,
        linger_note="" if is_system else "# To run while you are not logged in: loginctl enable-linger",
        description=plan.service.description,
        network=_NETWORK if is_system else "",
        start_limit="" if is_timed else "StartLimitIntervalSec=0",
        type="Type=oneshot" if is_timed else plan.service.directives,
        command=_render_exec_start(*plan.program, *command, *plan.options),
        user=f"User={plan.account}" if is_system else "",
        environment=_environment(plan),
        restart="" if is_timed else _RESTART,
        isolation=_isolation(plan) if is_system else [],
        install=[] if is_timed else ["[Install]", f"WantedBy={'multi-user' if is_system else 'default'}.target"],
    )


def _environment(plan: ServicePlan) -> list[str]:
    lines = [f"Environment={_quote_word(f'{name}={value}')}" for name, value in plan.environment]
    if not plan.store_folder:
        lines.append(f"Environment=CPCTL_DATA_DIR=%S/{STATE_FOLDER}")
    if plan.credential is not None:
        name = plan.credential.service_name
        lines.append(f"Environment={plan.credential.variable}=%d/{name}")
        lines.append(f"LoadCredential={name}:{plan.credential.file.replace('%', '%%')}")
    return lines


def _isolation(plan: ServicePlan) -> list[str]:
    """The lines that only the system's manager can apply: what the service sees of the file system."""
    if plan.store_folder:
        # "-": if the folder is missing, the service starts, and cpctl reports it.
        folders = ["ProtectHome=read-only", "ReadWritePaths=" + _quote_word(f"-{plan.store_folder}")]
    else:
        folders = ["ProtectHome=yes", f"StateDirectory={STATE_FOLDER}", "StateDirectoryMode=0700"]
    private_tmp = "" if plan.needs_tmp else "PrivateTmp=yes"
    return _fill("isolation.conf", private_tmp=private_tmp, folders=folders).splitlines()


def _fill(template: str, **values: str | Iterable[str]) -> str:
    """Fill a template. A list becomes lines; a line that is only a placeholder is left out if its value is empty.

    No value can add lines: raises InvalidInput for a text with a line break.
    """
    lists = {name: [value] if isinstance(value, str) else list(value) for name, value in values.items()}
    for line in chain.from_iterable(lists.values()):
        reject_control_characters(line)
    texts = {name: "\n".join(lines) for name, lines in lists.items()}
    text = (resources.files("cpctl.service_units") / "templates" / template).read_text(encoding="utf-8")
    placeholders = ((line, _PLACEHOLDER_LINE.fullmatch(line)) for line in text.splitlines())
    lines = [line for line, placeholder in placeholders if placeholder is None or texts[placeholder[1]]]
    return Template("\n".join(lines)).substitute(texts).rstrip("\n") + "\n"


def _quote_word(text: str) -> str:
    """A text as one word of a setting that is split into words: systemd.syntax(7), and systemd.unit(5) for `%`."""
    escaped = text.replace("%", "%%")
    if _UNQUOTED_WORD.fullmatch(escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _render_exec_start(program: str, *words: str) -> str:
    """A command for `ExecStart=`. systemd expands variables in its words, but not in the path of the program."""
    return " ".join([_quote_word(program), *(_quote_word(word.replace("$", "$$")) for word in words)])
