"""What import-linter does not see: where SQL stands, where time comes from, who starts tasks."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source import Source, sources

# Modules that may name the clock of the operating system or of the event loop.
TIME_KEEPERS = {"server/foundation/clock.py"}
# Modules that may start a task; each keeps it, stops it, and hears it fail.
TASK_OWNERS = {"server/foundation/tasks.py", "server/storage/database.py"}
# Work of one moment that is waited for on the spot, in an asyncio.TaskGroup, may start anywhere.
TASK_GROUPS = {"group", "tasks", "node"}
FORBIDDEN_CLOCKS = {
    "time.time", "time.time_ns", "time.monotonic", "time.sleep", "asyncio.sleep",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now",
    "datetime.date.today",
}  # fmt: skip


def _is_shelf(path: str) -> bool:
    return path.endswith("store.py") or path.startswith("server/storage/")


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _calls(source: Source) -> list[tuple[int, str]]:
    nodes = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    return [(node.lineno, _dotted(node.func)) for node in nodes]


def test_sql_stands_only_in_stores() -> None:
    strays = [
        f"{source.path}:{line} imports {name}"
        for source in sources()
        if not _is_shelf(source.path)
        for line, name in source.imports()
        if name.split(".")[0] in ("sqlalchemy", "aiosqlite", "asyncpg", "sqlite3")
    ]
    assert not strays, "\n".join(strays)


def test_time_comes_from_the_clock() -> None:
    strays = [
        f"{source.path}:{line} {name}"
        for source in sources()
        if source.path not in TIME_KEEPERS
        for line, name in _calls(source)
        if name in FORBIDDEN_CLOCKS
    ]
    strays += [
        f"{source.path}:{line} {name}"
        for source in sources()
        if source.path not in TIME_KEEPERS
        for line, name in source.imports()
        if name in FORBIDDEN_CLOCKS
    ]
    assert not strays, "\n".join(strays)


def test_every_task_has_an_owner() -> None:
    strays = [
        f"{source.path}:{line} {name}"
        for source in sources()
        if source.path not in TASK_OWNERS
        for line, name in _calls(source)
        if name.split(".")[-1] in ("create_task", "ensure_future", "run_coroutine_threadsafe")
        and name.split(".")[0] not in TASK_GROUPS
    ]
    assert not strays, "\n".join(strays)


def test_nothing_is_imported_inside_a_function() -> None:
    strays = [
        f"{source.path}:{node.lineno} in {function.name}"
        for source in (*sources(), *sources("tests"))
        for function in source.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not strays, "\n".join(strays)


@pytest.mark.parametrize("package", ["auth_rules", "state_resolution"])
def test_rules_are_pure_functions(package: str) -> None:
    """No I/O, no clock, no coroutines: what a room allows follows from its events alone."""
    for source in sources():
        if source.path.startswith(f"server/rooms/{package}"):
            assert not [node for node in source.functions() if isinstance(node, ast.AsyncFunctionDef)], source.path
            outside = {name.split(".")[0] for _line, name in source.imports()}
            assert outside.isdisjoint({"asyncio", "aiohttp", "sqlalchemy", "time", "datetime", "random"}), source.path


def test_a_door_writes_no_transaction() -> None:
    """Doors call verbs; a transaction belongs to an action (DESIGN, rules 1 and 2)."""
    doors = ("server/matrix_api/", "server/caldav/", "server/web/", "federation/inbound/")
    strays = [
        f"{source.path}:{line} imports {name}"
        for source in sources()
        if source.path.startswith(doors)
        for line, name in source.imports()
        if name.startswith("server.storage")
    ]
    assert not strays, "\n".join(strays)


def test_the_log_has_no_words_that_others_chose() -> None:
    """A refusal goes into the log itself: its ``reason`` is for whoever asked, and may be another server's words."""
    quoting = [
        f"{source.path}:{node.lineno}" for source in sources() for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _dotted(node.func).startswith("logger.")
        for argument in node.args if isinstance(argument, ast.Attribute) and argument.attr == "reason"
    ]
    assert not quoting, "\n".join(quoting)
