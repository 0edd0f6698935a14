.PHONY: setup up down lint test bench-deploy bench-build bench-api bench-rollout bench-rebuild
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
bench-deploy bench-build bench-api bench-rollout bench-rebuild: bench-%: setup
	DOCKER_HOST=$$(scripts/engine.sh) .venv/bin/python -m bench.$*
