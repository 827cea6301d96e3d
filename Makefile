# make run     install what is missing and start `realtime live` (ARGS="demo --set stft.n_fft=8192")
# make test    install what is missing, check the code, run the tests
# make bench   the tables of benchmarks/ (ARGS=stft for one of them)
# make soak    the long tests
# make clean   remove what these made

BIN := .venv/bin
ARGS ?=

.PHONY: run test check soak bench clean
.NOTPARALLEL:
.SILENT:

run:
	scripts/setup.sh run
	$(BIN)/realtime live $(ARGS)

test: check
	$(BIN)/python -m pytest $(ARGS)

check:
	scripts/setup.sh test
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/lint-imports
	$(BIN)/pyright --level error

soak:
	scripts/setup.sh test
	$(BIN)/python -m pytest -m soak $(ARGS)

bench:
	scripts/setup.sh bench
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf .venv build dist out .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
