"""The package of a new plugin, file by file; on the disk all of it or nothing."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from pathlib import Path

import attrs

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.singer import SingerRecipe
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import environment_fault, printable
from sbf_core.runs.result import RunResult
from sbf_core.scaffold.code import plugin_text
from sbf_core.scaffold.licences import licence_text
from sbf_core.scaffold.naming import package_of
from sbf_core.scaffold.proposal import Proposal, terms_of


def write_package(proposal: Proposal, folder: Path, *, today: dt.date) -> list[str]:
    """Write everything beside its place and move it there in one step.

    Args:
        proposal: the plugin.
        folder: where its package comes to stand; not there yet.
        today: for the year of the licence.

    Returns:
        The files, relative to the folder, without those of the recording.

    Raises:
        EnvironmentFault: the disk is full, or may not be written to.
    """
    module = package_of(proposal.name)
    texts = {
        ".gitattributes": f"# A payload is what the vendor sent, byte for byte.\n{module}/bronze/** -text\n",
        ".gitignore": "__pycache__/\n*.egg-info/\ndist/\n.venv/\nsbf-data/\n",
        "LICENSE": _licence(proposal, today),
        "README.md": _readme(proposal, folder.name),
        "pyproject.toml": _pyproject(proposal, folder.name),
        f"{module}/__init__.py": "",
        f"{module}/plugin.py": plugin_text(proposal),
        f"tests/test_{proposal.name}.py": _tests(proposal),
    }
    draft = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}"
    try:
        for name, text in texts.items():
            target = draft / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        _record(proposal, draft / module)
        draft.rename(folder)
    except OSError as error:
        raise environment_fault(error, doing="the package cannot be written", where=str(folder)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return sorted(texts)


def _record(proposal: Proposal, package: Path) -> None:
    """The sample as a Bronze folder, so that a replay answers from it."""
    writer = BronzeFileWriter(DuckDbConfig(home=package, fsync="none"))
    for number, sample in enumerate(proposal.samples, start=1):
        request = attrs.evolve(proposal.request, run_id=f"sample-{number}")
        result = RunResult(
            request=request, address=proposal.address, payload=sample.payload, extension=proposal.extension,
            fetched_at=sample.fetched_at, status_code=None if proposal.template is None else 200,
        )  # fmt: skip
        writer.publish([writer.stage(result)])
    writer.close()


def _licence(proposal: Proposal, today: dt.date) -> str:
    author = proposal.words.author or f"the authors of sbf-{proposal.name.replace('_', '-')}"
    return licence_text(proposal.words.licence, author=author, year=today.year)


def _pyproject(proposal: Proposal, name: str) -> str:
    module = package_of(proposal.name)
    title = printable(proposal.words.title or proposal.name.replace("_", " ").capitalize())
    title = title.replace("\\", "").replace('"', "'")
    return f"""[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
description = "{title}, for sbf"
readme = "README.md"
license = "{proposal.words.licence}"
license-files = ["LICENSE"]
requires-python = ">=3.11"
dependencies = ["sbf"]
keywords = ["sbf-plugin"]

[project.optional-dependencies]
test = ["pytest>=9"]

[project.entry-points."sbf.plugins"]
{proposal.name} = "{module}.plugin"

[project.entry-points."sbf.recordings"]
{proposal.name} = "{module}"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]

[tool.pytest.ini_options]
testpaths = ["tests"]
"""


def _tests(proposal: Proposal) -> str:
    name = proposal.name
    sources = [column.source for column in proposal.columns if column.key]
    count = len({tuple(str(row.get(source)).strip() for source in sources) for row in proposal.found.rows})
    return f'''"""The conformance kit of sbf on this plugin, and what its sample must give."""

from __future__ import annotations

from sbf_core.testing.scratch import ScratchHome
from sbf_core.testing.suite import conformance

test_conformance = conformance("{name}")


def test_the_sample_fills_silver(sbf_home: ScratchHome) -> None:
    context = sbf_home.replay("{name}", plugins=["{name}"])
    assert context.errors == []
    assert sbf_home.ask("SELECT count(*) FROM silver.{name}") == [({count},)]
'''


def _readme(proposal: Proposal, title: str) -> str:
    name = proposal.name
    live = (
        f"put `{proposal.address}` into `<home>/files`, then run this"
        if proposal.template is None and proposal.asks is None
        else "ask the source itself"
    )
    recipe = proposal.recipe
    variables: tuple[str, ...] = recipe.key_sets[0] if isinstance(recipe, RestRecipe) and recipe.key_sets else ()
    if isinstance(recipe, SingerRecipe):
        variables = tuple(recipe.secrets.values())
    keys = "".join(f"\nIt wants a key: set the environment variable `{variable}`.\n" for variable in variables)
    doubts = "".join(f"- {doubt}\n" for doubt in proposal.doubts)
    unsure = (
        "\n## To look at\n\nThese were decided without being sure; `# unsure` marks them in `plugin.py`. Take out each "
        f"mark once you know; until then `sbf plugins check` passes with `--draft` only.\n\n{doubts}"
        if doubts
        else ""
    )
    notes = f"\n{proposal.notes}\n" if proposal.notes else ""
    return f"""# {title}

{proposal.words.title or name.replace("_", " ").capitalize()}, a dataset for sbf.

Source: {proposal.source}. Terms: {terms_of(proposal.words)}
{keys}
```sh
python -m pip install -e '.[test]'
python -m pytest                                   # the conformance kit of sbf on the recorded sample
sbf run --plugins {name} --replay sample           # the recorded sample
sbf run --plugins {name}                           # {live}
sbf sql "SELECT * FROM silver.{name} LIMIT 5"
```
{unsure}{notes}"""
