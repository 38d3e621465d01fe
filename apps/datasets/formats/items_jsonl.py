"""Items as JSON Lines: `{"id", "instruction" or "messages", "responses": [{"system", "text"}, …], …}` a line.

The reader runs before anything is stored, over every line of an import, so the common case of a check is one
expression and the words for a fault are made only once there is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from apps.core.said import said as _
from apps.datasets.formats.fields import Checker, is_name
from apps.datasets.formats.lines import FirstLines, parse_object, read_lines, type_name
from apps.datasets.formats.records import (
    ITEM_ID_LENGTH,
    ItemRecord,
    Message,
    Problem,
    ResponseRecord,
    flatten,
)

_FIELDS = frozenset({"id", "instruction", "messages", "context", "reference", "scenario", "group", "responses", "meta"})
_ALIASES = {
    "item": "id", "item_id": "id", "idx": "id", "uid": "id",
    "prompt": "instruction", "question": "instruction", "query": "instruction", "input": "context",
    "conversation": "messages", "conversations": "messages", "turns": "messages",
    "response": "responses", "output": "responses", "outputs": "responses", "answer": "responses",
    "answers": "responses", "completions": "responses", "response1": "responses", "response_a": "responses",
    "ref": "reference", "reference_answer": "reference", "gold": "reference", "target": "reference",
    "category": "scenario", "task": "scenario", "metadata": "meta", "extra": "meta",
}  # fmt: skip
_RESPONSE_FIELDS = frozenset({"system", "text", "messages"})
_RESPONSE_ALIASES = {
    "model": "system", "name": "system", "generator": "system", "content": "text", "response": "text",
    "output": "text", "answer": "text", "conversation": "messages", "turns": "messages",
}  # fmt: skip
_RESPONSE = _('Write it like {"system": "model-a", "text": "…"}.')


def read_items(stream: BinaryIO) -> Iterator[ItemRecord | Problem]:
    """Records and problems in line order. Every line is checked, and all that is wrong with a line is said.

    Two responses may be by the same system, and a response may be empty: both happen and are worth judging.
    """
    first = FirstLines()
    checker = Checker()
    for entry in read_lines(stream):
        if isinstance(entry, Problem):
            yield entry
            continue
        number, line = entry
        checker.line = number
        row = parse_object(number, line, checker.problems)
        if row is not None:
            record = _item(row, checker)
            identifier = record.id if record else row.get("id")
            if type(identifier) is str and (earlier := first.seen(identifier, number)):
                message = _("is already used on line %(line)s", line=earlier)
                checker.add("id", identifier, message, _("Give every item an id of its own."))
            if record is not None and not checker.problems:
                yield record
                continue
        yield from checker.problems
        checker.problems.clear()


def write_item(record: ItemRecord) -> bytes:
    """The line that `read_items` reads back as an equal record, with its line break."""
    row: dict[str, Any] = {"id": record.id}
    if record.messages is None:
        row["instruction"] = record.instruction
    else:
        row["messages"] = _turns(record.messages)
    for field in ("context", "reference", "scenario", "group"):
        value = getattr(record, field)
        if value is not None:
            row[field] = value
    row["responses"] = [
        {"system": response.system, "text": response.text}
        if response.messages is None
        else {"system": response.system, "messages": _turns(response.messages)}
        for response in record.responses
    ]
    if record.meta:
        row["meta"] = dict(record.meta)
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _turns(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _item(row: dict[str, Any], check: Checker) -> ItemRecord | None:
    if not row.keys() <= _FIELDS:
        check.unknown_fields("", row, _FIELDS, _ALIASES, _('Move it into "meta" to keep it, or remove it.'))
    get = row.get
    identifier = None
    if "id" not in row:
        check.missing("id", _("Give every item an id of its own."))
    else:
        identifier = check.name("id", row["id"], ITEM_ID_LENGTH)

    context = get("context")
    if context is not None:
        context = check.text("context", context)
    instruction = get("instruction")
    messages = None
    if get("messages") is None:
        if instruction is None:
            remedy = _('Write what was asked as "instruction", or a conversation as "messages".')
            check.missing("instruction", remedy)
        else:
            instruction = check.text("instruction", instruction)
            if instruction is not None and not instruction.strip() and not (context and context.strip()):
                message = _("is blank, and there is no context")
                check.add("instruction", instruction, message, _("Write what was asked."))
    else:
        messages = check.messages("messages", row["messages"])
        if instruction is not None:
            message = _("stands beside messages, and only one of the two may be given")
            check.add("instruction", instruction, message, _("Remove one of them."))
        elif messages is not None:
            instruction = flatten(messages)
            if not any(turn.content.strip() for turn in messages):
                check.add("messages", row["messages"], _("holds no text"), _("Write what was asked."))

    reference, scenario, group, meta = get("reference"), get("scenario"), get("group"), get("meta")
    if reference is not None:
        reference = check.text("reference", reference)
        if reference is not None and not reference.strip():
            remedy = _("Write the reference answer, or leave the field out.")
            check.add("reference", reference, _("is blank"), remedy)
    if scenario is not None:
        scenario = check.name("scenario", scenario)
    if group is not None:
        group = check.name("group", group)
    meta = {} if meta is None else check.meta("meta", meta)

    responses = _responses(row, check)
    if identifier is None or instruction is None or responses is None or meta is None or check.problems:
        return None
    return ItemRecord(
        check.line, identifier, instruction, responses, messages, context, reference, scenario, group, meta
    )


def _responses(row: dict[str, Any], check: Checker) -> tuple[ResponseRecord, ...] | None:
    rows = row.get("responses")
    if rows is None:
        remedy = _(
            'Write one response to score it, or two to compare them. Write it like {"system": "model-a", "text": "…"}.'
        )
        check.missing("responses", remedy)
        return None
    if type(rows) is not list:
        message = _("must be a list, not %(kind)s", kind=type_name(rows))
        check.add("responses", rows, message, _("Write one or two responses in [ ]."))
        return None
    if not 1 <= len(rows) <= 2:
        if rows:
            message = _("has %(count)s responses", count=len(rows))
            remedy = _(
                "Write one response to score it, or two to compare them; "
                'more become several pairs with the same "group".'
            )
        else:
            message = _("is empty")
            remedy = _("Write one response to score it, or two to compare them.")
        check.problems.append(Problem(check.line, "responses", "", message, remedy))
    read = []
    for index, response in enumerate(rows):
        # Nearly every response is this simple, and naming its fields would cost more than checking them.
        if type(response) is dict and len(response) == 2:
            system, text = response.get("system"), response.get("text")
            if is_name(system) and type(text) is str and "\x00" not in text:
                read.append(ResponseRecord(system, text))
                continue
        record = _response(f"responses[{index}]", response, check)
        if record is not None:
            read.append(record)
    return tuple(read)


def _response(path: str, row: object, check: Checker) -> ResponseRecord | None:
    if type(row) is not dict:
        check.add(path, row, _("must be an object, not %(kind)s", kind=type_name(row)), _RESPONSE)
        return None
    if not row.keys() <= _RESPONSE_FIELDS:
        remedy = _('Move it into the item\'s "meta".')
        check.unknown_fields(path, row, _RESPONSE_FIELDS, _RESPONSE_ALIASES, remedy)
    system = row.get("system")
    if system is None:
        check.missing(f"{path}.system", _("Name the system that wrote the response."))
    else:
        system = check.name(f"{path}.system", system)
    text = row.get("text")
    messages = None
    if row.get("messages") is None:
        if text is None:
            remedy = _('Write the response as "text" (it may be empty) or as "messages".')
            check.missing(f"{path}.text", remedy)
        else:
            text = check.text(f"{path}.text", text)
    else:
        messages = check.messages(f"{path}.messages", row["messages"])
        if text is not None:
            message = _("stands beside messages, and only one of the two may be given")
            check.add(f"{path}.text", text, message, _("Remove one of them."))
            return None
        text = None if messages is None else flatten(messages)
    if system is None or text is None:
        return None
    return ResponseRecord(system, text, messages)
