"""JAX physics: pure functions of arrays. No I/O, no clock, no globals; imports nothing of ours."""
