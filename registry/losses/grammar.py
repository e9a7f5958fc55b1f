"""The grammar of recipes, ``mask: bce + 2*dice[smooth=1], depth: ssim + 0.5*l1, weighting: uncertainty``.

::

    recipe  = section ("," section)*
    section = head ["~standardised" params] ":" term ("+" term)*  |  "weighting" ":" name
    term    = [number "*"] name [params]
    params  = "[" [name "=" value ("," name "=" value)*] "]"

Spaces are free. A bare name without a colon is a named recipe, and so is ``package.module:attribute`` where that is
the whole text. A term's name may be a user's own function, ``package.module:function``.
"""

from __future__ import annotations

import re
from typing import Any

from registry.errors import BadParameter, RecipeSyntax
from registry.lookup.keys import parse_key
from registry.losses.recipe import HEADS, WEIGHTINGS, HeadPart, Recipe, WeightedTerm
from registry.losses.recipes import recipes
from registry.losses.terms import terms
from registry.ranges import Range, between

_BARE_NAME = re.compile(r"[A-Za-z_][\w.-]*(@\w+)?", re.ASCII)
_OWN_NAME = re.compile(r"(?P<module>[A-Za-z_][\w.]*):[A-Za-z_]\w*", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TERM_NAME = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_]\w*)?", re.ASCII)

# What float32 can multiply by without leaving its own range.
_WEIGHTS = between(1e-30, 1e30)
_MEANS, _STDS = between(-1e6, 1e6), between(1e-6, 1e6)


def parse(text_or_name: str) -> Recipe:
    """The recipe that a name or a text stands for.

    Args:
        text_or_name: a name of `recipes`, or a text in the grammar of this module.

    Returns:
        The canonical recipe: heads and terms in order, equal terms merged, default parameters left out.

    Raises:
        RecipeSyntax: the text is malformed; the message shows where.
        UnknownName: no recipe, or no term, has that name; the nearest names are in the message.
        BadParameter: a term takes no such parameter or no such value.
    """
    text = " ".join(text_or_name.split())
    own = _OWN_NAME.fullmatch(text)
    name = own["module"] if own else text if _BARE_NAME.fullmatch(text) else None
    if name is not None and name not in (*HEADS, "weighting"):
        text = " ".join(recipes.build(text).split())
    return _Parser(text).recipe()


class _Parser:
    """Reads a text from left to right; ``at`` is the position of the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def recipe(self) -> Recipe:
        parts: dict[str, HeadPart] = {}
        weighting: str | None = None
        while True:
            start, name = self._word("a head: mask or depth")
            if name in parts or (name == "weighting" and weighting is not None):
                raise self._error(f"{name!r} is given twice", start)
            if name == "weighting":
                weighting = self._weighting()
            elif name in HEADS:
                parts[name] = self._part(name)
            else:
                raise self._error(f"unknown head {name!r}: a recipe reads like 'mask: bce, depth: l1'", start)
            if self._ended():
                break
            self._expect(",", "',' before the next head, '+' before the next term, or the end")
        if not parts:
            raise self._error("the recipe trains no head: add a term, such as 'mask: bce'", 0)
        return Recipe(tuple(parts[head] for head in HEADS if head in parts), weighting or WEIGHTINGS[0])

    def _weighting(self) -> str:
        self._expect(":", "':' after 'weighting'")
        start, name = self._word("a weighting: " + ", ".join(WEIGHTINGS))
        if name not in WEIGHTINGS:
            raise self._error(f"unknown weighting {name!r}; choose one of: {', '.join(WEIGHTINGS)}", start)
        return name

    def _part(self, head: str) -> HeadPart:
        mean, std = self._standardised() if self._accept("~") else (0.0, 1.0)
        self._expect(":", f"':' after {head!r}")
        start = self.at
        weights: dict[str, float] = {}
        while True:
            weight, key = self._term()
            weights[key] = float(f"{weights.get(key, 0.0) + weight:.12g}")
            if weights[key] not in _WEIGHTS:
                raise self._error(f"the weights of {key!r} must add up to {_WEIGHTS}", start)
            if not self._accept("+"):
                break
        return HeadPart(head, tuple(WeightedTerm(key, weights[key]) for key in sorted(weights)), mean, std)

    def _standardised(self) -> tuple[float, float]:
        start, name = self._word("'standardised[mean=...,std=...]'")
        params = self._key(start, name)[1]
        mean, std = params.pop("mean", 0.0), params.pop("std", 1.0)
        if name != "standardised" or params:
            raise self._error("a head takes a single modifier, ~standardised[mean=...,std=...]", start)
        if not (_is_in(mean, _MEANS) and _is_in(std, _STDS)):
            raise self._error(f"mean and std must be numbers: mean {_MEANS}, std {_STDS}", start)
        return float(mean) + 0.0, float(std)  # + 0.0: a mean of -0 is 0

    def _term(self) -> tuple[float, str]:
        self._skip_spaces()
        start, weight = self.at, 1.0
        if number := _NUMBER.match(self.text, self.at):
            self.at, weight = number.end(), float(number[0])
            self._expect("*", "'*' between a weight and its term")
        if weight not in _WEIGHTS:
            raise self._error(f"a weight must be {_WEIGHTS}", start)
        self._skip_spaces()
        start = self.at
        name = _TERM_NAME.match(self.text, self.at)
        if name is None:
            raise self._error("expected a term, such as bce or 0.5*l1")
        self.at = name.end()
        return weight, terms.canonical(self._key(start, name[0])[0])

    def _key(self, start: int, name: str) -> tuple[str, dict[str, Any]]:
        """The name that stands at ``start`` with the brackets that follow it, if any; and what is in them."""
        key = name
        if self._accept("["):
            opened = self.at - 1
            self.at = self.text.find("]", opened) + 1
            if not self.at:
                raise self._error("this bracket is never closed", opened)
            key += self.text[opened : self.at]
        try:
            return key, parse_key(key)[1]
        except BadParameter as error:
            raise self._error(str(error), start) from error

    def _word(self, what: str) -> tuple[int, str]:
        self._skip_spaces()
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise self._error(f"expected {what}")
        start, self.at = self.at, word.end()
        return start, word[0]

    def _accept(self, mark: str) -> bool:
        self._skip_spaces()
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) if found else 0
        return found

    def _expect(self, mark: str, what: str) -> None:
        if not self._accept(mark):
            raise self._error(f"expected {what}")

    def _ended(self) -> bool:
        self._skip_spaces()
        return self.at == len(self.text)

    def _skip_spaces(self) -> None:
        self.at += len(self.text[self.at :]) - len(self.text[self.at :].lstrip())

    def _error(self, reason: str, at: int | None = None) -> RecipeSyntax:
        return RecipeSyntax(self.text, self.at if at is None else at, reason)


def _is_in(value: object, allowed: Range) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value in allowed
