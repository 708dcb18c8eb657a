"""Flow around a part in a wind tunnel."""
