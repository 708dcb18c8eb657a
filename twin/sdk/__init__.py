"""The Python SDK:

one asynchronous implementation (aio), and a synchronous layer over it (client, run, result).
"""
