"""Colours for code in what a model wrote: four kinds of token, so that the page's own colours serve."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from itertools import groupby

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Literal, Name, Operator, _TokenType
from pygments.util import ClassNotFound

MAX_LENGTH = 10_000  # of one block, in characters
# The lexers' patterns may read a line, or a run of spaces, again from each of its characters.
_TOO_MUCH = re.compile(r"[^\n]{401}|\s{101}")
MAX_TOTAL = 40_000  # of all blocks of one text: later ones come without colours

# Only languages whose lexers were tried on hostile input: an unknown lexer may take very long on one line.
_LANGUAGE_NAMES = """
    bash c c# c++ cpp cs csharp css dockerfile go golang haskell html java javascript js json jsx kotlin
    lua perl php py powershell python python3 r rb ruby rs rust scala sh shell sql swift toml ts tsx
    typescript xml yaml yml
"""
LANGUAGES = frozenset(_LANGUAGE_NAMES.split())

# These two languages' own lexers take seconds to minutes for a page of short lines.
_STAND_INS = dict.fromkeys(["c#", "cs", "csharp", "java"], "cpp")

_CLASSES: dict[_TokenType, str] = {
    Comment: "t-c",
    Keyword: "t-k",
    Literal.Number: "t-n",
    Literal.String: "t-s",
    Name.Builtin: "t-k",
    Name.Tag: "t-k",
    Operator.Word: "t-k",
}


@cache
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(_STAND_INS.get(language, language), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@cache
def _css(token: _TokenType) -> str:
    kind: _TokenType | None = token
    while kind is not None:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = kind.parent
    return ""


def highlight(code: str, language: str) -> str:
    """The code as HTML: escaped, with spans of the classes t-k, t-n, t-c and t-s where the language is known."""
    lexer = _lexer(language) if language in LANGUAGES else None
    if lexer is None or len(code) > MAX_LENGTH or _TOO_MUCH.search(code):
        return escape(code, quote=False)
    parts: list[str] = []
    for css, tokens in groupby(lexer.get_tokens(code), key=lambda pair: _css(pair[0])):
        shown = escape("".join(text for _, text in tokens), quote=False)
        parts.append(f'<span class="{css}">{shown}</span>' if css else shown)
    return "".join(parts)
