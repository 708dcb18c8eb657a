"""From finished runs to surrogates, and from surrogates to answers.

questions.py  a part and its study, as networks see them
samples.py    what a finished run teaches
plan.py       how a surrogate is to be trained
training.py   from samples to a surrogate that knows its errors
card.py       what is known of a surrogate
answers.py    from a surrogate to an outcome
"""
