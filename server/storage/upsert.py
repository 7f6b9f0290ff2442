"""``INSERT … ON CONFLICT``, which SQLite and PostgreSQL write alike and SQLAlchemy spells per dialect."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table, TextClause, bindparam, text


def upsert(table: Table, *, replace: Sequence[str] | None = None, only_if: str = "") -> TextClause:
    """Insert a row of ``table``; where its primary key stands already, replace ``replace`` (default: all the rest).

    ``only_if`` is a condition on the old row, such as ``"excluded.stream > receipts.stream"``. With
    ``replace=()`` an existing row is left as it is.
    """
    names = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key.columns]
    changed = [name for name in names if name not in keys] if replace is None else list(replace)
    action = "NOTHING"
    if changed:
        action = "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in changed)
        if only_if:
            action += f" WHERE {only_if}"
    values = ", ".join(f":{name}" for name in names)
    statement = text(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(keys)}) DO {action}"
    )
    return statement.bindparams(*[bindparam(name, type_=table.columns[name].type) for name in names])
