"""The checked-in stubs are those of the protos, and the protos are held to their rules."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from protos import breaking, generate


def _stubs(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for folder in ("protos/twin", "protos/third_party/buf")
        for path in sorted((root / folder).rglob("*_pb2*.py*"))
        if path.suffix != ".pyc"
    }


def test_stubs_are_fresh(tmp_path: Path) -> None:
    generate.generate(tmp_path)
    fresh, checked_in = _stubs(tmp_path), _stubs(generate.ROOT)
    assert sorted(fresh) == sorted(checked_in)
    stale = [name for name in fresh if fresh[name] != checked_in[name]]
    assert not stale, "run `python -m protos.generate`"


def test_lint() -> None:
    linted = breaking.buf("lint")
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_contract_is_not_broken_and_what_was_added_is_frozen(tmp_path: Path) -> None:
    current = tmp_path / "current.binpb"
    breaking.image(current)
    assert breaking.violations(current) == ""
    # The other way round a new field would be a deleted one.
    assert breaking.violations(breaking.FROZEN, current) == "", "run `python -m protos.breaking --freeze`"


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("selector.proto", "double radius = 3", "float radius = 3"),
        ("result.proto", "Cost cost = 14;", ""),
        ("run.proto", "rpc CancelRun(CancelRunRequest) returns (Run) {}", ""),
    ],
)
def test_a_break_is_seen(tmp_path: Path, file: str, before: str, after: str) -> None:
    root = tmp_path / "clone"
    shutil.copytree(breaking.ROOT / "protos", root / "protos")
    shutil.copy(breaking.ROOT / "buf.yaml", root)
    proto = root / "protos" / "twin" / "v1" / file
    text = proto.read_text(encoding="utf-8")
    assert before in text
    proto.write_text(text.replace(before, after), encoding="utf-8")
    changed = tmp_path / "changed.binpb"
    breaking.image(changed, root)
    assert file in breaking.violations(changed)
