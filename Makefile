# Every target sets up .venv by itself when a lock has changed. Needed: Python 3.11 or newer with its venv module.
PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/ready
SNOW   := .venv-snowflake/ready

.DEFAULT_GOAL := help
.PHONY: help setup demo production test long airflow campaign simulate check golden snowflake bench lock

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

setup: $(READY) ## .venv with exactly what the lock says

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tieout needs Python 3.11 or newer; $(PYTHON) is older or missing. Name another: make setup PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) comes without its venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

# The stand-in for Snowflake, whose libraries ask for others than ours. The lock is whole as it is: without --no-deps a
# pip of 2023 finds what is pinned with an extra unpinned.
$(SNOW): requirements-snowflake.lock
	$(PYTHON) -m venv --clear .venv-snowflake
	.venv-snowflake/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	.venv-snowflake/bin/python -m pip check
	@touch $@

demo: $(READY) ## a company under live change, moved and certified
	$(BIN)/tieout demo

production: $(READY) $(SNOW) ## the same with two workers, a ledger in PostgreSQL, and what stands in for S3 and Snowflake
	$(BIN)/tieout demo --target production

# Where the environment forbids to keep what was compiled, every worker and every process would compile all of it.
test: export PYTHONDONTWRITEBYTECODE :=
# Three at a time on two cores: a third of a test's time it waits for another process, or for the disk.
test: $(READY) $(SNOW) ## every test that a change needs
	$(BIN)/python -m pytest -n 3 --dist worksteal

long: export PYTHONDONTWRITEBYTECODE :=
long: $(READY) $(SNOW) ## what takes long: demos, marts built by dbt, kills at every step, full disks, canaries
	$(BIN)/python -m pytest -n 3 --dist worksteal -m campaign tests/e2e tests/house tests/conformance/test_simulated_sources.py \
	  tests/conformance/test_snowflake_*.py tests/conformance/test_checks_alike.py tests/conformance/test_migrating_alike.py

airflow: airflow2 airflow3 ## the DAGs, parsed and run on both lines of Airflow

airflow%: $(READY) .venv-airflow%/ready
	.venv-airflow$*/bin/python -m pytest infra/airflow/tests

.PRECIOUS: .venv-airflow%/ready
# As above.
.venv-airflow%/ready: infra/airflow/requirements-airflow%.lock
	$(PYTHON) -m venv --clear .venv-airflow$*
	.venv-airflow$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	.venv-airflow$*/bin/python -m pip check
	@touch $@

campaign: $(READY) $(SNOW) ## the laws, on fifty times as many histories as in `make test`
	HYPOTHESIS_PROFILE=campaign $(BIN)/python -m pytest -n 2 -m "" tests/property tests/conformance/test_changes_source.py

simulate: $(READY) ## a simulated company with faults at every step, a thousand times, and every planted bug
	$(BIN)/tieout simulate --seeds 1000 --bugs
	$(BIN)/tieout simulate --algebra 100000 --bugs

check: $(READY) ## style and types, and that every test can be imported
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --collect-only -qq -m ""

snowflake: $(READY) $(SNOW) ## the warehouse in the account that TIEOUT_SNOWFLAKE_URL names; without it, in the stand-in
	$(BIN)/python -m pytest -rs tests/conformance/test_snowflake_*.py tests/property/test_snowflake_merge.py

golden: $(READY) ## what is sent to Snowflake, and the page on its stand-in, anew: read what changed
	$(BIN)/python -m tests.golden.statements
	$(BIN)/python -m tests.golden.stand_in

bench: $(READY) ## the measurements that README quotes
	$(BIN)/python -m bench

lock: $(READY) ## both locks anew, from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-header --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --extra aws --extra marts \
	  --extra sandbox --extra snowflake --group dev \
	  --constraints requirements.lock --generate-hashes --no-strip-extras --no-header --output-file requirements-dev.lock
	$(BIN)/uv pip compile infra/snowflake/stand-in.in --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-header --output-file requirements-snowflake.lock
	for line in 2 3; do $(BIN)/uv pip compile infra/airflow/requirements-airflow$$line.in --quiet --upgrade --universal \
	  --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	  --output-file infra/airflow/requirements-airflow$$line.lock || exit 1; done
