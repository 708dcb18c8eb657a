"""From finished runs to surrogates, and from surrogates to answers.

questions.py  a part and its study, as networks see them
samples.py    what a finished run teaches
evaluation.py what an ensemble says of a part
training.py   from samples to a surrogate that knows its errors
packing.py    a surrogate as arrays, and back
answers.py    from a surrogate to an outcome
expectation.py, rungs.py   what a solution starts from, and what each way to an answer costs
memory.py     what is known of parts that were asked about before
imported.py   answers of other codes, checked against the study
"""
