"""What a model wrote reaches the page as text and structure, never as markup of its own."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest

from apps.core import highlight, maths
from apps.core.markdown import MAX_BRACKETS, MAX_LENGTH, lang_of, plain, render

PROSE_TAGS = "a blockquote br code em h3 h4 h5 h6 hr li ol p pre s span strong table tbody td th thead tr ul"
ALLOWED = {*PROSE_TAGS.split(), *maths.TAGS}


class Inspector(HTMLParser):
    """Collects every tag and attribute that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def assert_harmless(html: str) -> Inspector:
    seen = Inspector(html)
    for tag, attributes in seen.tags:
        assert tag in ALLOWED, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), name
            assert name not in {"style", "src", "srcset", "id", "xlink:href", "formaction", "action"}, name
            if name == "href":
                assert tag == "a"
                assert value is not None
                assert value.startswith(("http://", "https://", "mailto:")), value
    return seen


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example)",
    "[x](https://a.example 'onmouseover=alert(1)')",
    '[x](https://a.example"onmouseover="alert(1))',
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    '![" onerror="alert(1)](https://a.example/x.png)',
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "`<script>alert(1)</script>`",
    r"$\text{<img src=x onerror=alert(1)>}$",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\style{background:url(//evil.example)}{x}$",
    r"$\class{evil}{x}$ $\unicode{x3c}script\unicode{x3e}$",
    r"$\text{&lt;script&gt;alert(1)&lt;/script&gt;}$",
    r"\(\text{</math><script>alert(1)</script>}\)",
    '| a |\n|:-:" onclick=alert(1)|\n| <script>alert(1)</script> |',
    "[a]: javascript:alert(1)\n\n[a]",
    "\x00<script>alert(1)</script>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_markup_and_scripts_are_shown_as_text(attack):
    assert_harmless(render(attack))
    assert_harmless(render(f"> - {attack}\n\n| a |\n|---|\n| {attack} |\n"))
    assert "<script" not in plain(attack)


def test_html_is_readable_as_it_was_written():
    seen = Inspector(render("Use <b>bold</b> & <script>x</script>."))
    assert seen.text.strip() == "Use <b>bold</b> & <script>x</script>."


def test_links_open_outside_and_tell_nothing():
    html = render("[docs](https://example.org/a?b=1&c=2) <https://example.org> <a@example.org>")
    links = [attributes for tag, attributes in assert_harmless(html).tags if tag == "a"]
    assert [link["href"] for link in links] == [
        "https://example.org/a?b=1&c=2",
        "https://example.org",
        "mailto:a@example.org",
    ]
    assert all(link["rel"] == "noopener noreferrer nofollow" and link["target"] == "_blank" for link in links)


def test_a_link_elsewhere_stays_as_it_was_written():
    assert "[file](file:///etc/passwd) [near](other.md)" in render("[file](file:///etc/passwd) [near](other.md)")
    assert "https://example.org" not in str(Inspector(render("https://example.org")).tags)  # not linkified


def test_a_picture_is_its_description():
    html = render("![a chart of sales](https://example.org/x.png) ![](https://example.org/y.png)")
    assert "a chart of sales" in html
    assert "https://example.org/y.png" in html
    assert "<img" not in html


def test_headings_stand_below_those_of_the_page():
    assert [tag for tag, _ in Inspector(render("# a\n\n## b\n\n###### c")).tags] == ["h3", "h4", "h6"]


def test_line_ends_are_kept():
    assert "Roses<br>" in render("Roses\nviolets")


def test_table_alignment_is_a_class():
    html = render("| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | 3 |")
    assert '<td class="to-left">1</td>' in html
    assert '<th class="to-center" scope="col">b</th>' in html
    assert '<td class="to-right">3</td>' in html
    assert "style" not in html


def test_code_has_the_pages_colours():
    html = render("```python\nimport os  # why\nprint('a', 1)\n```\n\n```nolang\n<x>\n```")
    assert '<pre tabindex="0"><code><span class="t-k">import</span>' in html
    assert '<span class="t-c"># why</span>' in html
    assert "<span class=\"t-s\">'a'</span>" in html
    assert '<span class="t-n">1</span>' in html
    assert "&lt;x&gt;" in html


@pytest.mark.parametrize("language", sorted(highlight.LANGUAGES))
def test_every_language_keeps_the_code_as_it_is(language):
    code = '\n\n  if (a < 1) { return "x" } // ü 中文 # y\n\tend -- z\n\n'
    assert Inspector(highlight.highlight(code, language)).text == code


@pytest.mark.parametrize(
    ("source", "display"),
    [("$x^2$", "inline"), (r"\(x^2\)", "inline"), ("$$x^2$$", "block"), (r"\[x^2\]", "block")],
)
def test_maths_in_all_four_notations(source, display):
    html = render(f"So {source} holds.")
    assert f'<math display="{display}">' in html
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html


@pytest.mark.parametrize(
    "source",
    [
        "Text:\n\\[\nx = 1\n\\]\nmore",
        "Text:\n$$\nx = 1\n$$\nmore",
        "- a\n  \\[\n  x = 1\n  \\]\n- b",
        "> \\[\n> x = 1\n> \\]\n",
        "\\[ x = 1 \\].",
        "\\begin{equation}\nx = 1\n\\end{equation}",
        "```math\nx = 1\n```",
    ],
)
def test_displayed_maths_over_several_lines(source):
    assert '<math display="block">' in render(source)
    assert "<mi>x</mi><mo>=</mo><mn>1</mn>" in render(source)


@pytest.mark.parametrize("name", ["aligned", "align", "align*", "split", "alignedat"])
def test_aligned_equations_keep_their_table(name):
    body = "{2}" if name == "alignedat" else ""
    html = render(f"$$\\begin{{{name}}}{body} a &= b \\\\ c &= d \\end{{{name}}}$$")
    assert html.count("<mtr>") == 2
    assert html.count("<mtd") == 4
    assert "(1)" not in html  # no equation numbers that the model did not write


@pytest.mark.parametrize("name", ["gather", "gathered", "gather*"])
def test_gathered_equations_keep_their_lines(name):
    assert render(f"$$\\begin{{{name}}} a \\\\ b \\end{{{name}}}$$").count("<mtr>") == 2


def test_maths_speaks_chinese():
    html = render(r"$\begin{cases} 1 & x > 0 \\ 0 & \text{否则} \end{cases}$")
    assert "<mtext>否则</mtext>" in html
    assert "&gt;" in html


@pytest.mark.parametrize("text", ["It costs $5 and $10.", "Pay $5, then US$ 7$.", r"\$5 and \$6", "$ x $", "a $$ b"])
def test_money_is_not_maths(text):
    assert "<math" not in render(text)


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{1}{",
        r"\nosuchcommand x",
        r"\begin{nosuchenvironment} a & b \end{nosuchenvironment}",
        r"\newcommand{\a}{\a\a}\a",
        r"\def\a{\a}\a",
        "{" * 3000 + "}" * 3000,
        r"\sqrt" * 1500,
        "x" * (maths.MAX_LENGTH + 1),
    ],
)
def test_maths_that_cannot_be_read_is_shown_as_source(latex):
    html = render(f"See ${latex}$ here.")
    assert "<math" not in html
    assert latex in Inspector(html).text


def test_maths_says_nothing_the_page_did_not_allow():
    mathml = maths.to_mathml(r"\color{red}{x}\hspace{99999em}\mathbf{y}\rule{9em}{9em}", display=False)
    assert "red" not in mathml
    assert "99999" not in mathml
    assert "𝐲" in mathml


def test_maths_beyond_its_share_of_a_text_is_source():
    text = " ".join(f"$x_{{{number:05}}}$" for number in range(6000))
    html = render(text)
    assert html.count("<math") < 6000
    assert html.count("<math") + html.count('class="maths"') == 6000


def test_raw_text_keeps_every_character():
    text = "\n  a\t<b>\r\n\n**x**  "
    html = plain(text)
    assert html.startswith('<pre class="raw">\n\n  a')
    assert "**x**  " in html
    assert "&lt;b&gt;" in html


def test_half_a_character_does_not_break_the_page():
    assert "\ufffd" in render("a\ud800b").encode().decode()
    assert "\ufffd" in plain("a\ud800b").encode().decode()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我昨天只下了一单，银行卡却被扣了两次 128 元。", "zh-CN"),
        ("用 Python 写一个 quicksort 函数，并解释 partition 的作用。", "zh-CN"),
        ("What is the difference between these two?", "en"),
        ("Explain 你好 to me in one sentence, and then say how it is used.", "en"),
        ("Où est la bibliothèque de votre ville?", ""),
        ("これは日本語の文章です。漢字も使います。", ""),
        ("هذا نص عربي قصير.", ""),
        ("12 + 30 = 42", ""),
        ("", ""),
    ],
)
def test_the_script_says_the_language(text, language):
    assert lang_of(text) == language


def test_right_to_left_text_passes_unchanged():
    text = "مرحبا **بالعالم**، `x = 1`."
    assert Inspector(render(text)).text.strip() == "مرحبا بالعالم، x = 1."


def test_chinese_bold_next_to_punctuation():
    assert "<strong>预授权</strong>" in render("这两笔扣款是同一笔订单的**预授权**和**实际扣款**，并不是重复收费。")


def _seconds(text: str) -> float:
    maths.to_mathml.cache_clear()
    started = time.process_time()
    render(text)
    return time.process_time() - started


def test_a_long_text_is_quick():
    text = "The *quick* fox **jumps** over `code` and [a link](https://example.org).\n\n- one\n- two\n\n" * 3000
    assert _seconds(text[:MAX_LENGTH]) < 1.5  # 0.4 s on an idle core; the bound leaves room for a busy one


@pytest.mark.parametrize(
    "unit",
    ["> ", "- ", "[", "_a", "`", "\\(", "\\[\n", "$$\n", "\\begin{align}\n", "[a](", "~~a", "*_", "[x][", "${", "<a@"],
)
def test_hostile_repetition_stays_bounded(unit):
    text = (unit * MAX_LENGTH)[: MAX_LENGTH // 2]
    assert _seconds(text) < 4  # seconds of one core; unbounded, some of these take minutes
    assert _seconds("[" * MAX_BRACKETS) < 2


@pytest.mark.parametrize("language", ["cs", "java", "javascript", "html"])
@pytest.mark.parametrize("unit", ["/*\n", "a\n", "a ", "\n "])
def test_hostile_code_stays_bounded(language, unit):
    code = (unit * highlight.MAX_LENGTH)[: highlight.MAX_LENGTH]
    started = time.process_time()
    highlight.highlight(code, language)
    assert time.process_time() - started < 3


def test_what_is_longer_than_a_page_can_lay_out_is_raw():
    assert render("x" * (MAX_LENGTH + 1)).startswith('<pre class="raw">')
