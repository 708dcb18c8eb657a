"""What flows round parts and flows through them have in common.

lattice.py      a part in boxes of cells
simulation.py   the flow over time
averaging.py    means of what fluctuates
climb.py        ever finer cells until the accuracy is met
ladder.py       how far off cells of a finite size may be
checkpoints.py  what a run knows so far
surface.py      what the fluid does to the part's surface
fields.py       what is reported of surface and boxes
"""
