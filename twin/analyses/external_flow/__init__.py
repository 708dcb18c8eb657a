"""Flow round a part: a wind tunnel.

setting.py     the part turned into the flow
boxes.py       boxes of cells inside each other
tunnel.py      the part in them
schedule.py    for how long the flow is followed
quantities.py  forces, and how far they may be off
run.py         ever finer tunnels until the accuracy is met
report.py      the outcome
gradient.py    how a force changes
"""
