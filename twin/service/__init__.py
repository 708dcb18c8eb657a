"""The front end: gRPC on asyncio. It validates, records and streams; it never computes and never imports jax.

settings.py       what an operator can set
app.py            one server from start to stop
interceptors/     what every call goes through: log, errors, tenant, validation
geometries.py runs.py results.py arrays.py materials.py    one servicer each
feed.py           wakes the watchers of a run when it has news
pages.py tokens.py    page tokens, resume tokens
transfer.py       rows of arrays in checked, compressed chunks
"""
