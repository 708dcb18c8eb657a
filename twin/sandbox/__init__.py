"""Code that may hang, crash or eat memory runs in a child process: with limits, without a network."""
