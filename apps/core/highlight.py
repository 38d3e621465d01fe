"""Colours for code in what a model wrote: four kinds of token, so that the page's own colours serve."""

from __future__ import annotations

from functools import cache
from html import escape
from itertools import groupby

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Literal, Name, Operator, _TokenType
from pygments.util import ClassNotFound

MAX_LENGTH = 20_000  # of one block, in characters
MAX_TOTAL = 60_000  # of all blocks of one text: later ones come without colours

# Only languages whose lexers were tried on hostile input: an unknown lexer may take very long on one line.
_LANGUAGES_NAMES = """
    bash c c# c++ cpp cs csharp css diff dockerfile go golang haskell html ini java javascript js json jsx kotlin
    lua makefile matlab perl php py powershell python python3 r rb ruby rs rust scala sh shell sql swift toml ts tsx
    typescript xml yaml yml
"""
LANGUAGES = frozenset(_LANGUAGES_NAMES.split())

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
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
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
    lexer = _lexer(language) if language in LANGUAGES and len(code) <= MAX_LENGTH else None
    if lexer is None:
        return escape(code, quote=False)
    parts: list[str] = []
    for css, tokens in groupby(lexer.get_tokens(code), key=lambda pair: _css(pair[0])):
        shown = escape("".join(text for _, text in tokens), quote=False)
        parts.append(f'<span class="{css}">{shown}</span>' if css else shown)
    return "".join(parts)
