"""The result of a run as a table, as JSON and as RESULTS.md."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.budgets import BUDGETS
from benchmarks.measuring import Figure

_HERE = Path(__file__).resolve().parent
RESULTS_FILE = _HERE / "RESULTS.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where, when and what was measured."""

    commit: str
    date: str
    machine: str
    python: str
    versions: Mapping[str, str]
    options: str


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one run, by server in the order in which they were asked for, and the scenarios that failed."""

    circumstances: Circumstances
    figures: Mapping[str, Sequence[Figure]]
    failures: Sequence[str] = ()


def circumstances(versions: Mapping[str, str], options: str) -> Circumstances:
    """Looks around."""
    return Circumstances(
        commit=_git("rev-parse", "--short=12", "HEAD") + ("+changes" if _git("status", "--porcelain", "-uno") else ""),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=f"{_processor()}, {os.cpu_count()} CPUs, {_memory_gb():.0f} GB, {platform.system()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions=versions,
        options=options or "full",
    )


def table(result: Result) -> str:
    """Two aligned tables for the terminal: costs with ratios, then times."""
    return "\n\n".join(_aligned(rows) for rows in (_cost_rows(result), _time_rows(result)))


def as_json(result: Result) -> str:
    """One object: circumstances, figures by server and name, ratios by name."""
    by_server = {server: {figure.name: asdict(figure) for figure in found} for server, found in result.figures.items()}
    whole = {
        **asdict(result.circumstances),
        "figures": by_server,
        "ratios": _ratios(result),
        "failures": result.failures,
    }
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()


def markdown(result: Result) -> str:
    """RESULTS.md: circumstances and both tables."""
    found = result.circumstances
    lines = [
        "# Results",
        "",
        "Written by `python -m benchmarks --write`; how to read it is in [README.md](README.md).",
        "",
        f"- Commit {found.commit}, {found.date}, options: {found.options}",
        f"- {found.machine}",
        f"- {found.python}; {'; '.join(found.versions.values())}",
        "",
        "## Cost per unit",
        "",
        *_markdown_rows(_cost_rows(result)),
        "",
        "## Times as the clients saw them",
        "",
        *_markdown_rows(_time_rows(result)),
    ]
    return "\n".join(lines) + "\n"


def broken_promises(result: Result) -> list[str]:
    """The promised ratios that this run does not show, and what never arrived from our node."""
    ratios = _ratios(result)
    lost = [f"{figure.name}: {figure.note}" for figure in result.figures.get("kairan", ()) if not figure.complete]
    return lost + [
        f"{name}: {ratios[name]:.1f}x instead of {budget.ratio:.0f}x"
        for name, budget in BUDGETS.items()
        if budget.ratio is not None and name in ratios and ratios[name] < budget.ratio
    ]


def _cost_rows(result: Result) -> list[list[str]]:
    servers = list(result.figures)
    ratios = _ratios(result)
    rows = [["figure", "what", "per", *servers, "ratio", "promised", "aimed at", "count"]]
    for name, of_server in _by_name(result).items():
        budget, figure = BUDGETS[name], next(iter(of_server.values()))
        rows.append(
            [
                name,
                budget.title,
                f"{figure.measure}/{figure.unit}",
                *(_number(of_server[server].value) if server in of_server else "-" for server in servers),
                f"{ratios[name]:.1f}x" if name in ratios else "-",
                f"{budget.ratio:.0f}x" if budget.ratio else "-",
                _number(budget.most),
                str(figure.count),
            ]
        )
    return rows


def _time_rows(result: Result) -> list[list[str]]:
    rows = [["figure", "server", "wall s", "units/s", "p50 ms", "p99 ms", "last ms", "note"]]
    for name, of_server in _by_name(result).items():
        for server, figure in of_server.items():
            if figure.wall_s is not None or figure.latencies is not None or figure.note:
                rows.append([name, server, *_times(figure), figure.note])
    return rows


def _times(figure: Figure) -> list[str]:
    wall = [_number(figure.wall_s), _number(figure.count / figure.wall_s)] if figure.wall_s else ["-", "-"]
    found = figure.latencies
    return wall + ([_number(found.p50), _number(found.p99), _number(found.last)] if found else ["-"] * 3)


def _by_name(result: Result) -> dict[str, dict[str, Figure]]:
    names: dict[str, dict[str, Figure]] = {}
    for server, figures in result.figures.items():
        for figure in figures:
            names.setdefault(figure.name, {})[server] = figure
    return {name: names[name] for name in BUDGETS if name in names}


def _ratios(result: Result) -> dict[str, float]:
    return {
        name: of_server["synapse"].value / of_server["kairan"].value
        for name, of_server in _by_name(result).items()
        if {"synapse", "kairan"} <= of_server.keys() and of_server["kairan"].value > 0
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_aligned_row(row, widths) for row in rows)


def _aligned_row(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if cell == "-" or _is_number(cell) else cell.ljust(width)
        for cell, width in zip(row, widths, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _is_number(cell: str) -> bool:
    return cell.rstrip("x").replace(",", "").replace(".", "").isdigit()


def _markdown_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=_HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip() or ("" if arguments[0] == "status" else "unknown")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
