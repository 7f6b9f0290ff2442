"""`python -m benchmarks`: the node beside Synapse, figure by figure, and the ratios."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import uvloop

from benchmarks.http_client import AiohttpClient, HttpClientFactory, RawHttpClient
from benchmarks.kairan import Kairan
from benchmarks.measuring import Figure
from benchmarks.profiling import Profiler, profiler
from benchmarks.report import RESULTS_FILE, Result, as_json, broken_promises, circumstances, markdown, table
from benchmarks.scenarios import Scenario, chosen
from benchmarks.servers import Recipe, ServerProcess, Site, free_port
from benchmarks.sizes import FULL, QUICK, Sizes
from benchmarks.synapse import Synapse
from benchmarks.town import Town

_CLIENTS: dict[str, HttpClientFactory] = {"raw": RawHttpClient, "aiohttp": AiohttpClient}
_OPEN_FILES = 65_536


def main() -> int:
    """Runs what the command line asks for; 1 when a scenario failed, or a promised ratio is missed and --strict."""
    parser = _parser()
    options = parser.parse_args()
    try:
        chosen(options.only)
    except ValueError as unknown:
        parser.error(str(unknown))
    _allow_many_connections()
    with tempfile.TemporaryDirectory(prefix="kairan-benchmark-") as directory:
        watching = profiler(options.profile, Path(directory)) if options.profile else None
        result = uvloop.run(_run(options, Path(directory), watching))
        if watching is not None:
            print(watching.report(), file=sys.stderr)
    print(as_json(result) if options.json else table(result))
    if options.write and not result.failures:
        RESULTS_FILE.write_text(markdown(result))
    broken = broken_promises(result)
    for line in [*(f"promise not kept: {line}" for line in broken), *(f"failed: {line}" for line in result.failures)]:
        print(line, file=sys.stderr)
    return 1 if result.failures or (broken and options.strict) else 0


async def _run(options: argparse.Namespace, directory: Path, watching: Profiler | None) -> Result:
    sizes = _sizes(options)
    failures: list[str] = []
    async with _towns(options, directory, watching) as towns:
        figures: dict[str, list[Figure]] = {town.server.recipe.name: [] for town in towns}
        for scenario in chosen(options.only):
            for town in [town for town in towns if _wanted(scenario, town, options)]:
                try:
                    figures[town.server.recipe.name] += await _run_one(scenario, town, sizes)
                except Exception as failure:
                    failures.append(await _failed(scenario, town, failure))
        versions = {town.server.recipe.name: town.server.recipe.version() for town in towns}
    return Result(circumstances(versions, " ".join(sys.argv[1:])), figures, failures)


async def _run_one(scenario: Scenario, town: Town, sizes: Sizes) -> list[Figure]:
    figures = await scenario.run(town, sizes)
    for figure in figures:
        print(f"{town.server.recipe.name:8} {figure.name:18} {figure.value:10.3f} {figure.measure}", file=sys.stderr)
    return figures


async def _failed(scenario: Scenario, town: Town, failure: Exception) -> str:
    # The other figures are still worth having, so the run goes on when the server rests again.
    line = f"{town.server.recipe.name} {', '.join(scenario.figures)}: {_plain(failure)}"
    print(f"{line}\n{town.server.last_output()}", file=sys.stderr)
    await town.server.settle()
    return line


def _plain(failure: Exception) -> str:
    while isinstance(failure, ExceptionGroup):
        failure = failure.exceptions[0]
    return f"{type(failure).__name__}: {failure}"


def _wanted(scenario: Scenario, town: Town, options: argparse.Namespace) -> bool:
    asked_for = bool(set(options.only) & set(scenario.figures))
    slow = scenario.only_ours and (options.quick or town.server.recipe.name == "synapse")
    return asked_for or not slow


@asynccontextmanager
async def _towns(options: argparse.Namespace, directory: Path, watching: Profiler | None) -> AsyncIterator[list[Town]]:
    towns: list[Town] = []
    try:
        for recipe in _recipes(options.server, watching):
            site = Site(directory / recipe.name, free_port())
            probe = watching if recipe.name == "kairan" else None
            server = ServerProcess(recipe, site, cpus=_server_cpus(options.pin), probe=probe)
            server.prepare()
            towns.append(Town(server, _CLIENTS[options.client], options.room_version))
            await server.start()
        yield towns
    finally:
        for town in towns:
            await town.close()
            await town.server.stop()


def _recipes(server: str, watching: Profiler | None) -> list[Recipe]:
    ours = Kairan(watching.prefix() if watching else ())
    recipes: dict[str, list[Recipe]] = {"kairan": [ours], "synapse": [Synapse()], "both": [ours, Synapse()]}
    return recipes[server]


def _sizes(options: argparse.Namespace) -> Sizes:
    sizes = QUICK if options.quick else FULL
    return replace(sizes, people=options.people) if options.people else sizes


def _server_cpus(pin: bool) -> set[int] | None:
    # With four or more CPUs the servers get two of them and the load generator the others.
    cpus = sorted(os.sched_getaffinity(0))
    if not pin or len(cpus) < 4:
        return None
    os.sched_setaffinity(0, cpus[2:])
    return set(cpus[:2])


def _allow_many_connections() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--server", choices=("kairan", "synapse", "both"), default="both")
    parser.add_argument("--only", metavar="FIGURE", action="append", default=[], help="this figure; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small counts, under a minute; ratios do not count")
    parser.add_argument("--people", type=int, metavar="N", help="how many people are in the big room (300, quick 60)")
    parser.add_argument("--room-version", default="", metavar="V", help="instead of each server's default")
    parser.add_argument(
        "--client", choices=tuple(_CLIENTS), default="raw", help="aiohttp: check that answers are valid"
    )
    parser.add_argument("--pin", action="store_true", help="two CPUs for the servers, the others for the load")
    parser.add_argument("--profile", choices=("cprofile", "py-spy"), help="where the node's time goes; use with --only")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS_FILE.name}")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a promised ratio is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
