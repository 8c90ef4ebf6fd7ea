"""Units for systemd: a service that keeps on, or one that a timer starts.

The lines of hardening are those of systemd.exec(5). docs/services.md says what each is for.
"""

import shlex
from collections.abc import Iterator

from cpctl.service_units.escaping import escape_percent, quote_word, render_exec_start
from cpctl.service_units.service_plan import STATE_FOLDER, ServicePlan, UnitFile, check_program_path

# Done by the kernel for any process that asks; also in a person's own units.
HARDENING = (
    "UMask=0077",
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
)
# Need a view of the file system, or capabilities, that only the system's own systemd can give.
SYSTEM_HARDENING = (
    "CapabilityBoundingSet=",
    "PrivateDevices=yes",
    "ProtectSystem=strict",
    "ProtectControlGroups=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
)
# It never gives up: a signal that waits is worth a start every ten seconds. A wrong command line mends itself never.
RESTART_POLICY = ("Restart=on-failure", "RestartSec=10s", "RestartPreventExitStatus=2")
SIGTERM_IS_SUCCESS = "SuccessExitStatus=143"


def render_unit_files(plan: ServicePlan) -> list[UnitFile]:
    """The files of a plan, the service first. Raises InvalidInput for a program that systemd would not run."""
    check_program_path(plan.program[0])
    names = [f"{plan.name}.service", *([f"{plan.name}.timer"] if plan.interval_seconds else [])]
    texts = [f"{_render_header(plan, names)}\n{_render_service(plan)}", f"\n{_render_timer(plan)}"]
    files = [f"{plan.unit_folder}/{name}" for name in names]
    return [UnitFile(file, f"# {file}\n{text}") for file, text in zip(files, texts, strict=False)]


def _render_header(plan: ServicePlan, names: list[str]) -> str:
    """What a person has to do, as comments."""
    sudo, user = ("sudo ", "") if plan.account else ("", " --user")
    lines = [f"# Printed by `cpctl service print {plan.service.name}`; docs/services.md explains it.", "#"]
    for remark in (*plan.comments, *(plan.credential.comments if plan.credential else ())):
        lines += [f"# {remark}"]
    started = names[-1]
    lines += [
        "#",
        "# Install, from the folder where `--write FOLDER` has put it:",
        f"#   {sudo}install -D -m 644 -t {shlex.quote(plan.unit_folder)} {' '.join(names)}",
        f"#   {sudo}systemctl{user} daemon-reload",
        f"#   {sudo}systemctl{user} enable --now {started}",
        f"# Follow: journalctl{user} --unit {names[0]} --follow",
    ]
    if not plan.account:
        lines += ["# To run while you are not logged in: loginctl enable-linger"]
    return "\n".join(lines) + "\n"


def _render_service(plan: ServicePlan) -> str:
    sections = [("Unit", _unit_directives(plan)), ("Service", list(_service_directives(plan)))]
    if not plan.interval_seconds:
        target = "multi-user.target" if plan.account else "default.target"
        sections.append(("Install", [f"WantedBy={target}"]))
    return _render_sections(sections)


def _render_timer(plan: ServicePlan) -> str:
    """Counted from the end of the last run, so that runs never overlap; also after one that failed."""
    every = f"{plan.interval_seconds // 60}min" if plan.interval_seconds % 60 == 0 else f"{plan.interval_seconds}s"
    times = ["OnActiveSec=10s", f"OnUnitInactiveSec={every}", "AccuracySec=5s"]
    unit = f"Description={plan.service.description}, every {every}"
    return _render_sections([("Unit", [unit]), ("Timer", times), ("Install", ["WantedBy=timers.target"])])


def _render_sections(sections: list[tuple[str, list[str]]]) -> str:
    return "\n".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections)


def _unit_directives(plan: ServicePlan) -> list[str]:
    lines = [f"Description={plan.service.description}"]
    if plan.account:  # a person's own systemd knows nothing of the network
        lines += ["Wants=network-online.target", "After=network-online.target"]
    return lines if plan.interval_seconds else [*lines, "StartLimitIntervalSec=0"]


def _service_directives(plan: ServicePlan) -> Iterator[str]:
    yield from ("Type=oneshot",) if plan.interval_seconds else plan.service.directives
    command = plan.service.one_shot_command if plan.interval_seconds else plan.service.command
    yield "ExecStart=" + render_exec_start(*plan.program, *command, *plan.options)
    if plan.account:
        yield f"User={plan.account}"
    yield from (f"Environment={quote_word(f'{name}={value}')}" for name, value in plan.environment)
    if not plan.store_folder:
        yield f"Environment=CPCTL_DATA_DIR=%S/{STATE_FOLDER}"
    if plan.credential is not None:
        yield f"Environment={plan.credential.variable}=%d/{plan.credential.service_name}"
        yield f"LoadCredential={plan.credential.service_name}:{escape_percent(plan.credential.file)}"
    yield from () if plan.interval_seconds else RESTART_POLICY
    yield SIGTERM_IS_SUCCESS
    yield from HARDENING
    if plan.account:
        yield from _file_system_directives(plan)


def _file_system_directives(plan: ServicePlan) -> Iterator[str]:
    """What it sees of the file system, and the one folder it writes to."""
    yield from SYSTEM_HARDENING
    if not plan.needs_tmp:
        yield "PrivateTmp=yes"
    if plan.store_folder:
        # "-": where the folder is not there yet, cpctl says so itself, and the next start finds it.
        yield "ProtectHome=read-only"
        yield "ReadWritePaths=" + quote_word(f"-{plan.store_folder}")
    else:
        yield "ProtectHome=yes"
        yield f"StateDirectory={STATE_FOLDER}"
        yield "StateDirectoryMode=0700"
