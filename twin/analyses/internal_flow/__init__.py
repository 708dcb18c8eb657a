"""Flow through a part, which is the space that the fluid fills.

passage.py     its openings, and the sizes that lengths and times are told in
profile.py     how fast fluid comes in at each place of an inlet
channel.py     it in a box of cells
schedule.py    for how long the flow is followed
quantities.py  pressures and flow rates, and how far they may be off
run.py         ever finer cells until the accuracy is met
report.py      the outcome
"""
