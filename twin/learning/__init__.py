"""From finished runs to surrogates, and from surrogates to answers.

questions.py  a part and its study, as networks see them
samples.py    what a finished run teaches
evaluation.py what an ensemble says of a part
training.py   from samples to a surrogate that knows its errors
packing.py    a surrogate as arrays, and back
answers.py    from a surrogate to an outcome
"""
