"""Costs, each against its peers or a floor measured in the same run. `python -m benchmarks`.

A module here with `tables() -> Iterable[Table]` is a benchmark; its first docstring line is its
title. Absolute times belong to one machine, so every table also says a ratio; where a goal is
set, the figure stands beside it, met or not.
"""
