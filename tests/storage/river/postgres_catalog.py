"""The catalog of a Postgres schema, in the shape of the recorded files (tests/vectors/river/schema_pg_*).

Postgres writes every definition in its own words, so those can be compared as they are, except for
three things.  The name of the schema is taken for `public`.  Of a function only what is before its body
counts, for the body is text: what it does is tested by calling it.  And the recorded files hold the
greatest number of a sequence with the digits that a float keeps.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg.rows import dict_row

QUERIES = {
    "columns": """
        select
            c.relname as table, a.attname as name, a.attnum as position, a.attnotnull as not_null,
            format_type(a.atttypid, a.atttypmod) as type, pg_get_expr(d.adbin, d.adrelid) as default,
            l.collname as collation, a.attgenerated::text as generated, a.attidentity::text as identity
        from pg_attribute as a
        join pg_class as c on c.oid = a.attrelid
        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        left join pg_collation as l on l.oid = a.attcollation
        where c.relnamespace = %(schema)s::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
        """,
    "constraints": """
        select c.relname as table, n.conname as name, n.contype::text as kind, pg_get_constraintdef(n.oid) as definition
        from pg_constraint as n
        join pg_class as c on c.oid = n.conrelid
        where n.connamespace = %(schema)s::regnamespace and n.contype <> 'n' -- what PostgreSQL 18 has for "not null"
        """,
    "enums": """
        select t.typname as name, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
        from pg_type as t
        join pg_enum as e on e.enumtypid = t.oid
        where t.typnamespace = %(schema)s::regnamespace
        group by t.typname
        """,
    "functions": """
        select
            p.proname as name, pg_get_functiondef(p.oid) as definition, p.provolatile::text as volatility,
            pg_get_function_arguments(p.oid) as args, pg_get_function_result(p.oid) as result, l.lanname as language
        from pg_proc as p
        join pg_language as l on l.oid = p.prolang
        where p.pronamespace = %(schema)s::regnamespace
        """,
    "indexes": """
        select
            t.relname as table, c.relname as name, pg_get_indexdef(c.oid) as definition,
            i.indisprimary as is_primary, i.indisunique as is_unique, i.indisvalid as is_valid
        from pg_index as i
        join pg_class as c on c.oid = i.indexrelid
        join pg_class as t on t.oid = i.indrelid
        where c.relnamespace = %(schema)s::regnamespace
        """,
    "sequences": """
        select
            c.relname as name, format_type(s.seqtypid, null) as type, s.seqstart as start, s.seqmin as min,
            s.seqmax as max, s.seqincrement as increment, s.seqcache as cache, s.seqcycle as cycle
        from pg_sequence as s
        join pg_class as c on c.oid = s.seqrelid
        where c.relnamespace = %(schema)s::regnamespace
        """,
    "tables": """
        select
            relname as name, relpersistence::text as persistence, reloptions as options,
            obj_description(oid, 'pg_class') as comment
        from pg_class
        where relnamespace = %(schema)s::regnamespace and relkind = 'r'
        """,
    "triggers": """
        select c.relname as table, t.tgname as name, pg_get_triggerdef(t.oid) as definition
        from pg_trigger as t
        join pg_class as c on c.oid = t.tgrelid
        where c.relnamespace = %(schema)s::regnamespace and not t.tgisinternal
        """,
}


def catalog(db: psycopg.Connection[Any], schema: str = "public") -> dict[str, Any]:
    """What Postgres says about a schema, ready to be compared."""
    with db.transaction(force_rollback=True), db.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select set_config('search_path', %s, true)", [f'"{schema}"'])
        quoted = {"schema": f'"{schema}"'}
        found = {part: cursor.execute(query, quoted).fetchall() for part, query in QUERIES.items()}
    return normal(found, schema)


def normal(catalog: dict[str, Any], schema: str = "public") -> dict[str, Any]:
    """Make recorded and real alike: see the top of this file."""
    return {
        part: sorted((_normal_row(row, schema) for row in rows), key=lambda row: (row.get("table", ""), row["name"]))
        for part, rows in catalog.items()
    }


def _normal_row(row: dict[str, Any], schema: str) -> dict[str, Any]:
    row = dict(row)
    if "definition" in row:
        head, _, _ = row["definition"].partition("AS $")
        row["definition"] = " ".join(re.sub(rf'"?\b{schema}\b"?\.', "public.", head).split())
    if "max" in row:
        row["max"] = float(row["max"])
    return row
