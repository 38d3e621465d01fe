"""An item's texts as HTML, made once and kept: rendering rich Markdown costs as much as the rest of a judgment.

What is kept is whole elements, `<div class="prose" lang="…" dir="auto">…</div>`, in no reader's language: the names of
a conversation's roles are put in when the page is written (`spoken`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import pgettext

from apps.core import markdown
from apps.core.templatetags.components import prose
from apps.datasets.models import Item, RenderedItem

#: goes up when this module writes other HTML for the same item; `RenderedItem.version` holds both versions as one
_LAYOUT_VERSION = 1
VERSION = _LAYOUT_VERSION * 1000 + markdown.RENDERER_VERSION

ROLES = ("system", "user", "assistant", "tool")


def role_mark(role: str) -> str:
    """Where a turn's role stands in kept HTML. The sanitiser lets no attribute of this name through from a text."""
    return f'<p class="label" data-role="{role}"></p>'


def spoken(html: str) -> SafeString:
    """Kept HTML with the roles of a conversation named in the reader's language."""
    if "data-role" in html:
        for role, name in (
            ("system", pgettext("a turn of a conversation", "System prompt")),
            ("user", pgettext("a turn of a conversation", "User")),
            ("assistant", pgettext("a turn of a conversation", "Assistant")),
            ("tool", pgettext("a turn of a conversation", "Tool")),
        ):
            html = html.replace(role_mark(role), f'<p class="label">{name}</p>')
    return mark_safe(html)  # noqa: S308 -- sanitised when it was kept


def text_html(text: str, messages: Sequence[Mapping[str, Any]] | None, *, raw: bool = False) -> SafeString:
    """A text, or the conversation it stands for, turn by turn."""
    if not messages:
        return prose(text, raw=raw)
    turns = [
        format_html("{}{}", mark_safe(role_mark(role) if role in ROLES else ""), prose(content, raw=raw))  # noqa: S308
        for role, content in ((str(turn.get("role", "")), str(turn.get("content", ""))) for turn in messages)
    ]
    return mark_safe("".join(turns))  # noqa: S308 -- each turn is escaped or sanitised


def render(item: Item, *, raw: bool = False) -> RenderedItem:
    """The item's texts as HTML, not yet kept; its responses must be prefetched or cheap to read."""
    return RenderedItem(
        item_id=item.pk,
        version=VERSION,
        instruction=text_html(item.instruction, item.messages, raw=raw),
        context=prose(item.context, raw=raw) if item.context else "",
        reference=prose(item.reference, raw=raw) if item.reference else "",
        responses=[text_html(response.text, response.messages, raw=raw) for response in item.responses.all()],
    )


def keep(rendered: Iterable[RenderedItem]) -> None:
    """Store what was rendered; whoever is last wins, as both wrote the same."""
    RenderedItem.objects.bulk_create(
        rendered,
        update_conflicts=True,
        unique_fields=["item"],
        update_fields=["version", "instruction", "context", "reference", "responses"],
    )


def rendered(item: Item) -> RenderedItem:
    """The item's texts as HTML: what is kept, or made and kept now where none is or an older renderer made it."""
    kept = RenderedItem.objects.filter(item=item, version=VERSION).first()
    if kept is None:
        kept = render(item)
        keep([kept])
    return kept


def render_some(*, dataset_id: int, after: int, count: int) -> int | None:
    """Render and keep the next items that lack it, past the place `after`; the last one's place, or None at the end."""
    current = RenderedItem.objects.filter(item=OuterRef("pk"), version=VERSION)
    items = list(
        Item.objects.filter(~Exists(current), dataset=dataset_id, position__gt=after)
        .order_by("position")
        .prefetch_related("responses")[:count]
    )
    if not items:
        return None
    keep([render(item) for item in items])
    return items[-1].position
