"""Costs, each against its peers or a floor measured in the same run: `make bench`.

A module here that has `tables() -> Iterable[rich.table.Table]` is a benchmark; the runner finds
it. Absolute times belong to one machine, so every table also says a ratio; where a goal is set,
the figure stands beside it, reached or not.
"""
