"""The processes that compute, on each device, and what keeps them running.

    devices.py     what can compute here
    executor.py    in the front end: where workers should be, wakes them, replaces those that die
    local.py       ... as processes of this machine
    on_ray.py      ... as processes on the nodes of a Ray cluster
    launch.py      starts a worker's process
    lifeline.py    the pipe between the two
    presence.py    which workers are alive
    scratch.py     what killed ones have left
    process.py     a worker: claim, compute, again (`python -m twin.workers`)
    planning.py    the next designs of a sweep
    descent.py     ... where it goes along gradients, which are runs of their own
    packing.py     which of them are computed together
    compute.py     one run or pack, from its record to its committed result
    monitor.py     what an analysis reports to: progress, cancellation, the lease
    analyses.py    which code answers which study
    energy.py      joules from the device's own counter

Nothing here but process.py, compute.py and analyses.py may be imported where jax must not be.
"""
