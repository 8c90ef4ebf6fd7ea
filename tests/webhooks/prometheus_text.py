"""A strict reader of Prometheus' text format 0.0.4 (prometheus.io, "Exposition formats")."""

import re
from typing import NamedTuple

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{((?:{_LABEL}(?:,{_LABEL})*,?)?)\}})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|NaN|[+-]Inf)")
_HELP = re.compile(rf"# HELP ({_NAME}) ((?:[^\\]|\\[\\n])*)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram|summary|untyped)")


class Family(NamedTuple):
    """One metric: its type, its help, and its samples by their labels as written."""

    kind: str
    meaning: str
    samples: dict[str, float]


def read_families(text: str) -> dict[str, Family]:
    """All metrics of a text. Fails where a line is not as the format wants it."""
    assert text.endswith("\n")
    found: dict[str, Family] = {}
    meaning = ""
    for line in text[:-1].split("\n"):
        if match := _HELP.fullmatch(line):
            assert match[1] not in found, f"twice: {line}"
            name, meaning = match[1], match[2]
        elif match := _TYPE.fullmatch(line):
            assert match[1] == name, f"a TYPE without its HELP: {line}"
            found[name] = Family(match[2], meaning, {})
        else:
            sample = _SAMPLE.fullmatch(line)
            assert sample, f"no sample: {line!r}"
            assert sample[1] == name, f"out of its family: {line}"
            labels = sample[2] or ""
            assert labels not in found[name].samples, f"twice: {line}"
            found[name].samples[labels] = float(sample[3])
    return found
