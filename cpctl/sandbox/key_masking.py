"""Keys have no place in what the sandbox remembers: masked before anything is kept."""

from collections.abc import Iterable, Iterator, Mapping

MASK = "***"
# Deeper than any document of the API; what lies below is masked whole instead of walked.
_DEEPEST = 40
# A shorter text given as a key is no key, and masking it everywhere would shred the body.
_SHORTEST_KEY = 8


def masked(value: object, keys: Iterable[str]) -> object:
    """The value without any of the keys, without what stands under the name of one, and without its repeats."""
    return _masked(value, sorted({*keys, *_given_keys(value, 0)}, key=len, reverse=True), 0)


def _masked(value: object, keys: list[str], depth: int) -> object:
    if depth > _DEEPEST:
        return MASK
    if isinstance(value, str):
        return _masked_text(value, keys)
    if isinstance(value, Mapping):
        return {
            _masked_text(name, keys): MASK if _names_key(name) else _masked(inner, keys, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner, keys, depth + 1) for inner in value]
    return value


def _masked_text(text: str, keys: list[str]) -> str:
    for key in keys:
        text = text.replace(key, MASK)
    return text


def _names_key(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "") == "apikey"


def _given_keys(value: object, depth: int) -> Iterator[str]:
    """Every text that stands under the name of a key: wrong here, it may be right elsewhere."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _given_keys(inner, depth + 1)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if _names_key(name) and isinstance(inner, str) and len(inner) >= _SHORTEST_KEY:
                yield inner
            yield from _given_keys(inner, depth + 1)
