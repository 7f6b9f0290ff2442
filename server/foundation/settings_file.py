"""Settings as a file: read and refuse, write a new one, write the page of the documentation.

All of it follows from the dataclasses that ``settings`` describes; nothing here knows a single setting by name.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from server.foundation.settings import SettingsError

T = TypeVar("T")

# ---- reading -------------------------------------------------------------------------------------------------------


def by_section(kind: type) -> dict[str, list[Field[Any]]]:
    """All settings in the order of the file; the top level is the section without a name."""
    top = [field for field in dataclasses.fields(kind) if not field.metadata.get("section")]
    return {"": top, **{name: list(dataclasses.fields(inner)) for name, inner in section_types(kind).items()}}


def section_types(kind: type) -> dict[str, Any]:
    """The dataclass of each section."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.metadata.get("section")}


def shown(section_name: str, key: str) -> str:
    """How a sentence calls a setting: ``[http] listen``."""
    return f"[{section_name}] {key}" if section_name else key


def read_settings(kind: type[T], table: Mapping[str, object], folder: Path) -> T:
    """``table`` (a parsed TOML file) as ``kind``; raises ``SettingsError`` with every problem that there is."""
    types = section_types(kind)
    problems: list[str] = []
    read = {}
    for name, fields in by_section(kind).items():
        inner = table.get(name, {}) if name else {key: value for key, value in table.items() if key not in types}
        if isinstance(inner, Mapping):
            read[name] = _read_section(kind, name, fields, inner, folder, problems)
        else:
            problems.append(f"{name} is a section: write [{name}] on a line of its own and its settings below it.")
    if problems:
        raise SettingsError(problems)
    return kind(**read[""], **{name: inner_kind(**read[name]) for name, inner_kind in types.items()})


def _read_section(
    kind: type, name: str, fields: list[Field[Any]], table: Mapping[str, object], folder: Path, problems: list[str]
) -> dict[str, Any]:
    by_name = {field.name: field for field in fields}
    problems += [_unknown(kind, name, key, value) for key, value in table.items() if key not in by_name]
    values = {}
    for key, field in by_name.items():
        if key not in table:
            if field.default is MISSING:
                problems.append(f"{shown(name, key)} is missing: {field.metadata['help']}")
            continue
        try:
            values[key] = anchored(field.metadata["parse"](table[key]), folder)
        except ValueError as fault:
            problems.append(f"{shown(name, key)} {fault}{_instead(field, table[key])}.")
    return {**_defaults(fields, folder), **values}


def _defaults(fields: list[Field[Any]], folder: Path) -> dict[str, Any]:
    return {field.name: anchored(field.default, folder) for field in fields if field.default is not MISSING}


def _instead(field: Field[Any], value: object) -> str:
    return "" if field.metadata["secret"] else f", not {value!r}"


def _unknown(kind: type, name: str, key: str, value: object) -> str:
    what = f"[{key}] is not a known section" if isinstance(value, Mapping) else f"{shown(name, key)} is not known"
    if not name and isinstance(value, Mapping):
        near = [f"[{match}]" for match in difflib.get_close_matches(key, section_types(kind), n=1)]
    else:
        near = _nearest_settings(kind, name, key)
    return f"{what}; did you mean {near[0]}?" if near else f"{what}."


def _nearest_settings(kind: type, name: str, key: str) -> list[str]:
    """The right name in the same section, or else the same name in another section."""
    names = {section_name: [field.name for field in fields] for section_name, fields in by_section(kind).items()}
    near = [shown(name, match) for match in difflib.get_close_matches(key, names[name], n=1)]
    return near or [shown(section_name, key) for section_name, inside in names.items() if key in inside]


def anchored(value: Any, folder: Path) -> Any:
    """``value`` with its relative paths meant from ``folder``."""
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple):
        return tuple(anchored(item, folder) for item in value)
    return value


# ---- writing -------------------------------------------------------------------------------------------------------


def as_toml(value: object) -> str:
    """A value as it is written in the file."""
    if value is None:
        return '""'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    return _quoted(str(value))


def _quoted(value: str) -> str:
    """A basic string of TOML 1.0."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08X}" for char in escaped) + '"'


def default_shown(field: Field[Any]) -> str:
    """The default as the file would say it; empty where there is none."""
    return "" if field.default is MISSING else as_toml(field.default)


def render_file(kind: type, first_line: str, chosen: Mapping[str, object]) -> str:
    """A new settings file: what is ``chosen`` (``{"http.listen": "127.0.0.1:0"}``) stands there, all the rest as
    comments with its default. Raises ``KeyError`` for a name that does not exist.
    """
    values = dict(chosen)
    lines = [f"# {first_line}"]
    for name, fields in by_section(kind).items():
        lines += ["", f"[{name}]"] if name else []
        for field in fields:
            key = f"{name}.{field.name}" if name else field.name
            given = f"{field.name} = {as_toml(values.pop(key))}" if key in values else ""
            lines += [f"# {field.metadata['help']}", given or f"# {field.name} = {default_shown(field)}"]
    if values:
        raise KeyError(f"no such settings: {sorted(values)}")
    return "\n".join(lines) + "\n"


def render_page(kind: type, introduction: str) -> str:
    """The page of the documentation, in Markdown."""
    purposes = {field.name: field.metadata["help"] for field in dataclasses.fields(kind)}
    lines = [introduction]
    for name, fields in by_section(kind).items():
        title = f"## [{name}]\n\n{purposes[name]}" if name else "## At the top of the file"
        lines += ["", title, "", "| setting | default | what it is for |", "|---|---|---|", *map(_page_row, fields)]
    return "\n".join(lines) + "\n"


def _page_row(field: Field[Any]) -> str:
    default = f"`{default_shown(field)}`" if default_shown(field) else "must be given"
    return f"| `{field.name}` | {default} | {field.metadata['help']} |"
