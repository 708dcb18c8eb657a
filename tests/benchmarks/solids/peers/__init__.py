"""Each module has `run(cases, method) -> list of answers`; of a peer to the first case, of ours to several."""
