"""The pages under docs/ say what the code says."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from renderer import errors
from renderer.limits import Limits, setting_of
from renderer.schemas import with_tables
from renderer.spec.loading import load
from renderer.spec.values import SIZE_PRESETS

HOUSE = Path(__file__).parent.parent
PAGE = (HOUSE / "docs" / "errors.md").read_text(encoding="utf-8")


def parameters_named_code(tree: ast.Module) -> dict[str, int | None]:
    """Where in its call each function of a file takes a code, by its name."""
    found: dict[str, int | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args if argument.arg != "self"]
            found[node.name] = names.index("code") if "code" in names else None
    return found


def codes_in(tree: ast.Module, positions: dict[str, int | None]) -> Iterator[ast.expr]:
    """Every expression that a source file uses as a code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            position = positions.get(name)
            if position is not None:
                yield from node.args[position : position + 1]
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            if "_CODES" in [getattr(target, "id", "") for target in node.targets]:
                yield from node.value.values
        elif isinstance(node, ast.Assign):
            yield from assigned_codes(node)


def assigned_codes(node: ast.Assign) -> Iterator[ast.expr]:
    for target in node.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for name, value in zip(names, values, strict=False):
            if getattr(name, "id", "") == "code":
                yield value


def codes_used() -> set[str]:
    sources = [
        ast.parse(path.read_text(encoding="utf-8"))
        for folder in ("renderer", "daemon")
        for path in sorted((HOUSE / folder).rglob("*.py"))
    ]
    anywhere: dict[str, int | None] = {}
    for tree in sources:
        anywhere |= {n: p for n, p in parameters_named_code(tree).items() if p is not None}
    found = [
        value
        for tree in sources
        for value in codes_in(tree, anywhere | parameters_named_code(tree))
    ]
    texts = {v.value for v in found if isinstance(v, ast.Constant) and isinstance(v.value, str)}
    raised = {
        error.code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.ReelkilnError)
    }
    return {text for text in texts | raised if text}


def test_every_code_is_explained_and_nothing_else_is() -> None:
    explained = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE, re.MULTILINE)
    assert set(explained) - codes_used() == set(), "these are no longer used"
    assert codes_used() - set(explained) == set(), "these are not in docs/errors.md"
    assert len(codes_used()) > 60


def test_every_error_is_listed_with_its_exit_status() -> None:
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", PAGE, re.MULTILINE))
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.ReelkilnError):
            assert listed[error.code] == str(error.exit_status)


def test_every_limit_is_listed_with_its_setting_and_default() -> None:
    for limit in fields(Limits):
        row = f"| `{limit.name}` | `{setting_of(limit.name)}` | {limit.default} |"
        assert row in PAGE


def test_the_tables_of_the_language_reference_are_what_the_models_say() -> None:
    page = (HOUSE / "docs" / "spec.md").read_text(encoding="utf-8")
    assert page == with_tables(page), "run: python -m renderer.schemas"


def test_every_spec_in_the_language_reference_is_valid() -> None:
    page = (HOUSE / "docs" / "spec.md").read_text(encoding="utf-8")
    specs = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(specs) == 2
    for spec in specs:
        assert load(spec.encode(), name="spec.yaml").spec.reelkiln == 1


def test_the_sizes_of_the_language_reference_are_those_there_are() -> None:
    page = (HOUSE / "docs" / "spec.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| size \|.*$", page, re.MULTILINE)
    assert all(f"`{name}`" in row for name in SIZE_PRESETS)
