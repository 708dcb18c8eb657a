"""The command line: the same words as the SDK, on a terminal and in a pipe."""
