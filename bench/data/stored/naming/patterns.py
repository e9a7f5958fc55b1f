"""Patterns of file names, as people write them: ``mask=masks/{bg}_{fg}_{n}.png``.

Grammar of a pattern: text stands for itself; ``{name}`` for anything without a slash, and gives it that name;
``{name:d}`` for digits; ``*`` for anything without a slash; ``[...]`` for what may be missing; a suffix ``.*`` for
that of any picture. Small and capital letters are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from bench.core.errors import BenchError

FIELDS = ("bg", "bg_fg", "mask", "depth", "mask_valid", "valid")
_ALIASES = {"image": "bg_fg"}
_A_FIELD = f"a field and its pattern, such as mask=masks/{{id}}.png; fields: {', '.join((*FIELDS, *_ALIASES))}"
_TOKEN = re.compile(
    r"\{(?P<name>[a-z_][a-z0-9_]*)(?P<digits>:d)?\}|(?P<any>\*)|(?P<open>\[)|(?P<close>\])|(?P<text>.)", re.S
)

Ids = Mapping[str, str]


@dataclass(frozen=True)
class Pattern:
    """Which files hold a field.

    Attributes:
        field: a member of `FIELDS`.
        regex: of a name below the root without its suffix; its named groups are the parsed ids.
        suffix: in small letters, such as ``.png``; None for any.
        written: the pattern as a user wrote it; empty for those of known layouts.
    """

    field: str
    regex: re.Pattern[str]
    suffix: str | None = None
    written: str = ""

    @property
    def ids(self) -> frozenset[str]:
        """The names of what is parsed."""
        return frozenset(self.regex.groupindex) - {"prefix"}

    def parse(self, stem: str, suffix: str) -> tuple[str, dict[str, str]] | None:
        """The folder in front and the ids of a file, or None if it is not meant."""
        if self.suffix is not None and not _same_suffix(self.suffix, suffix):
            return None
        found = self.regex.fullmatch(stem)
        if found is None:
            return None
        ids = {name: value or "" for name, value in found.groupdict().items()}
        return ids.pop("prefix", ""), ids


def pattern(field: str, regex: str, suffix: str | None = None) -> Pattern:
    """A pattern from a regular expression of the name, in any folder."""
    return Pattern(field, re.compile(f"(?P<prefix>(?:.*/)?)(?:{regex})", re.IGNORECASE), suffix)


def patterns(**regexes: str | tuple[str, str]) -> tuple[Pattern, ...]:
    """Patterns from regular expressions by field, with a suffix where only files of that suffix are meant.

    The first that fits a name takes it.
    """
    return tuple(
        pattern(field, given) if isinstance(given, str) else pattern(field, *given) for field, given in regexes.items()
    )


def parse_patterns(text: str) -> tuple[Pattern, ...]:
    """A user's patterns, ``field=pattern``, spaces between them (and within, as in names); the most particular first.

    Raises:
        BenchError: what cannot be understood, with a caret under it.
    """
    found: dict[str, tuple[int, Pattern]] = {}
    places: dict[str, int] = {}
    heads = list(re.finditer(r"(?<!\S)([^\s=]+)=", text))
    if text.strip() and (not heads or text[: heads[0].start()].strip()):
        raise _wrong(text, len(text) - len(text.lstrip()), _A_FIELD)
    ends = (*(head.start() for head in heads[1:]), len(text))
    for head, end in zip(heads, ends, strict=False):
        field = _ALIASES.get(head[1], head[1])
        if field not in FIELDS:
            raise _wrong(text, head.start(), _A_FIELD)
        if field in found:
            raise _wrong(text, head.start(), f"one pattern for {field}, not two")
        places[field] = head.start()
        found[field] = _compile(text, head.end(), field, text[head.end() : end].rstrip())
    if "bg_fg" not in found:
        raise _wrong(text, 0, "a pattern for the pictures: bg_fg=... (or image=...)")
    named = found["bg_fg"][1].ids
    for field, (_, made) in found.items():
        if made.ids and not made.ids & named:
            ids = ", ".join(f"{{{name}}}" for name in sorted(named)) or "none"
            raise _wrong(text, places[field], f"a pattern with an id of the pictures' pattern ({ids})")
    return tuple(made for _, made in sorted(found.values(), key=lambda pair: -pair[0]))


@lru_cache(maxsize=2**16)  # a few ids make the names of many files
def normal(text: str) -> str:
    """An id in its normal spelling: small letters, numbers without leading zeros."""
    return re.sub(r"\d+", lambda number: str(int(number.group())), text.lower())


def _compile(text: str, start: int, field: str, shape: str) -> tuple[int, Pattern]:
    """How particular a pattern is, and the pattern."""
    stem, dot, suffix = shape.rpartition(".")
    if dot and " " in suffix and "/" not in suffix:
        raise _wrong(text, start + len(stem) + 1 + suffix.rindex(" ") + 1, _A_FIELD)
    if not dot or "/" in suffix:
        raise _wrong(text, start + len(shape) - 1, "a suffix, such as .png, or .* for any")
    parts, literal, depth, names = [], 0, 0, set[str]()
    for token in _TOKEN.finditer(stem):
        at = start + token.start()
        if token["name"]:
            if token["name"] in names:
                parts.append(f"(?P={token['name']})")
                continue
            names.add(token["name"])
            parts.append(f"(?P<{token['name']}>{'[0-9]+' if token['digits'] else '[^/]+?'})")
        elif token["any"]:
            parts.append("[^/]*")
        elif token["open"]:
            depth += 1
            parts.append("(?:")
        elif token["close"]:
            depth -= 1
            if depth < 0:
                raise _wrong(text, at, "[ before ]")
            parts.append(")?")
        elif token["text"] in "{}":
            raise _wrong(text, at, "{name} or {name:d}, in small letters")
        else:
            literal += 1
            parts.append(re.escape(token["text"]))
    if depth:
        raise _wrong(text, start + len(stem), "] for every [")
    made = pattern(field, "".join(parts), None if suffix == "*" else f".{suffix.lower()}")
    return 100 * literal + len(names), replace(made, written=f"{field}={shape}")


def _same_suffix(wanted: str, suffix: str) -> bool:
    alike = {".jpeg": ".jpg", ".tiff": ".tif"}
    return alike.get(wanted, wanted) == alike.get(suffix, suffix)


def _wrong(text: str, at: int, wanted: str) -> BenchError:
    return BenchError(f"--files cannot be read; here stands {wanted}\n  {text}\n  {' ' * at}^")
