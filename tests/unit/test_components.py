"""The pieces that every page is made of."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.template import engines
from django.template.loader import render_to_string
from django.test import RequestFactory

from apps.analytics.stats.estimate import Estimate
from apps.core import figures, plots
from apps.core.context_processors import frame
from apps.core.icons import PATHS
from apps.core.nav import NavEntry, NavSection

KAPPA = Estimate(0.614, (0.56, 0.66), 1412)
UNDEFINED = Estimate.undefined("single_category", 12)


def draw(source: str, path: str = "/", **context: object) -> str:
    request = RequestFactory().get(path)
    request.user = AnonymousUser()
    return engines["django"].from_string(source).render(context, request)


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("{% stat k %}", "0.61 95 % [0.56, 0.66], n = 1,412"),
        ("{% stat k percent=True %}", "61.4 % 95 % [56.0, 66.0], n = 1,412"),
        ("{% stat k digits=3 n=False %}", "0.614 95 % [0.560, 0.660]"),
        ("{% stat u %}", "Not defined: all ratings are the same, so chance alone would agree fully. n = 12"),
        ("{% stat_value k %}", "0.61"),
        ("{% stat_value u %}", "–"),
        ("{% stat_note k %}", "95 % [0.56, 0.66], n = 1,412"),
        ("{% stat_note u %}", "Not defined: all ratings are the same, so chance alone would agree fully. n = 12"),
        ("{% stat bare %}", "0.50 No interval: too few items. n = 1"),
        ("{{ 0.784|percent }}", "78.4 %"),
        ("{{ 6180|count }}", "6,180"),
        ("{{ missing|percent }}{{ missing|count }}{{ missing|decimal }}", ""),
    ],
)
def test_a_figure_never_comes_alone(tag, shown):
    html = draw(tag, k=KAPPA, u=UNDEFINED, bare=Estimate(0.5, None, 1, "too_few_items"), missing=None)
    assert text(html) == shown


def test_a_figure_out_of_a_report_reads_the_same():
    assert draw("{% stat k %}", k=KAPPA.to_dict()) == draw("{% stat k %}", k=KAPPA)


def test_what_qualifies_an_interval_is_said():
    flagged = Estimate(1.0, (0.8, 1.0), 30, flags=("one_sided_bound", "something_new"))
    assert "No disagreement seen" in draw("{% stat k %}", k=flagged)
    assert "something new" in draw("{% stat_note k %}", k=flagged)


def test_every_reason_and_flag_of_the_statistics_has_words():
    from apps.analytics.stats import estimate

    codes = {value for name, value in vars(estimate).items() if name.isupper() and isinstance(value, str)}
    assert codes <= {*figures.REASONS, *figures.FLAGS}


@pytest.mark.parametrize(
    ("value", "digits", "signed", "shown"),
    [(-2.5, 1, False, "−2.5"), (0.5, 1, True, "+0.5"), (-0.001, 2, True, "0.00"), (0.0, 0, False, "0")],
)
def test_numbers_have_a_minus_and_no_negative_zero(value, digits, signed, shown):
    assert figures.number(value, digits, signed=signed) == shown


def test_interval_plot_is_the_drawn_one():
    drawn = (
        '<svg class="span human" aria-hidden="true"><line class="track" x1="0" x2="100%" y1="8" y2="8"/>'
        '<line class="tick" x1="50.00%" x2="50.00%" y1="0" y2="16"/>'
        '<line class="bar" x1="56.00%" x2="66.00%" y1="8" y2="8"/><circle class="dot" cx="61.00%" cy="8" r="4"/></svg>'
    )
    assert draw('{% interval_plot 0.56 0.61 0.66 0 1 "human" 0.5 %}') == drawn


def test_plots_stay_on_their_axis():
    assert plots.place(-3, 0, 1) == "0.00%"
    assert plots.place(7, 0, 1) == "100.00%"
    assert plots.place(1, 1, 1) == "50.00%"
    assert draw("{% stat_plot u %}{% stat_row u %}", u=UNDEFINED) == ""


def test_people_are_squares_and_judges_circles():
    assert "<rect" in draw('{% stat_row k 0 1 "human" %}', k=KAPPA)
    assert "<circle" in draw('{% stat_row k 0 1 "judge" %}', k=KAPPA)


def test_what_people_typed_is_escaped_everywhere():
    hostile = "<script>alert(1)</script>"
    html = draw(
        "{% page_head title=x lede=x crumb=x crumb_url=x %}{% endpage_head %}{% tile label=x figure=x unit=x %}"
        "{% endtile %}{% note %}{{ x }}{% endnote %}{% badge x %}{% empty_state title=x %}{{ x }}{% endempty_state %}"
        '{% dialog id="d" title=x %}{% enddialog %}{% tabs entries x %}{% problems found %}{% progress 1 2 x %}'
        "{% prose x %}{% prose x raw=True %}",
        x=hostile,
        entries=[(hostile, hostile, True)],
        found=[{"line": 1, "field": hostile, "value": hostile, "message": hostile, "remedy": hostile}],
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 15


def test_prose_names_its_language_and_direction():
    assert draw("{% prose t %}", t="这两笔扣款并不是重复收费。").startswith(
        '<div class="prose" lang="zh-CN" dir="auto">'
    )
    assert draw('{% prose t "excerpt" raw=True %}', t="**12**") == (
        '<div class="prose excerpt" dir="auto"><pre class="raw">**12**</pre></div>'
    )


def test_pagination_keeps_the_filters():
    html = draw("{% pagination page %}", "/items/?q=a%26b&page=2", page=Paginator(range(95), 10).get_page(2))
    assert 'href="?q=a%26b&amp;page=1"' in html
    assert 'href="?q=a%26b&amp;page=3"' in html
    assert "11–20 of 95" in html
    assert draw("{% pagination page %}", page=Paginator(range(5), 10).get_page(1)).strip() == ""


def test_problems_say_line_field_value_and_remedy():
    problem = SimpleNamespace(
        line=1200, field="responses[1].text", value="null", message="is null.", remedy="Write it."
    )
    html = draw("{% problems found total=4 %}", found=[problem])
    assert text(html) == "responses[1].textis null. Found: nullWrite it.Line 1,200 3 more are not shown."


class Sample(forms.Form):
    name = forms.CharField(help_text="Shown <b>to</b> all.")
    about = forms.CharField(required=False, widget=forms.Textarea(attrs={"class": "tall"}))
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect, help_text="Pick one.")
    sure = forms.BooleanField()
    file = forms.FileField()
    next = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_field_is_tied_to_its_hint_and_its_error():
    form = Sample({})
    html = str(form["name"].as_field_group())
    assert '<label for="id_name">' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'class="input"' in html
    assert 'id="id_name_helptext">Shown &lt;b&gt;to&lt;/b&gt; all.</p>' in html
    assert 'id="id_name_error"' in html
    assert draw("{% field f %}", f=form["name"]).strip() == html.strip()


def test_a_whole_form_shows_its_own_errors_first():
    form = Sample({})
    form.add_error(None, "The dates <cross>.")
    html = str(form)
    assert html.index("The dates &lt;cross&gt;.") < html.index("id_name")
    assert '<fieldset class="field" aria-describedby="id_kind_helptext id_kind_error">' in html
    assert '<input type="hidden" name="next" id="id_next">' in html
    assert 'class="input tall"' in html
    assert 'class="drop" data-drop' in html
    assert not re.search(r'type="radio"[^>]*aria-invalid', html)


def test_the_frame_draws_the_navigation_it_is_given():
    nav = [
        NavSection([NavEntry("Overview", "/p/a/", current=True)]),
        NavSection([NavEntry("Runs", "/p/a/runs/", badge="1 live"), NavEntry("Items", "/i/", count="6,180")], "Judge"),
    ]
    html = draw('{% extends "shell.html" %}', nav=nav, nav_title="<Support>", nav_subtitle="lead")
    assert '<a href="/p/a/" aria-current="page">Overview</a>' in html
    assert '<p class="label">Judge</p>' in html
    assert '<span class="badge good">1 live</span>' in html
    assert "<strong>&lt;Support&gt;</strong>" in html


def test_without_a_project_the_navigation_leads_to_projects_and_account():
    html = draw('{% extends "shell.html" %}')
    assert 'href="/" aria-current="page">Projects</a>' in html
    assert '<a href="/account/">Account</a>' in html


@pytest.mark.parametrize(("theme", "shown"), [("dark", "dark"), ("", ""), ("neon", "")])
def test_only_known_themes_reach_the_page(theme, shown):
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(theme=theme)  # type: ignore[assignment]
    assert frame(request)["theme"] == shown


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429, 500])
def test_error_pages_need_no_request(status):
    html = render_to_string(f"{status}.html")
    assert f">{status}</p>" in html
    assert "<h1>" in html


def test_no_template_breaks_the_content_security_policy():
    inline = re.compile(
        r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=['\"]js", re.IGNORECASE
    )
    templates = Path(settings.BASE_DIR / "templates").rglob("*.html")
    assert [str(path) for path in templates if inline.search(path.read_text())] == []


def test_colours_stand_in_one_file():
    colour = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(", re.IGNORECASE)
    for path in Path(settings.BASE_DIR / "static").glob("*.css"):
        if path.name not in {"tokens.css", "app.css"}:
            assert colour.search(path.read_text()) is None, path.name


def test_every_icon_of_a_template_is_drawn():
    used = re.compile(r"{% icon [\"']([a-z-]+)[\"']")
    for path in Path(settings.BASE_DIR / "templates").rglob("*.html"):
        assert {*used.findall(path.read_text())} <= PATHS.keys(), path.name
    assert 'class="icon s"' in draw('{% icon "check" "s" %}')
