.PHONY: setup up down lint test migration \
	bench-deploy bench-build bench-api bench-rollout bench-router bench-fleet bench-rebuild bench-dashboard
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
test:
	@scripts/setup.sh tests
	DOCKER_HOST=$$(scripts/engine.sh) .venv/bin/pytest -n 2
migration: setup
	.venv/bin/python scripts/migration.py "$(what)"
	.venv/bin/ruff format src/barque/store/migrations
bench-deploy bench-build bench-api bench-rollout bench-router bench-fleet bench-rebuild bench-dashboard: bench-%:
	@scripts/setup.sh bench
	DOCKER_HOST=$$(scripts/engine.sh) .venv/bin/python -m bench.$*
