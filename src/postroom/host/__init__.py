"""One installation on one machine: its address, ports, keys, database cluster and processes.

What `postroom up` needs to start, watch and stop everything on a machine without systemd. Production uses the units in
`deploy/` instead. Knows nothing of clients, changes or Django: what runs is handed in as services and hooks.
"""
