"""Compiled programs are dropped before the process can map no more memory."""

import gc
from pathlib import Path

import jax
import jax.numpy as jnp

from twin.analyses import programs


def mappings():
    return len(Path("/proc/self/maps").read_text().splitlines())


def compiled(count):
    for size in range(1, count + 1):
        jax.block_until_ready(jax.jit(lambda x: jnp.sin(x) + x.sum())(jnp.ones(size)))


def test_few_programs_stay(monkeypatch, tmp_path):
    limit = tmp_path / "max_map_count"
    limit.write_text(str(3 * mappings()))
    monkeypatch.setattr(programs, "_MOST", limit)
    assert not programs.drop_when_many()


def test_many_give_their_mappings_back(monkeypatch, tmp_path):
    before = mappings()
    compiled(100)
    held = mappings()
    assert held > before + 100
    limit = tmp_path / "max_map_count"
    limit.write_text(str(held))
    monkeypatch.setattr(programs, "_MOST", limit)
    assert programs.drop_when_many()
    gc.collect()
    assert mappings() < held - 100
