"""Compiled programs that a process keeps."""

import logging
from pathlib import Path

import jax

_MAPS = Path("/proc/self/maps")
_MOST = Path("/proc/sys/vm/max_map_count")
_SHARE = 0.5  # of what the kernel allows; the rest is for what one run compiles
_LOG = logging.getLogger(__name__)


def drop_when_many() -> bool:
    """Forget all compiled programs once they fill half of the memory map; those needed again come from the cache.

    Each takes mappings that XLA never gives back by itself. A process that has met enough shapes, 65,530 mappings by
    the kernel's default, could not compile another one ("LLVM compilation error: Cannot allocate memory"): a sweep's
    worker after some hundred parts.
    """
    if not _MAPS.exists() or not _MOST.exists():
        return False
    with _MAPS.open("rb") as maps:
        used = sum(1 for _ in maps)
    if used < _SHARE * int(_MOST.read_text()):
        return False
    _LOG.info("%d memory mappings: compiled programs are dropped", used)
    jax.clear_caches()  # type: ignore[no-untyped-call]
    return True
