"""How fast skerry is beside its peers and beside what SQLite and BSON allow, all measured in one run.

Rules: every subject runs in a process of its own, with the same documents, indexes and operations; its durability is stated; an
answer that is not the expected one is reported as wrong, not as fast; a peer that cannot be installed or started is left out with
the reason. Numbers of different runs do not compare: the machine decides them. Ratios within one run do.

`workload` has the documents and the rows, `subjects` who is measured, `measure` the process of one subject, `runner` starts one
process after the other, `node_costs`, `sync_rates` and `sync_bench` what only a node has, `report` the tables.
`python -m benchmarks` does all.
"""
