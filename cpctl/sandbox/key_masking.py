"""Masking of API keys in everything the sandbox stores."""

from collections.abc import Iterable, Iterator, Mapping

from cpctl.masking import MASK

# Deeper than any document of the API. Anything below is masked whole, so that nesting cannot exhaust the stack.
_MAX_DEPTH = 40
# A shorter text sent as a key is not a real key, and masking it everywhere would garble the body.
_MIN_KEY_LENGTH = 8


def mask_keys(value: object, keys: Iterable[str]) -> object:
    """A copy without these keys, without the values of fields named `apikey`, and without repeats of those."""
    return _mask_value(value, sorted({*keys, *_find_keys(value, 0)}, key=len, reverse=True), 0)


def _mask_value(value: object, keys: list[str], depth: int) -> object:
    if depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, str):
        return _mask_text(value, keys)
    if isinstance(value, Mapping):
        return {
            _mask_text(name, keys): MASK if _is_key_name(name) else _mask_value(inner, keys, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_mask_value(inner, keys, depth + 1) for inner in value]
    return value


def _mask_text(text: str, keys: list[str]) -> str:
    for key in keys:
        text = text.replace(key, MASK)
    return text


def _is_key_name(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "") == "apikey"


def _find_keys(value: object, depth: int) -> Iterator[str]:
    """Texts sent as a key. A key that is wrong here may be valid elsewhere."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _find_keys(inner, depth + 1)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if _is_key_name(name) and isinstance(inner, str) and len(inner) >= _MIN_KEY_LENGTH:
                yield inner
            yield from _find_keys(inner, depth + 1)
