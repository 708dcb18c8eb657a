"""The reference cases as a suite: one table of them all, and how well the error estimates are calibrated.

cases.py         the cases: shape, study, targets
table.py         python -m tests.verification.suite.table: every case on both discretisations
calibration.py   python -m tests.verification.suite.calibration: estimated against true errors
"""
