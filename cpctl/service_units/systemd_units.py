"""Units for systemd: a service that keeps on, or one that a timer starts.

The lines of hardening are those of systemd.exec(5). docs/services.md says what each is for.
"""

import shlex
from collections.abc import Iterator

from cpctl.service_units.escaping import command_line, literal, quoted
from cpctl.service_units.service_plan import STATE_FOLDER, Plan, UnitFile, refuse_odd_program

# Done by the kernel for any process that asks; also in a person's own units.
HARDENED = (
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
HARDENED_BY_ROOT = (
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
KEPT_ALIVE = ("Restart=on-failure", "RestartSec=10s", "RestartPreventExitStatus=2")
STOPPED_BY_SIGTERM = "SuccessExitStatus=143"


def unit_files(plan: Plan) -> list[UnitFile]:
    """The files of a plan, the service first. Raises InvalidInput for a program that systemd would not run."""
    refuse_odd_program(plan.program[0])
    names = [f"{plan.name}.service", *([f"{plan.name}.timer"] if plan.every else [])]
    texts = [f"{_head(plan, names)}\n{_service(plan)}", f"\n{_timer(plan)}"]
    files = [f"{plan.folder}/{name}" for name in names]
    return [UnitFile(file, f"# {file}\n{text}") for file, text in zip(files, texts, strict=False)]


def _head(plan: Plan, names: list[str]) -> str:
    """What a person has to do, as comments."""
    sudo, user = ("sudo ", "") if plan.account else ("", " --user")
    lines = [f"# Printed by `cpctl service print {plan.service.name}`; docs/services.md explains it.", "#"]
    for remark in (*plan.remarks, *(plan.credential.remarks if plan.credential else ())):
        lines += [f"# {remark}"]
    started = names[-1]
    lines += [
        "#",
        "# Install, from the folder where `--write FOLDER` has put it:",
        f"#   {sudo}install -D -m 644 -t {shlex.quote(plan.folder)} {' '.join(names)}",
        f"#   {sudo}systemctl{user} daemon-reload",
        f"#   {sudo}systemctl{user} enable --now {started}",
        f"# Follow: journalctl{user} --unit {names[0]} --follow",
    ]
    if not plan.account:
        lines += ["# To run while you are not logged in: loginctl enable-linger"]
    return "\n".join(lines) + "\n"


def _service(plan: Plan) -> str:
    sections = [("Unit", _unit_lines(plan)), ("Service", list(_service_lines(plan)))]
    if not plan.every:
        target = "multi-user.target" if plan.account else "default.target"
        sections.append(("Install", [f"WantedBy={target}"]))
    return _text(sections)


def _timer(plan: Plan) -> str:
    """Counted from the end of the last run, so that runs never overlap; also after one that failed."""
    every = f"{plan.every // 60}min" if plan.every % 60 == 0 else f"{plan.every}s"
    times = ["OnActiveSec=10s", f"OnUnitInactiveSec={every}", "AccuracySec=5s"]
    unit = f"Description={plan.service.sentence}, every {every}"
    return _text([("Unit", [unit]), ("Timer", times), ("Install", ["WantedBy=timers.target"])])


def _text(sections: list[tuple[str, list[str]]]) -> str:
    return "\n".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections)


def _unit_lines(plan: Plan) -> list[str]:
    lines = [f"Description={plan.service.sentence}"]
    if plan.account:  # a person's own systemd knows nothing of the network
        lines += ["Wants=network-online.target", "After=network-online.target"]
    return lines if plan.every else [*lines, "StartLimitIntervalSec=0"]


def _service_lines(plan: Plan) -> Iterator[str]:
    yield from ("Type=oneshot",) if plan.every else plan.service.lines
    command = plan.service.once if plan.every else plan.service.command
    yield "ExecStart=" + command_line(*plan.program, *command, *plan.words)
    if plan.account:
        yield f"User={plan.account}"
    yield from (f"Environment={quoted(f'{name}={value}')}" for name, value in plan.environment)
    if not plan.store:
        yield f"Environment=CPCTL_DATA_DIR=%S/{STATE_FOLDER}"
    if plan.credential is not None:
        yield f"Environment={plan.credential.variable}=%d/{plan.credential.name}"
        yield f"LoadCredential={plan.credential.name}:{literal(plan.credential.file)}"
    yield from () if plan.every else KEPT_ALIVE
    yield STOPPED_BY_SIGTERM
    yield from HARDENED
    if plan.account:
        yield from _walls(plan)


def _walls(plan: Plan) -> Iterator[str]:
    """What it sees of the file system, and the one folder it writes to."""
    yield from HARDENED_BY_ROOT
    if not plan.sees_tmp:
        yield "PrivateTmp=yes"
    if plan.store:
        # "-": where the folder is not there yet, cpctl says so itself, and the next start finds it.
        yield "ProtectHome=read-only"
        yield "ReadWritePaths=" + quoted(f"-{plan.store}")
    else:
        yield "ProtectHome=yes"
        yield f"StateDirectory={STATE_FOLDER}"
        yield "StateDirectoryMode=0700"
