"""The processes that compute, one per device, and what keeps them running.

    devices.py     what can compute here
    supervisor.py  in the front end: starts the workers, wakes them, replaces those that die
    lifeline.py    the pipe between the two
    presence.py    which workers are alive
    scratch.py     what killed ones have left
    process.py     a worker: claim, execute, again (`python -m twin.workers`)
    planning.py    the next designs of a sweep
    execute.py     one run, from its record to its committed result
    monitor.py     what an analysis reports to: progress, cancellation, the lease
    analyses.py    which code answers which study
    energy.py      joules from the device's own counter

Nothing here but process.py, execute.py and analyses.py may be imported where jax must not be.
"""
