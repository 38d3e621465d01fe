"""Markdown in what models and people wrote, as HTML that is safe to put on a page.

The text is hostile until shown otherwise: HTML in it stays text, pictures become their description, links keep only
web and mail addresses, and the result passes a sanitiser that knows every tag and attribute we write ourselves.
Language and direction belong to the element around it: `<div class="prose" lang="{{ … }}" dir="auto">`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from apps.core import highlight, maths

RENDERER_VERSION = 1  # goes up whenever the same text would come out differently: stored renderings are then stale

MAX_LENGTH = 200_000  # characters; a longer text is shown as it was written
MAX_BRACKETS = 10_000  # each opening bracket may be a link: far more of them than any prose has would take seconds

_INLINE = [("$$", "$$", True), ("$", "$", False), (r"\(", r"\)", False), (r"\[", r"\]", True)]
_BLOCK = [("$$", "$$"), (r"\[", r"\]")]
_BARE = re.compile(r"\\begin\{((?:equation|align|gather|alignat|multline|eqnarray|flalign)\*?)\}")
_OPERATOR = re.compile(r"[\\^_=+<>{}*/|-]")
_PUNCTUATION = re.compile(r"\s*[.,;:。，；：]?\s*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # half a character: no page can carry it
_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


def render(text: str) -> SafeString:
    """The text as sanitised HTML. Never raises for any text; what cannot be laid out is shown as written."""
    if len(text) > MAX_LENGTH or text.count("[") > MAX_BRACKETS:
        return plain(text)
    text = _SURROGATE.sub("\ufffd", text)
    env: EnvType = {"maths_left": maths.MAX_TOTAL, "code_left": highlight.MAX_TOTAL}
    try:
        html = _MARKDOWN.render(text, env)
    except RecursionError:
        return plain(text)
    clean: str = _CLEANER.clean(html)
    return mark_safe(clean)  # noqa: S308 -- sanitised on the line before


def plain(text: str) -> SafeString:
    """The raw view: every character as it was written, spaces and line ends too."""
    # A parser drops a line end right after <pre>, so the text's own first one needs a spare before it.
    return format_html(
        '<pre class="raw">{}{}</pre>', "\n" if text.startswith(("\n", "\r")) else "", _SURROGATE.sub("\ufffd", text)
    )


_SAMPLE = 4_000
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\u31f0-\u31ff\uac00-\ud7af\u1100-\u11ff]")
_LETTER = re.compile(r"[^\W\d_]")
_ASCII_LETTER = re.compile(r"[A-Za-z]")
_ENGLISH = re.compile(
    r"\b(?:the|and|is|are|of|to|in|you|your|for|with|that|this|it|what|how|why|write|can|do|not|an|my|we|be|on|as)\b",
    re.IGNORECASE,
)


def lang_of(text: str) -> str:
    """`zh-CN`, `en`, or "" where the script alone does not say. It chooses fonts and voices, nothing else."""
    sample = text[:_SAMPLE]
    if sample.isascii():  # the common case, thirty times as fast: an import asks this of every item
        return "en" if _ENGLISH.search(sample) else ""
    letters = len(_LETTER.findall(sample))
    if not letters:
        return ""
    han = len(_HAN.findall(sample))
    if len(_KANA_OR_HANGUL.findall(sample)) * 10 > han + 10:
        return ""
    if han * 4 >= letters:  # a Chinese character says about as much as four Latin letters
        return "zh-CN"
    if len(_ASCII_LETTER.findall(sample)) * 10 >= letters * 9 and _ENGLISH.search(sample):
        return "en"
    return ""


def _inline_maths(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if source[start] not in "$\\":
        return False
    for opening, closing, display in _INLINE:
        if not source.startswith(opening, start):
            continue
        begin = start + len(opening)
        end = source.find(closing, begin, begin + maths.MAX_LENGTH)
        while end > 0 and closing.startswith("$") and source[end - 1] == "\\":  # \$ is a dollar
            end = source.find(closing, end + 1, begin + maths.MAX_LENGTH)
        content = source[begin:end] if end > 0 else ""
        if not content.strip():
            return False
        if opening == "$":
            # "$5 and $10" is money: a formula has no space inside its dollars and no digit round them.
            if content[0].isspace() or content[-1].isspace() or source[end + 1 : end + 2].isdigit():
                return False
            if content[0].isdigit() and " " in content and not _OPERATOR.search(content):
                return False
            if start and (source[start - 1].isdigit() or source[start - 1] == "\\"):
                return False
        if not silent:
            token = state.push("maths", "math", 0)
            token.content, token.markup, token.info = content, opening, "block" if display else "inline"
        state.pos = end + len(closing)
        return True
    return False


def _block_maths(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    if state.is_code_block(start_line):
        return False
    first = state.src[state.bMarks[start_line] + state.tShift[start_line] : state.eMarks[start_line]]
    bare = _BARE.match(first)
    delimiters = [("", f"\\end{{{bare[1]}}}")] if bare else [pair for pair in _BLOCK if first.startswith(pair[0])]
    if not delimiters:
        return False
    opening, closing = delimiters[0]
    begin = state.bMarks[start_line] + state.tShift[start_line] + len(opening)
    if state.src.find(closing, begin, begin + maths.MAX_LENGTH) < 0:
        return False  # found out without splitting lines, as every line may open a formula that nothing closes
    lines, line = [first[len(opening) :]], start_line
    while closing not in lines[-1]:
        line += 1
        if line >= end_line or state.sCount[line] < state.blkIndent:
            return False
        lines.append(state.getLines(line, line + 1, state.blkIndent, False))
    last, _, rest = lines[-1].partition(closing)
    if not _PUNCTUATION.fullmatch(rest):
        return False  # words follow on the line: the inline rule takes it
    lines[-1] = last + (closing if bare else rest.strip())
    content = "\n".join(lines)
    if not content.strip():
        return False
    if not silent:
        token = state.push("maths", "math", 0)
        token.block = True
        token.content, token.markup, token.info = content, opening, "block"
        token.map = [start_line, line + 1]
    state.line = line + 1
    return True


def _formula(latex: str, markup: str, *, display: bool, env: EnvType) -> str:
    env["maths_left"] -= len(latex)
    if env["maths_left"] >= 0:
        try:
            return maths.to_mathml(latex.strip(), display=display)
        except maths.Unreadable:
            pass
    closing = {r"\(": r"\)", r"\[": r"\]"}.get(markup, markup)
    return f'<code class="maths">{escape(markup + latex + closing, quote=False)}</code>'


def _code(code: str, language: str, env: EnvType) -> str:
    env["code_left"] -= len(code)
    shown = highlight.highlight(code, language) if env["code_left"] >= 0 else escape(code, quote=False)
    return f'<pre tabindex="0"><code>{shown}</code></pre>\n'


def _table_cells_and_headings(state: StateCore) -> None:
    """Alignment as a class, since a style attribute would be refused; headings below those of the page."""
    for token in state.tokens:
        if token.type in {"th_open", "td_open"}:
            side = str(token.attrs.pop("style", "")).removeprefix("text-align:")
            if side:
                token.attrSet("class", f"to-{side}")
            if token.type == "th_open":
                token.attrSet("scope", "col")
        elif token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"


class _Renderer(RendererHTML):
    """What we write differently from CommonMark's own HTML. Each method renders the token it is named after."""

    def maths(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        html = _formula(token.content, token.markup, display=token.info == "block", env=env)
        return f"<p>{html}</p>\n" if token.block and html.startswith("<code") else html

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        language = token.info.strip().split(maxsplit=1)[0].lower() if token.info.strip() else ""
        if language in {"math", "latex-math"}:
            return f"<p>{_formula(token.content, '', display=True, env=env)}</p>\n"
        return _code(token.content, language, env)

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return _code(tokens[idx].content, "", env)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A picture would be fetched from a stranger's server: its description stands for it, else its address."""
        token = tokens[idx]
        words = self.renderInlineAsText(token.children or [], options, env) or str(token.attrs.get("src", ""))
        return f'<span class="picture">{escape(words, quote=False)}</span>'


def _build() -> MarkdownIt:
    # Line ends are kept (breaks): a poem or an address is judged as it was written.
    md = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False}, renderer_cls=_Renderer)
    md.enable(["table", "strikethrough"])
    md.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign] # else the source stays text
    md.inline.ruler.before("escape", "maths", _inline_maths)
    md.block.ruler.before("fence", "maths", _block_maths, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.core.ruler.push("cells_and_headings", _table_cells_and_headings)
    return md


_MARKDOWN = _build()
_PROSE_TAG_NAMES = """
    a blockquote br code em h3 h4 h5 h6 hr li ol p pre s span strong table tbody td th thead tr ul
"""
_PROSE_TAGS = frozenset(_PROSE_TAG_NAMES.split())
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href"},
    "ol": {"start"},
    **{tag: {*maths.ATTRIBUTES, "mathvariant"} for tag in maths.TAGS},
}
_VALUES: dict[str, dict[str, set[str]]] = {"pre": {"tabindex": {"0"}}, "th": {"scope": {"col"}}}
_CELL = {"to-left", "to-center", "to-right"}
_CLASSES: dict[str, set[str]] = {
    "code": {"maths"},
    "span": {"picture", "t-c", "t-k", "t-n", "t-s"},
    "td": _CELL,
    "th": _CELL,
}
_CLEANER: Any = nh3.Cleaner(
    tags={*_PROSE_TAGS, *maths.TAGS},
    clean_content_tags=set(),
    attributes=_ATTRIBUTES,
    tag_attribute_values=_VALUES,
    allowed_classes=_CLASSES,
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
)
