"""The items browser, an item's page and the list of datasets."""

from __future__ import annotations

import io
import json

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.datasets import selectors, services, tasks, texts
from apps.datasets.models import Dataset, Item, RenderedItem, Response, System
from apps.datasets.selectors import ItemFilter
from apps.imports.services import import_items, import_judgments
from apps.projects.models import Project, Role
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def lead(project: Project, client: Client) -> User:
    user = make_member(project, Role.LEAD)
    client.force_login(user)
    return user


def lines(*rows: object) -> io.BytesIO:
    return io.BytesIO(b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))


def row(name: str, instruction: str, *texts: str, **fields: object) -> dict[str, object]:
    systems = ("north", "south")
    responses = [{"system": systems[place], "text": text} for place, text in enumerate(texts or ("One.", "Two."))]
    return {"id": name, "instruction": instruction, "responses": responses, **fields}


def load(project: Project, *rows: dict[str, object], name: str = "Items") -> Dataset:
    dataset, outcome = import_items(project=project, dataset_name=name, stream=lines(*rows))
    assert dataset is not None, outcome
    return dataset


def judge(dataset: Dataset, *rows: dict[str, object]) -> None:
    version = make_pair_rubric(dataset.project)
    filled = [{"rater": "ann", "kind": "human", "verdict": "A", **fields} for fields in rows]
    assert import_judgments(dataset=dataset, version=version, stream=lines(*filled)).stored == len(rows)


def found(dataset: Dataset, **wanted: object) -> list[str]:
    return [each.item.external_id for each in selectors.item_page(dataset, ItemFilter(**wanted)).rows]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["items", "index", "dataset", "item"])
def test_pages_are_for_leads_of_the_project(client: Client, project: Project, name: str) -> None:
    dataset = make_dataset(project, pairs=1)
    args: list[object] = {
        "item": [project.slug, dataset.items.get().pk],
        "dataset": [project.slug, dataset.pk],
    }.get(name, [project.slug])
    url = reverse(f"datasets:{name}", args=args)

    assert client.get(url).status_code == 302
    for user, status in (
        (make_user(), 404),
        (make_member(project), 403),
        (make_member(project, Role.LEAD), 200),
        (make_member(project, Role.ADMIN), 200),
    ):
        client.force_login(user)
        assert client.get(url).status_code == status


def test_what_belongs_to_another_project_is_not_there(client: Client, project: Project, lead: User) -> None:
    other = make_dataset(make_project(), pairs=1)
    assert client.get(reverse("datasets:items", args=[project.slug]), {"dataset": other.pk}).status_code == 404
    assert client.get(reverse("datasets:item", args=[project.slug, other.items.get().pk])).status_code == 404
    assert client.post(reverse("datasets:archive", args=[project.slug, other.pk])).status_code == 404


def test_filters(project: Project) -> None:
    dataset = load(
        project,
        row("en", "What is it and why?", scenario="maths", reference="Yes."),
        row("zh", "这是什么？为什么？", scenario="writing"),
        row("single", "What is it and why?", "One."),
    )
    judge(dataset, {"item": "zh"})
    north, south = System.objects.filter(project=project).order_by("name")

    assert found(dataset) == ["en", "zh", "single"]
    assert found(dataset, kind=1) == ["single"]
    assert found(dataset, scenario="maths") == ["en"]
    assert found(dataset, language="zh") == ["zh"]
    assert found(dataset, system=south.pk) == ["en", "zh"]
    assert found(dataset, system=north.pk, kind=2) == ["en", "zh"]
    assert found(dataset, reference=True) == ["en"]
    assert found(dataset, reference=False) == ["zh", "single"]
    assert found(dataset, judged=True) == ["zh"]
    assert found(dataset, judged=False) == ["en", "single"]
    assert found(make_dataset(project, pairs=1, name="Other"), judged=True) == []


def test_search_looks_in_ids_instructions_and_responses_and_takes_the_text_as_it_is(project: Project) -> None:
    dataset = load(
        project,
        row("first-100%", "Describe the Café.", "plain", "under_score"),
        row("second", "请解释量子纠缠。", "好的，这是解释。", "我不知道。"),
        row("third", "100 of them", "It is 50% off", "plain"),
    )
    assert found(dataset, q="FIRST-1") == ["first-100%"]
    assert found(dataset, q="CAFÉ") == ["first-100%"]
    assert found(dataset, q="量子") == ["second"]
    assert found(dataset, q="不知道") == ["second"]
    assert found(dataset, q="100%") == ["first-100%"]
    assert found(dataset, q="r_s") == ["first-100%"]
    assert found(dataset, q="\\") == []
    assert found(dataset, q="plain", kind=2) == ["first-100%", "third"]
    assert found(make_dataset(project, pairs=1, name="Other"), q="量子") == []


def test_pages_go_on_by_place_and_come_back(
    client: Client, project: Project, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PAGE", 2)
    dataset = make_dataset(project, pairs=5)
    Item.objects.filter(dataset=dataset, position=1).delete()  # a gap, as any filter leaves

    def shown(**place: int) -> tuple[list[int], int | None, int | None]:
        page = selectors.item_page(dataset, ItemFilter(), **place)
        return [each.item.position for each in page.rows], page.before, page.after

    assert shown() == ([0, 2], None, 2)
    assert shown(after=2) == ([3, 4], 3, None)
    assert shown(before=3) == ([0, 2], None, 2)
    assert shown(before=4) == ([2, 3], 2, 3)
    assert shown(after=99) == ([], None, None)
    page = client.get(reverse("datasets:items", args=[project.slug]), {"q": "Question", "after": "2"}).content.decode()
    assert (
        f"?q=Question&amp;dataset={dataset.pk}&amp;before=3" in page or "q=Question" in page.split("before=3")[0][-60:]
    )


def test_many_matches_are_not_counted_to_the_end(
    client: Client, project: Project, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PAGE", 2)
    monkeypatch.setattr(selectors, "COUNTED", 3)
    dataset = make_dataset(project, pairs=5)
    url = reverse("datasets:items", args=[project.slug])

    assert "5 items" in client.get(url).content.decode()
    assert "More than 3 items match" in client.get(url, {"q": "question"}).content.decode()
    Item.objects.filter(dataset=dataset, position__gt=2).delete()
    assert "3 items match" in client.get(url, {"q": "question"}).content.decode()


def test_a_list_costs_the_same_queries_however_long_it_is(
    client: Client, project: Project, lead: User, django_assert_max_num_queries
) -> None:
    make_dataset(project, pairs=30)
    url = reverse("datasets:items", args=[project.slug])
    client.get(url)
    with django_assert_max_num_queries(20):
        client.get(url, {"kind": "", "q": "answer"})


def test_a_search_that_takes_too_long_is_given_up(
    client: Client, project: Project, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(project, pairs=1)
    slow = Item.objects.extra(where=["pg_sleep(5) IS NOT NULL"])
    monkeypatch.setattr(selectors, "matching", lambda dataset, wanted: slow)
    monkeypatch.setattr(selectors, "SEARCH_SECONDS", 0.1)
    response = client.get(reverse("datasets:items", args=[project.slug]))

    assert response.status_code == 503
    assert "took too long" in response.content.decode()


def test_htmx_gets_the_list_alone_and_history_the_whole_page(client: Client, project: Project, lead: User) -> None:
    make_dataset(project, pairs=1)
    url = reverse("datasets:items", args=[project.slug])
    part = client.get(url, {"q": "question"}, headers={"HX-Request": "true"})
    whole = client.get(url, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})

    assert part.content.decode().lstrip().startswith("<section")
    assert "HX-Request" in part["Vary"]
    assert "<html" in whole.content.decode()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("q=a%00b", 400),
        ("dataset=999999999", 404),
        ("system=999999", 422),
        ("kind=7", 422),
        ("judged=perhaps", 422),
        ("q=" + "x" * 201, 422),
        ("q=a%0Ab", 422),
        ("after=99999999999999999999999&before=x&dataset=", 200),
        ("after=9223372036854775807", 200),
    ],
)
def test_bad_addresses_are_told(client: Client, project: Project, lead: User, query: str, status: int) -> None:
    make_dataset(project, pairs=2, singles=1)
    assert client.get(f"{reverse('datasets:items', args=[project.slug])}?{query}").status_code == status


def test_systems_are_hidden_from_leads_of_a_blind_project_and_not_from_admins(client: Client) -> None:
    project = make_project(blind_leads=True)
    dataset = load(project, row("one", "Why?", meta={"model": "northern"}))
    list_url = reverse("datasets:items", args=[project.slug])
    item_url = reverse("datasets:item", args=[project.slug, dataset.items.get().pk])
    system = System.objects.get(name="south")

    client.force_login(make_member(project, Role.LEAD))
    for url in (list_url, item_url):
        page = client.get(url).content.decode()
        assert "north" not in page
        assert "south" not in page
    # Asking by address tells nothing either: the filter is not there.
    assert "one" in client.get(list_url, {"system": system.pk + 1000}).content.decode()

    client.force_login(make_member(project, Role.ADMIN))
    for url in (list_url, item_url):
        page = client.get(url).content.decode()
        assert "north" in page
        assert "south" in page


def test_markup_in_items_is_shown_as_text(client: Client, project: Project, lead: User) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    dataset = load(
        project, row("evil<b>", evil, f"**bold** {evil}", evil, context=evil, reference=evil, meta={"note": evil})
    )
    judge(dataset, {"item": "evil<b>", "rationale": evil, "rater": "<i>ann</i>"})
    item = dataset.items.get()
    urls = [reverse("datasets:items", args=[project.slug]), reverse("datasets:item", args=[project.slug, item.pk])]
    for url in (*urls, f"{urls[1]}?view=raw"):
        page = client.get(url).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<i>ann" not in page
        assert "&lt;script&gt;alert(1)" in page
    assert "<strong>bold</strong>" in client.get(urls[1]).content.decode()
    assert "**bold**" in client.get(f"{urls[1]}?view=raw").content.decode()


def test_an_item_shows_everyones_judgments_unswapped_with_older_revisions_folded(
    client: Client, project: Project, lead: User
) -> None:
    dataset = make_dataset(project, pairs=1)
    judge(
        dataset,
        {"item": "pair-0", "verdict": "B", "rationale": "At first."},
        {"item": "pair-0", "verdict": "A", "revision": 1, "strength": "much", "order": "AB", "seconds": 12.34},
        {"item": "pair-0", "rater": "judy", "kind": "judge", "verdict": "tie", "order": "BA"},
        {"item": "pair-0", "rater": "judy", "kind": "judge", "verdict": None, "status": "unparsed"},
    )
    found, more = selectors.judgments_of(dataset.items.get())

    assert not more
    assert [(each.latest.judgment.rater.name, each.latest.answer, each.latest.fault) for each in found] == [
        ("ann", "A", ""),
        ("judy", "", "Not readable"),
        ("judy", "Tie", ""),
    ]
    assert found[0].latest.more == ("much better",)
    assert [each.answer for each in found[0].earlier] == ["B"]
    page = client.get(reverse("datasets:item", args=[project.slug, dataset.items.get().pk])).content.decode()
    assert "Revision 1" in page
    assert "12.3" in page
    assert "3 judgments" in page


def test_scores_and_choices_are_said_as_the_rubric_has_them(project: Project) -> None:
    dataset = make_dataset(project, singles=1)
    options = [{"id": "ok", "label": "All fine"}, {"id": "off", "label": "Off topic"}]
    version = make_version(
        project,
        "Both",
        [
            {"key": "s", "kind": 1, "name": "S", "question": "?", "scale_min": 1, "scale_max": 5},
            {"key": "c", "kind": 2, "name": "C", "question": "?", "options": options},
        ],
    )
    base = {"item": "single-0", "rater": "ann", "kind": "human"}
    stream = lines({**base, "criterion": "s", "score": 4}, {**base, "criterion": "c", "choice": "off", "mark": "gold"})
    import_judgments(dataset=dataset, version=version, stream=stream)
    found, _ = selectors.judgments_of(dataset.items.get())

    assert [(each.latest.answer, each.latest.short, each.latest.mark) for each in found] == [
        ("4", True, ""),
        ("Off topic", False, "Gold"),
    ]


def test_a_conversation_is_shown_turn_by_turn(client: Client, project: Project, lead: User) -> None:
    turns = [{"role": "user", "content": "**Hello**"}, {"role": "assistant", "content": "你好"}]
    fields: dict[str, object] = {
        "id": "chat",
        "messages": turns,
        "responses": [{"system": "north", "messages": turns[1:]}],
    }
    item = load(project, fields).items.get()
    url = reverse("datasets:item", args=[project.slug, item.pk])
    page = client.get(url).content.decode()

    assert page.index('<p class="label">User</p>') < page.index("<strong>Hello</strong>") < page.index("你好")
    assert page.count('<p class="label">Assistant</p>') == 2
    assert '<div class="prose" lang="zh-CN" dir="auto">' in page


def test_previous_and_next_stay_within_the_filter(client: Client, project: Project, lead: User) -> None:
    dataset = make_dataset(project, pairs=2, singles=1)
    Item.objects.filter(dataset=dataset, position=1).update(scenario="maths")
    first, second, single = dataset.items.order_by("position")

    def around(**query: str) -> tuple[str | None, str | None]:
        context = client.get(reverse("datasets:item", args=[project.slug, second.pk]), query).context
        previous, following = context["previous"], context["following"]
        return previous and previous.external_id, following and following.external_id

    assert around() == (first.external_id, single.external_id)
    assert around(kind="2") == (first.external_id, None)
    assert around(scenario="maths") == (None, None)


def test_rendering_is_kept_and_made_anew_when_the_renderer_is_newer(project: Project) -> None:
    item = load(project, row("one", "# Why?", "**a**", "b", context="c")).items.get()

    first = texts.rendered(item)
    assert "<strong>a</strong>" in first.responses[0]
    RenderedItem.objects.filter(item=item).update(version=texts.VERSION - 1, instruction="old")
    assert "old" not in texts.rendered(item).instruction
    RenderedItem.objects.filter(item=item).update(context="kept")
    assert texts.rendered(item).context == "kept"


def test_a_dataset_is_rendered_in_the_background_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "BATCH", 2)
    dataset = make_dataset(project, pairs=5)
    texts.rendered(dataset.items.get(position=3))

    tasks.render_dataset(dataset.pk)
    assert RenderedItem.objects.filter(item__dataset=dataset, version=texts.VERSION).count() == 5
    RenderedItem.objects.update(context="kept")
    tasks.render_dataset(dataset.pk)
    assert set(RenderedItem.objects.values_list("context", flat=True)) == {"kept"}


def test_a_large_dataset_is_rendered_piece_by_piece(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset(project, pairs=3)
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(tasks, "BATCH", 2)
    monkeypatch.setattr(tasks, "SECONDS_AT_A_TIME", 0.0)
    monkeypatch.setattr(tasks.render_dataset, "delay", lambda *args: sent.append(args))
    monkeypatch.setattr("apps.datasets.tasks.time.monotonic", iter([0.0, -1.0, 1.0]).__next__)

    tasks.render_dataset(dataset.pk)
    assert sent == [(dataset.pk, 1)]


def test_a_dataset_is_described(client: Client, project: Project, lead: User) -> None:
    dataset = make_dataset(project, pairs=1)
    url = reverse("datasets:dataset", args=[project.slug, dataset.pk])

    assert client.post(url, {"description": "From spring.", "sampling": "random"}).status_code == 302
    dataset.refresh_from_db()
    assert (dataset.description, dataset.sampling) == ("From spring.", "random")
    assert client.post(url, {"description": "x", "sampling": "luck"}).status_code == 422
    assert client.post(url, {"description": "a\x1bb", "sampling": "all"}).status_code == 422
    dataset.refresh_from_db()
    assert dataset.description == "From spring."


def test_an_archived_dataset_leaves_the_choices_and_comes_back(client: Client, project: Project, lead: User) -> None:
    old, new = make_dataset(project, pairs=1, name="Old"), make_dataset(project, pairs=1, name="New")
    archive = reverse("datasets:archive", args=[project.slug, new.pk])
    assert client.get(archive).status_code == 405
    assert client.post(archive).status_code == 302

    assert list(selectors.active_datasets(project)) == [old]
    assert selectors.first_dataset(project) == old
    page = client.get(reverse("datasets:index", args=[project.slug])).content.decode()
    assert page.index("Old") < page.index("Archived") < page.index("New</a>")
    shown = client.get(reverse("datasets:items", args=[project.slug]), {"dataset": new.pk}).content.decode()
    assert "(archived)" in shown
    assert Response.objects.filter(item__dataset=new).count() == 2

    client.post(reverse("datasets:restore", args=[project.slug, new.pk]))
    assert set(selectors.active_datasets(project)) == {old, new}


def test_archiving_twice_keeps_the_first_date(project: Project) -> None:
    dataset = make_dataset(project)
    services.archive(dataset=dataset)
    first = Dataset.objects.get().archived_at
    services.archive(dataset=dataset)
    assert Dataset.objects.get().archived_at == first
