"""A strict reader of Prometheus' text format 0.0.4 (prometheus.io, "Exposition formats")."""

import re
from typing import NamedTuple

_NAME_PATTERN = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL_PATTERN = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE_PATTERN = re.compile(
    rf"({_NAME_PATTERN})(?:\{{((?:{_LABEL_PATTERN}(?:,{_LABEL_PATTERN})*,?)?)\}})? "
    r"(-?[0-9.]+(?:e[+-]?[0-9]+)?|NaN|[+-]Inf)"
)
_HELP_PATTERN = re.compile(rf"# HELP ({_NAME_PATTERN}) ((?:[^\\]|\\[\\n])*)")
_TYPE_PATTERN = re.compile(rf"# TYPE ({_NAME_PATTERN}) (counter|gauge|histogram|summary|untyped)")


class MetricFamily(NamedTuple):
    """One metric: its type, its help, and its samples by their labels as written."""

    type: str
    help: str
    samples: dict[str, float]


def parse_metrics(text: str) -> dict[str, MetricFamily]:
    """All metrics of a text. Fails for a line that breaks the format."""
    assert text.endswith("\n")
    found: dict[str, MetricFamily] = {}
    meaning = ""
    for line in text[:-1].split("\n"):
        if match := _HELP_PATTERN.fullmatch(line):
            assert match[1] not in found, f"twice: {line}"
            name, meaning = match[1], match[2]
        elif match := _TYPE_PATTERN.fullmatch(line):
            assert match[1] == name, f"a TYPE without its HELP: {line}"
            found[name] = MetricFamily(match[2], meaning, {})
        else:
            sample = _SAMPLE_PATTERN.fullmatch(line)
            assert sample, f"no sample: {line!r}"
            assert sample[1] == name, f"out of its family: {line}"
            labels = sample[2] or ""
            assert labels not in found[name].samples, f"twice: {line}"
            found[name].samples[labels] = float(sample[3])
    return found
