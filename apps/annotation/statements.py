"""The SQL of the round trip "store this label, give me the next item". Read apps/annotation/hot.py first.

One judgment costs two statements, STANDING and SUBMIT; a session's first one also SESSION. SUBMIT stores, closes,
finds, claims and leases in one round trip; its parts:

- `done` closes the assignment if it is still leased to this person. Everything else hangs on its row, so a refused
  submit writes nothing and claims nothing.
- `stored` adds one judgment a criterion. Verdicts come as they were shown (A is the left side) and are un-swapped here.
- `ahead` finds the next open place after the member's cursor, `behind` starts anew from the front when there is none.
  `SKIP LOCKED` passes over a row that someone else is taking at this moment; it comes up again on the next round.
- `take` counts the place, under the row's lock and its check constraint.
- `lease` gives the lowest free place number; number and item decide the side, so each item is shown as often in one
  order as in the other, within one. A row whose lease ran out is leased again by updating it.

Two requests can only meet on the same snapshot, never on the same place: the unique constraints refuse the second, the
statement fails as a whole, and the caller runs it again (`RETRY` in apps/annotation/services.py).
"""

# ruff: noqa: S608 -- every part of these texts is a constant of this file; values are bound
from __future__ import annotations

import re

_HASH_FACTOR = 2_654_435_761  # Knuth's multiplicative hash: neighbours get unrelated parities


def side(item_id: int, place: int) -> int:
    """The order (0 is AB, 1 is BA) in which the item is shown at that place; the same rule as in SQL below."""
    return ((((item_id & 0x7FFFFFFF) * _HASH_FACTOR) >> 16) + place) & 1


#: the session's data, unless it has expired: who it is that asks
SESSION = "SELECT session_data FROM django_session WHERE session_key = %(key)s AND expire_date > now()"

#: everything that must be true for a label to be taken, or no row; the columns are `hot.Standing`
STANDING = """
SELECT s.session_data, u.password, u.language, u.time_zone,
       p.show_context, p.show_reference, p.show_scenario, p.rationale, p.starts_on, p.ends_on,
       r.lease_minutes, r.rubric_version_id, r.dataset_id, r.item_count,
       a."order", a.leased_at, i.kind, i.scenario
FROM accounts_user u
JOIN django_session s ON s.session_key = %(key)s AND s.expire_date > now()
JOIN projects_project p ON p.slug = %(slug)s AND p.archived_at IS NULL
JOIN projects_membership m ON m.project_id = p.id AND m.user_id = u.id
JOIN annotation_round r ON r.id = %(round)s AND r.project_id = p.id AND r.status = 'open'
JOIN annotation_assignment a ON a.id = %(assignment)s AND a.user_id = u.id AND a.round_id = r.id AND a.state = 'L'
JOIN datasets_item i ON i.id = a.item_id
WHERE u.id = %(user)s AND u.is_active
"""

_STORE = """
done AS (
    UPDATE annotation_assignment SET state = 'D', closed_at = statement_timestamp()
    WHERE id = %(assignment)s AND user_id = %(user)s AND round_id = %(round)s AND state = 'L'
      AND leased_at = %(leased_at)s
    RETURNING item_id, rater_id, "order"
), stored AS (
    INSERT INTO judgments_judgment (
        item_id, created_at, dataset_id, rater_id, rubric_version_id, criterion_id, seconds, score, kind, "order",
        sample, revision, status, verdict, choice, strength, mark, both_bad, rationale, details
    )
    SELECT done.item_id, statement_timestamp(), %(dataset)s, done.rater_id, %(version)s, j.criterion,
           %(seconds)s::float8, j.score, j.kind, done."order", 0,
           -- The same person may have judged it in another round: then this is a new revision.
           coalesce((
               SELECT max(e.revision) + 1 FROM judgments_judgment e
               WHERE e.item_id = done.item_id AND e.rater_id = done.rater_id AND e.criterion_id = j.criterion
                 AND e."order" = done."order" AND e.sample = 0
           ), 0),
           0, CASE done."order" WHEN 1 THEN 2 - j.verdict ELSE j.verdict END, j.choice, j.strength, NULL,
           j.both_bad, j.rationale, %(details)s::jsonb
    FROM done, jsonb_to_recordset(%(answers)s::jsonb) AS j(
        criterion int, kind smallint, verdict smallint, score float8, choice smallint, strength smallint,
        both_bad boolean, rationale text
    )
)"""

_FIND = """SELECT f.item_id, f.pos FROM me, LATERAL (
        SELECT q.item_id, q.pos FROM annotation_queueentry q
        WHERE q.round_id = %(round)s AND q.taken < q.need AND q.pos {part} me.cursor
          AND NOT EXISTS (
              SELECT 1 FROM annotation_assignment s
              WHERE s.round_id = q.round_id AND s.item_id = q.item_id AND s.user_id = %(user)s AND s.state <> 'X'
          )
        ORDER BY q.pos LIMIT 1 FOR UPDATE OF q SKIP LOCKED
    ) f"""

_NEXT = f"""
ahead AS MATERIALIZED (
    {_FIND.format(part=">")}
), behind AS MATERIALIZED (
    {_FIND.format(part="<=")}
    WHERE NOT EXISTS (SELECT 1 FROM ahead)
), take AS (
    UPDATE annotation_queueentry q SET taken = q.taken + 1
    FROM (SELECT item_id FROM ahead UNION ALL SELECT item_id FROM behind) found
    WHERE q.round_id = %(round)s AND q.item_id = found.item_id AND q.taken < q.need
    RETURNING q.item_id, q.pos, q.need
), lease AS (
    INSERT INTO annotation_assignment (
        item_id, round_id, user_id, rater_id, state, place, "order", leased_at, expires_at
    )
    SELECT take.item_id, %(round)s, %(user)s, me.rater_id, 'L', free.place,
           (((((take.item_id & 2147483647) * {_HASH_FACTOR}) >> 16) + free.place) & 1)::smallint,
           statement_timestamp(), statement_timestamp() + %(lease_minutes)s * interval '1 minute'
    FROM take, me, LATERAL (
        SELECT min(p.place)::smallint AS place FROM generate_series(0, take.need - 1) AS p(place)
        WHERE NOT EXISTS (
            SELECT 1 FROM annotation_assignment s
            WHERE s.round_id = %(round)s AND s.item_id = take.item_id AND s.place = p.place AND s.place >= 0
              AND s.state IN ('L', 'D')
        )
    ) free
    ON CONFLICT (round_id, item_id, user_id) DO UPDATE SET
        -- Anything but an expired row means that another tab was faster: NULL is refused, and with it the statement.
        state = CASE annotation_assignment.state WHEN 'X' THEN 'L' END,
        place = EXCLUDED.place, "order" = EXCLUDED."order",
        leased_at = EXCLUDED.leased_at, expires_at = EXCLUDED.expires_at, closed_at = NULL
    RETURNING id, item_id, "order", leased_at
)"""

# The columns are `desk.Leased`.
_LEASED = """
lease.id, lease."order", lease.leased_at, i.id, i.kind, i.scenario,
       t.version, t.instruction, t.context, t.reference, t.responses"""
_TEXTS = """
LEFT JOIN datasets_item i ON i.id = lease.item_id
LEFT JOIN datasets_rendereditem t ON t.item_id = lease.item_id"""


def _compact(sql: str) -> str:
    """Without comments and indentation: psycopg remembers how to bind a statement of up to 4,096 characters only."""
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


#: store and go on: one row, how many this person has done (null: refused, nothing written), then the lease or nulls
SUBMIT = _compact(f"""WITH {_STORE}, me AS MATERIALIZED (
    SELECT m.cursor, done.rater_id FROM done, annotation_roundmember m
    WHERE m.round_id = %(round)s AND m.user_id = %(user)s
), {_NEXT}, moved AS (
    UPDATE annotation_roundmember m
    SET done = m.done + 1, cursor = coalesce((SELECT pos FROM take), m.cursor), last_seen_at = statement_timestamp()
    FROM done WHERE m.round_id = %(round)s AND m.user_id = %(user)s
    RETURNING m.done
)
SELECT moved.done, {_LEASED}
FROM (SELECT 1) one LEFT JOIN moved ON true LEFT JOIN lease ON true {_TEXTS}
""")

#: lease the next item without storing anything: the lease, or no row
CLAIM = f"""WITH me AS MATERIALIZED (
    SELECT m.cursor, m.rater_id FROM annotation_roundmember m
    WHERE m.round_id = %(round)s AND m.user_id = %(user)s
), {_NEXT}, moved AS (
    UPDATE annotation_roundmember m SET cursor = take.pos, last_seen_at = statement_timestamp()
    FROM take WHERE m.round_id = %(round)s AND m.user_id = %(user)s
)
SELECT {_LEASED} FROM lease {_TEXTS}
"""

#: what this person holds already, its lease renewed: the lease, or no row
HELD = f"""WITH lease AS (
    UPDATE annotation_assignment
    SET expires_at = statement_timestamp() + %(lease_minutes)s * interval '1 minute'
    WHERE state = 'L' AND id = (
        SELECT id FROM annotation_assignment
        WHERE round_id = %(round)s AND user_id = %(user)s AND state = 'L' ORDER BY leased_at DESC LIMIT 1
    )
    RETURNING id, item_id, "order", leased_at
)
SELECT {_LEASED} FROM lease {_TEXTS}
"""

#: fill the queue with the dataset's items that the rubric version asks about, shuffled by the round's seed
FILL_QUEUE = """
INSERT INTO annotation_queueentry (round_id, item_id, pos, need, taken)
SELECT %(round)s, i.id, row_number() OVER (ORDER BY md5(%(seed)s::text || ':' || i.id::text), i.id) - 1, %(need)s, 0
FROM datasets_item i
WHERE i.dataset_id = %(dataset)s AND EXISTS (
    SELECT 1 FROM rubrics_criterion c
    WHERE c.version_id = %(version)s AND (c.kind = 0) = (i.kind = 2)
      AND (cardinality(c.scenarios) = 0 OR i.scenario = ANY (c.scenarios))
)
"""

#: give back the places of leases that ran out: how many there were
RETURN_EXPIRED = """
WITH gone AS (
    UPDATE annotation_assignment SET state = 'X', closed_at = statement_timestamp()
    WHERE id IN (
        SELECT id FROM annotation_assignment WHERE state = 'L' AND expires_at < statement_timestamp()
        ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    RETURNING round_id, item_id
), back AS (
    UPDATE annotation_queueentry q SET taken = q.taken - gone_here.places
    FROM (SELECT round_id, item_id, count(*) AS places FROM gone GROUP BY round_id, item_id) gone_here
    WHERE q.round_id = gone_here.round_id AND q.item_id = gone_here.item_id
)
SELECT count(*) FROM gone
"""
