"""What the service knows for certain: a database of records and a folder of blobs addressed by their content.

    home.py        the folders of one installation
    schema.py      the tables
    database.py    transactions, and what SQLite needs to be trusted
    blobs.py       bytes by digest
    arrays.py      numpy arrays as blobs, with what describes them
    geometries.py runs.py events.py results.py   one resource each
    states.py      where a run stands
    leases.py      who computes a run: claim, heartbeat, commit by fencing token
    collect.py     blobs that nothing refers to any more
    workspace.py   all of the above, opened on one home

Everything is synchronous and safe to use from several threads and processes at once; the front end calls it
in threads. Every key, path and query carries the tenant.
"""
