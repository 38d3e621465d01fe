"""LaTeX in what a model wrote, as MathML that the browser lays out itself.

Written for hostile input: length, nesting and the work a text may ask for are bounded, macros are refused (they can
grow without end), and the tree is serialised here, from a list of known tags and attributes, with its text escaped.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

MAX_LENGTH = 4_000  # of one formula, in characters
MAX_DEPTH = 40  # of braces and environments: the converter recurses about 5 frames a level
MAX_TOTAL = 40_000  # of all formulas of one text; later ones are shown as source

_TAG_NAMES = """
    math menclose mfrac mi mn mo mover mpadded mphantom mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd
    mtext mtr munder munderover
"""
TAGS = frozenset(_TAG_NAMES.split())
# Nothing that carries an address, a script, a style or a colour of its own.
LENGTHS = frozenset(["width", "height", "depth", "voffset", "lspace", "rspace", "minsize", "maxsize", "linethickness"])
_ATTRIBUTE_NAMES = """
    accent accentunder columnalign columnlines display displaystyle fence form largeop movablelimits notation
    rowlines scriptlevel separator stretchy symmetric
"""
ATTRIBUTES = LENGTHS | frozenset(_ATTRIBUTE_NAMES.split())

_LENGTH = re.compile(r"[+-]?\d{0,2}(\.\d{1,4})?(em|ex|px|pt|mm|cm|mu)?")
_MACROS = re.compile(r"\\(?:re)?newcommand|\\providecommand|\\[egx]?def\b|\\let\b|\\newenvironment|\\DeclareMath")
_NESTING = re.compile(r"\\\\|\\[{}]|\\(?:begin|left)\b|\\(?:end|right)\b|[{}]")
_ENVIRONMENTS = {
    **dict.fromkeys(["align", "aligned", "flalign", "flalign*", "eqnarray", "eqnarray*"], "align*"),
    **dict.fromkeys(["gather", "gather*", "gathered", "multline", "multline*"], "matrix"),
    "dcases": "cases",
}
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{(" + "|".join(re.escape(name) for name in _ENVIRONMENTS) + r")\}")
_ALIGNAT = re.compile(r"\\begin\s*\{(?:alignat\*?|alignedat)\}\s*\{\d+\}")
_ALIGNAT_END = re.compile(r"\\end\s*\{(?:alignat\*?|alignedat)\}")
_VARIANTS = {
    "bold": "BOLD",
    "bold-italic": "BOLD ITALIC",
    "double-struck": "DOUBLE-STRUCK",
    "script": "SCRIPT",
    "bold-script": "BOLD SCRIPT",
    "fraktur": "FRAKTUR",
    "bold-fraktur": "BOLD FRAKTUR",
    "sans-serif": "SANS-SERIF",
    "sans-serif-bold": "SANS-SERIF BOLD",
    "monospace": "MONOSPACE",
}


class Unreadable(Exception):
    """The formula cannot be laid out: its source is what can be shown."""


@lru_cache(maxsize=4096)
def to_mathml(latex: str, *, display: bool) -> str:
    """The formula as `<math>`; raises Unreadable, also where only a part of it would come out right."""
    if len(latex) > MAX_LENGTH or _MACROS.search(latex) or _depth(latex) > MAX_DEPTH:
        raise Unreadable
    latex = _ENVIRONMENT.sub(lambda found: f"\\{found[1]}{{{_ENVIRONMENTS[found[2]]}}}", latex)
    latex = _ALIGNAT_END.sub(r"\\end{align*}", _ALIGNAT.sub(r"\\begin{align*}", latex))
    try:
        tree = convert_to_element(latex, display="block" if display else "inline")
    except Exception as error:  # the converter raises whatever its parsing runs into, RecursionError included
        raise Unreadable from error
    parts: list[str] = []
    _write(tree, parts)
    return "".join(parts)


def _depth(latex: str) -> int:
    deepest = depth = 0
    for found in _NESTING.finditer(latex):
        if found[0] == "{" or found[0].startswith((r"\b", r"\l")):
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] == "}" or found[0].startswith((r"\e", r"\r")):
            depth -= 1
    return deepest


def _write(element: Element, parts: list[str]) -> None:
    tag = element.tag
    if tag not in TAGS:
        raise Unreadable(tag)
    # The converter writes characters as entities into the text of the tree.
    text = unescape(element.text or "")
    if tag == "mi" and (element.text == "&" or (text.startswith("\\") and len(text) > 1)):
        raise Unreadable(text)  # a lost column or an unknown command
    variant = element.get("mathvariant")
    if variant in _VARIANTS and tag in {"mi", "mn", "mtext"}:
        text = "".join(_styled(letter, _VARIANTS[variant]) for letter in text)
    parts.append(f"<{tag}")
    if variant == "normal":  # the only one that browsers still read; the others are characters of their own
        parts.append(' mathvariant="normal"')
    for name, value in element.attrib.items():
        if name in ATTRIBUTES and (name not in LENGTHS or _LENGTH.fullmatch(value)):
            parts.append(f' {name}="{escape(value)}"')
    parts.append(">")
    parts.append(escape(text, quote=False))
    for child in element:
        _write(child, parts)
    parts.append(f"</{tag}>")


def _styled(letter: str, style: str) -> str:
    """The letter as the mathematical letter of that style, as `𝐱` for a bold x; itself where there is none."""
    if "0" <= letter <= "9":
        names = [f"MATHEMATICAL {style} {unicodedata.name(letter)}"]
    elif letter.isascii() and letter.isalpha():
        case = "CAPITAL" if letter.isupper() else "SMALL"
        names = [f"MATHEMATICAL {style} {case} {letter.upper()}", f"{style} {case} {letter.upper()}"]
        if style == "FRAKTUR":
            names.append(f"BLACK-LETTER {case} {letter.upper()}")
    else:
        return letter
    for name in names:
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return letter
