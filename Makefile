benches = bench-deploy bench-build bench-api bench-rollout bench-router bench-fleet \
	bench-rebuild bench-fuzz bench-hook bench-dashboard
.PHONY: setup up down lint test docs migration clients $(benches)
setup:
	@scripts/setup.sh
up: setup
	@DOCKER_HOST=$$(scripts/engine.sh) scripts/up.sh
down: setup
	@DOCKER_HOST=$$(scripts/engine.sh) .venv/bin/python -m barque down
lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
# Tests ask the platform and the engine for work all the while: neither is to wait for the tests.
test: export BARQUE_ENGINE_SHARE = full
test:
	@scripts/setup.sh tests
	DOCKER_HOST=$$(scripts/engine.sh) nice -n 10 .venv/bin/pytest -n 3 --dist load --maxschedchunk 2
docs: setup
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build
migration: setup
	.venv/bin/python scripts/migration.py "$(what)"
	.venv/bin/ruff format src/barque/store/migrations
clients:
	@scripts/setup.sh clients
	.venv/bin/python scripts/clients.py
$(benches): bench-%:
	@scripts/setup.sh bench
	DOCKER_HOST=$$(scripts/engine.sh) .venv/bin/python -m bench.$*
