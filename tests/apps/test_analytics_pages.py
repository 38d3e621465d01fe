"""The agreement pages over the database."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.cache import cache as redis
from django.urls import reverse
from django.utils import timezone

from apps.analytics import dashboard
from apps.imports.services import import_judgments
from apps.judging.services.judges import create_judge
from apps.judging.services.runs import start_run
from apps.judging.tasks import judge_baseline
from apps.judgments.models import Judgment, Mark, Order, Rater, Status
from apps.projects.models import Role
from apps.rubrics.models import Criterion
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_score_rubric, make_user

A, TIE, B = 0, 1, 2
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    redis.clear()


class Case:
    """A project with a dataset, a criterion and raters who judge by `give`."""

    def __init__(self, *, pairs=0, singles=0, version=None):
        self.project = make_project()
        self.dataset = make_dataset(self.project, pairs=pairs, singles=singles)
        self.items = list(self.dataset.items.order_by("position"))
        make = make_pair_rubric if pairs else make_score_rubric
        self.criterion = make(self.project).criteria.get()
        self.lead = make_member(self.project, Role.LEAD)

    def rater(self, name, *, judge=False, simulated=False):
        return Rater.objects.create(project=self.project, name=name, kind=int(judge), is_simulated=simulated)

    def give(self, rater, values, *, order=Order.AB, **fields):
        """One judgment an item, None to skip it, "?" for an answer that could not be read."""
        field = "score" if self.criterion.kind == Criterion.Kind.SCORE else "verdict"
        Judgment.objects.bulk_create(
            Judgment(
                item=item,
                dataset=self.dataset,
                rater=rater,
                rubric_version=self.criterion.version,
                criterion=self.criterion,
                kind=self.criterion.kind,
                order=order,
                created_at=timezone.now(),
                status=Status.UNPARSED if value == "?" else Status.OK,
                **({} if value == "?" else {field: value}),
                **fields,
            )
            for item, value in zip(self.items, values, strict=False)
            if value is not None
        )

    def url(self, name="agreement", **query):
        return reverse(f"analytics:{name}", args=[self.project.slug], query=query or None)

    def page(self, client, name="agreement", **query):
        client.force_login(self.lead)
        return client.get(self.url(name, **query))


@pytest.fixture
def jury():
    """Three people and a judge on 40 pairs; the third person differs on every fifth, the judge on every fourth."""
    case = Case(pairs=40)
    truth = [(i * 7) % 3 for i in range(40)]
    people = [case.rater(name) for name in ("ada", "ben", "cleo")]
    for person in people[:2]:
        case.give(person, truth)
    case.give(people[2], [(v + 1) % 3 if i % 5 == 0 else v for i, v in enumerate(truth)])
    judge = case.rater("length", judge=True)
    for order in Order:
        case.give(judge, [A if i % 4 == 0 else v for i, v in enumerate(truth)], order=order)
    return case


def test_the_page_says_it_in_one_sentence_and_shows_the_evidence(client, jury):
    response = jury.page(client)
    text = response.content.decode()
    page = response.context["page"]

    assert response.status_code == 200
    assert page.alpha["estimate"] is not None
    assert page.word.startswith("α = 0.")
    assert "People agree" in page.sentence
    assert [row.name for row in page.coefficients.rows][:2] == ["raw_agreement", "krippendorff_alpha_nominal"]
    assert len(page.map) == 4
    assert "40 items" in text
    assert page.judges[0].who.name == "length"
    assert page.judges[0].tables[0].rows[0].name == "accuracy"
    assert "nan" not in text.lower().replace("dominant", "")


def test_every_figure_has_an_interval_and_n_or_a_reason(client, jury):
    page = jury.page(client).context["page"]

    tables = [
        page.coefficients,
        *(each.table for each in page.compared),
        *(table for judge in page.judges for table in judge.tables),
    ]
    for row in (row for table in tables for row in table.rows):
        assert row.stat["ci"] is not None or row.stat["reason"] is not None, row.name
        assert row.stat["n"] > 0 or row.stat["reason"], row.name
        assert row.label
        assert row.short or row.who


def test_annotators_and_strangers_see_nothing(client, jury):
    annotator = make_member(jury.project, Role.ANNOTATOR)
    for name in ("agreement", "fresh", "pair", "pairs_csv", "figures_csv"):
        client.force_login(annotator)
        assert client.get(jury.url(name)).status_code == 403
        client.force_login(make_user())
        assert client.get(jury.url(name)).status_code == 404
        client.logout()
        assert client.get(jury.url(name)).status_code == 302


def test_an_empty_project_says_so(client):
    case = Case(pairs=2)
    response = case.page(client)
    assert response.status_code == 200
    assert "Nothing has been judged yet" in response.content.decode()


def test_one_person_alone_is_told_what_is_missing(client):
    case = Case(pairs=5)
    case.give(case.rater("ada"), [A, B, A, TIE, B])
    page = case.page(client).context["page"]
    assert page.word == "No α yet"
    assert "One person has judged this" in page.sentence


def test_one_label_throughout_is_not_called_disagreement(client):
    case = Case(pairs=5)
    for name in ("ada", "ben"):
        case.give(case.rater(name), [A] * 5)
    page = case.page(client).context["page"]
    assert page.word == "No α yet"
    assert "Every label is the same" in page.sentence


def test_nothing_is_computed_twice_and_a_new_label_computes_anew(client, jury, monkeypatch):
    built = []
    build = dashboard.build

    def counted(*args):
        built.append(args)
        return build(*args)

    monkeypatch.setattr(dashboard, "build", counted)
    before = jury.page(client).context["page"].coverage
    jury.page(client, show="people")
    jury.page(client, show="judges")
    assert len(built) == 1

    jury.give(jury.rater("dora"), [A, A, A])

    assert jury.page(client).context["page"].coverage != before
    assert len(built) == 2


def test_the_latest_revision_counts_and_marked_labels_do_not(client):
    case = Case(pairs=4)
    ada, ben = case.rater("ada"), case.rater("ben")
    case.give(ada, [A, A, B, B])
    case.give(ben, [B, B, A, A])
    case.give(ben, [A, A, B, B], revision=1)
    case.give(case.rater("cleo"), [B, B, A, A], mark=Mark.GOLD)

    page = case.page(client).context["page"]

    assert page.coefficients.rows[0].stat["estimate"] == 1.0
    assert page.left_out == [
        "Left out: 4 labels of gold items.",
        "4 labels were changed later; the last one counts.",
    ]


def test_unread_answers_are_counted_in_words_and_are_no_ties(client, jury):
    judge = jury.rater("mumbler", judge=True)
    for order in Order:
        jury.give(judge, ["?"] * 3 + [B] * 37, order=order)
    text = jury.page(client).content.decode()
    assert "6 answers could not be read as a verdict; they count as missing, not as ties." in text
    assert "A verdict on 37 of 40 pairs" in text


def test_filters_choose_the_view_and_refuse_what_is_not_there(client, jury):
    other = make_score_rubric(jury.project).criteria.get()
    assert jury.page(client, criterion=jury.criterion.pk).status_code == 200
    assert jury.page(client, criterion=other.pk).status_code == 404
    assert jury.page(client, criterion="x").status_code == 404
    assert jury.page(client, show="nobody").status_code == 404
    stranger = Case(pairs=2)
    stranger.give(stranger.rater("eve"), [A, B])
    assert jury.page(client, dataset=stranger.dataset.pk).status_code == 404


def test_a_criterion_that_was_never_asked_there_takes_its_own_data(client, jury):
    pairs, overall = jury.dataset, jury.criterion
    jury.dataset = make_dataset(jury.project, singles=3, name="Singles")
    jury.items = list(jury.dataset.items.all())
    jury.criterion = make_score_rubric(jury.project).criteria.get()
    jury.give(jury.rater("dora"), [1, 2, 3])

    response = jury.page(client, dataset=pairs.pk, criterion=jury.criterion.pk)

    assert response.context["view"].judged.dataset == jury.dataset
    assert [text for _pk, text in response.context["form"].fields["dataset"].choices] == ["Singles, 3 items"]
    assert jury.page(client, dataset=jury.dataset.pk).context["view"].judged.criterion == jury.criterion
    assert jury.page(client, criterion=overall.pk).context["view"].judged.dataset == pairs


def test_the_main_view_is_the_newest_preference(client, jury):
    pair, data = jury.criterion, jury.dataset
    jury.dataset = make_dataset(jury.project, singles=3, name="Singles")
    jury.items = list(jury.dataset.items.all())
    jury.criterion = make_score_rubric(jury.project).criteria.get()
    jury.give(jury.rater("dora"), [1, 2, 3])
    view = jury.page(client).context["view"].judged
    assert (view.criterion, view.dataset) == (pair, data)


def test_a_pair_opens_its_confusion_table(client, jury):
    page = jury.page(client).context["page"]
    response = client.get(page.map[2].below[0].url)
    table = response.context["page"]
    assert (table.a.name, table.b.name) == ("ada", "cleo")
    assert table.n == 40
    assert sum(n for row in table.rows for n, _heat, same in row.cells if same) == 32
    assert table.figures.rows[0].stat["estimate"] == 0.8
    assert jury.page(client, "pair", a=table.a.pk, b=table.a.pk).status_code == 404
    assert jury.page(client, "pair", a=table.a.pk, b="999999999999999999999999").status_code == 404
    assert jury.page(client, "pair").status_code == 404


def test_csv_holds_every_pair_and_every_figure(client, jury):
    jury.give(jury.rater("=HYPERLINK(1)"), [A] * 40)
    rows = list(csv.DictReader(io.StringIO(jury.page(client, "pairs_csv").content.decode())))
    assert len(rows) == 10
    assert {row["a"] for row in rows} | {row["b"] for row in rows} == {"'=HYPERLINK(1)", "ada", "ben", "cleo", "length"}
    assert all(row["cohen_kappa_estimate"] or row["cohen_kappa_reason"] for row in rows)
    figures = jury.page(client, "figures_csv")
    assert figures["Content-Disposition"].startswith("attachment")
    names = {(row["among"], row["figure"]) for row in csv.DictReader(io.StringIO(figures.content.decode()))}
    assert {("humans", "fleiss_kappa"), ("length", "accuracy"), ("length", "consistency")} <= names


def test_scores_get_weighted_kappas_and_correlations(client):
    case = Case(singles=30)
    case.give(case.rater("ada"), [1 + i % 5 for i in range(30)])
    case.give(case.rater("ben"), [min(5, 1 + i % 5 + (i % 3 == 0)) for i in range(30)])
    case.give(case.rater("judge", judge=True), [max(1, i % 5) for i in range(30)])

    response = case.page(client)
    page = response.context["page"]

    assert page.alpha_name == "krippendorff_alpha_ordinal"
    assert {"gwet_ac2", "cohen_kappa_quadratic_mean"} <= {row.name for row in page.coefficients.rows}
    assert {"spearman", "kappa_vs_majority_quadratic"} <= {row.name for row in page.judges[0].tables[0].rows}
    assert page.given[0].mean["estimate"] == pytest.approx(3.17, abs=0.05)
    assert "Mean" in response.content.decode()


def test_a_person_who_stands_apart_is_named_with_the_figures(client):
    case = Case(pairs=120)
    truth = [(i * 7) % 3 for i in range(120)]
    for name in ("ada", "ben", "cleo"):
        case.give(case.rater(name), truth)
    case.give(case.rater("odd"), [(v + 1) % 3 if i % 2 else v for i, v in enumerate(truth)])
    response = case.page(client)
    (apart,) = response.context["page"].apart
    assert apart.who.name == "odd"
    assert apart.difference["estimate"] < 0
    assert apart.alpha_without["estimate"] == 1.0
    assert "agrees clearly less than the rest" in response.content.decode()


def test_many_raters_become_a_list_of_pairs(client, jury, monkeypatch):
    monkeypatch.setattr("apps.analytics.page.rater_map.MAP", 3)
    monkeypatch.setattr("apps.analytics.views.PAIRS_A_PAGE", 4)
    response = jury.page(client)
    assert response.context["page"].map == []
    assert response.context["listed"].paginator.count == 6
    assert "Too many raters for one map" in response.content.decode()
    kappas = [pair.kappa["estimate"] for pair in response.context["page"].pairs]
    assert kappas == sorted(kappas)  # those who agree least first
    assert len(jury.page(client, page="2").context["listed"].object_list) == 2


def test_simulated_people_and_names_with_markup(client):
    case = Case(pairs=3)
    case.give(case.rater("<b>ada</b>", simulated=True), [A, B, A])
    case.give(case.rater("ben"), [A, B, B])
    text = case.page(client).content.decode()
    assert "(simulated)" in text
    assert "<b>ada</b>" not in text
    assert "&lt;b&gt;ada&lt;/b&gt;" in text


def test_large_sets_are_left_to_a_worker_and_the_page_waits(client, jury, monkeypatch):
    sent = []
    monkeypatch.setattr(dashboard, "SMALL", 10)
    monkeypatch.setattr(
        "apps.analytics.selectors.current_app.send_task", lambda name, kwargs: sent.append((name, kwargs))
    )
    response = jury.page(client)
    assert "The figures are being computed" in response.content.decode()
    assert client.get(jury.url(), headers={"HX-Request": "true"}).status_code == 204
    assert client.get(jury.url("pairs_csv")).status_code == 503
    assert len(sent) == 1  # asked once, however often the page looks

    from apps.analytics.tasks import warm

    warm(**sent[0][1])
    assert client.get(jury.url(), headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert jury.page(client).context["page"].word.startswith("α = ")

    jury.give(jury.rater("dora"), [A, A, A])
    stale = jury.page(client)  # the last figures at once, and newer ones asked for
    assert stale.context["page"].word.startswith("α = ")
    assert len(sent) == 2
    since = stale.context["version"]
    assert "new label" not in jury.page(client, "fresh", since=since).content.decode()
    warm(**sent[1][1])
    assert "3 new labels: show" in jury.page(client, "fresh", since=since).content.decode()


def test_a_page_that_waits_too_long_says_what_may_be_wrong(client, jury, monkeypatch):
    monkeypatch.setattr(dashboard, "SMALL", 10)
    monkeypatch.setattr("apps.analytics.selectors.current_app.send_task", lambda *args, **kwargs: None)
    monkeypatch.setattr("apps.analytics.views.PATIENCE", -1)
    jury.page(client)
    text = client.get(jury.url(), headers={"HX-Request": "true"}).content.decode()
    assert "If no worker is running, start one." in text
    assert "<html" not in text


def test_fresh_tells_of_new_labels(client, jury):
    since = jury.page(client).context["version"]
    assert "new label" not in jury.page(client, "fresh", since=since).content.decode()
    jury.give(jury.rater("dora"), [A])
    assert "1 new label: show" in jury.page(client, "fresh", since=since).content.decode()
    assert jury.page(client, "fresh", since="1-x").status_code == 404


def test_a_runs_page_gets_its_judge_beside_people(client):
    project = make_project()
    dataset = make_dataset(project, pairs=12)
    version = make_pair_rubric(project)
    rows = [
        {"item": f"pair-{n}", "rater": rater, "kind": "human", "verdict": "AB"[(n + (rater == "bo" and n == 3)) % 2]}
        for n in range(12)
        for rater in ("ann", "bo")
    ]
    stream = io.BytesIO(b"\n".join(json.dumps(row).encode() for row in rows))
    assert not import_judgments(dataset=dataset, version=version, stream=stream).refused
    lead = make_member(project, Role.LEAD)
    judge = create_judge(project=project, name="chance", engine="baseline", model="random", params={"seed": 1}, by=lead)
    run = start_run(judge=judge, dataset=dataset, rubric_version=version, by=lead)
    url = reverse("analytics:run", args=[project.slug, run.number])
    client.force_login(lead)
    assert "Nothing to compare yet" in client.get(url).content.decode()
    for shard in run.shards.all():
        judge_baseline(shard.pk)
    text = client.get(url).content.decode()
    assert "Overall" in text
    assert "n = 11" in text  # the even vote has no majority
    client.force_login(make_member(project))
    assert client.get(url).status_code == 403
