"""The reference cases as a suite: one table of them all, and how well the error estimates are calibrated.

cases.py         all cases: shape, study, targets (case.py); closed_forms.py, parts.py, heat.py
table.py         python -m tests.verification.suite.table: every case on both discretisations
calibration.py   python -m tests.verification.suite.calibration: estimated against true errors
ladders.py       the cases on ever finer meshes, and their references
"""
