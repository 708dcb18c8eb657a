"""What every call goes through, outermost first: log, errors, tenant, validation. chain.py puts them
together.
"""
