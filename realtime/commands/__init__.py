"""One module for each command of the command line, each with `run(args) -> exit code`."""
