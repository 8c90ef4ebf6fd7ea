"""Keys have no place in what the sandbox remembers: masked before anything is kept."""

from collections.abc import Iterable, Iterator, Mapping

from cpctl.masking import MASK

# Deeper than any document of the API; what lies below is masked whole instead of walked.
_MAX_DEPTH = 40
# A shorter text given as a key is no key, and masking it everywhere would shred the body.
_MIN_KEY_LENGTH = 8


def mask_keys(value: object, keys: Iterable[str]) -> object:
    """The value without any of the keys, without what stands under the name of one, and without its repeats."""
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
    """Every text that stands under the name of a key: wrong here, it may be right elsewhere."""
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
