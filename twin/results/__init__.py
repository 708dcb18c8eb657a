"""What a run found: the outcome model, its storage, the files, the picture and the report."""
