# make demo   train on MovieLens 100K, compare with the most popular, recommend
# make shell  a shell in which `python` is that of the virtual environment
# make test   linters, types, layers, tests
# make coverage  the tests again, with the share of lines that they run
# make docs         the documentation as a site, in site/
# make docs-check   commands and links of the pages
# make wheel        build the wheel in dist/
# make wheel-check  install it in an empty environment and train with it
# DEMO=...    other arguments for the demo, such as DEMO="model=neumf trainer.max_epochs=10"
# make models-page  write what pages say of all models, their tables, names and number, from the models themselves
# make triton       serve a bundle, that of the demo's run or BUNDLE=DIR, on a Triton server in the background; RUN=DIR is
#                   another run; HTTP_PORT= GRPC_PORT= METRICS_PORT= fix its ports, ADDRESS= lets it listen elsewhere
# make triton-stop  stop it
# make serve        serve a bundle, one of MovieLens 100K or BUNDLE=DIR, over HTTP in the background, with PostgreSQL and Redis
#                   beside it; prints the URL and an API key; PORT= WORKERS= HOST= as in configs/serve.yaml
# make serve-stop   stop all of it
# make up           all of it: databases, service and app, in the background; prints `app: URL`; BUNDLE=DIR PORT= WORKERS= HOST=
#                   as for serve, APP_PORT= of the app; TRITON=1 runs the models on a Triton server
# make down         stop all of it, and what `make quickstart` has started
# make quickstart DATA=FILE   from a table of your own to recommendations on screen; ITEMS=FILE; QUICKSTART= other settings
# make env          write .env, the secrets of compose.yaml, where there is none
# make lock         fix the versions of the libraries in the images anew; takes uv
# make images-check build the images and start each service from its own, without a container engine; takes root on Debian
# make app          the user interface of that service, in the foreground; prints its URL; APP_PORT= HOST= as for Streamlit
# make app-check    every page of the app in a browser, on a service of its own: what people do there, accessibility, both widths
# make screenshots  pictures of every page of the running app in screenshots/; APP_URL=http://127.0.0.1:8501
# make retrain      train with what that service has stored, and make it live where it is not worse; RETRAIN= other
#                   settings, as in configs/retrain.yaml

PYTHON ?= python3
IN_PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?=
RETRAIN ?=
# The service has users who come anew, so without BUNDLE= its model is one that scores a user from a history.
SERVICE_BUNDLE := $(if $(BUNDLE),$(BUNDLE),bundles/service)
BUNDLE ?= bundles/demo
RUN ?= $(patsubst %/run.json,%,$(shell ls -t runs/*movielens_100k*/run.json 2>/dev/null | head -n 1))
REPOSITORY := .triton/repositories/$(notdir $(BUNDLE))

.PHONY: app-check screenshots demo shell test coverage lint format models-page clean triton triton-stop serve serve-stop up down quickstart env lock images-check app retrain docs docs-check wheel wheel-check

demo: $(VENV)/.core
	$(BIN)/python scripts/train.py $(DEMO)

shell: $(VENV)/.core
	@echo "A shell with the environment $(VENV); exit leaves it."
	@VIRTUAL_ENV="$(abspath $(VENV))" PATH="$(abspath $(BIN)):$$PATH" "$${SHELL:-/bin/sh}"

triton: $(REPOSITORY) | $(VENV)/.serving
	$(BIN)/python scripts/triton_server.py action=start repository=$(REPOSITORY) \
	    $(if $(HTTP_PORT),http_port=$(HTTP_PORT)) $(if $(GRPC_PORT),grpc_port=$(GRPC_PORT)) \
	    $(if $(METRICS_PORT),metrics_port=$(METRICS_PORT)) $(if $(ADDRESS),address=$(ADDRESS))

triton-stop: | $(VENV)/.serving
	$(BIN)/python scripts/triton_server.py action=stop

serve: | $(SERVICE_BUNDLE) $(VENV)/.service
	$(BIN)/python scripts/serve.py action=start bundle=$(SERVICE_BUNDLE) \
	    $(if $(PORT),port=$(PORT)) $(if $(WORKERS),workers=$(WORKERS)) $(if $(HOST),host=$(HOST))

serve-stop: | $(VENV)/.service
	$(BIN)/python scripts/serve.py action=stop

up: | $(SERVICE_BUNDLE) $(VENV)/.service $(VENV)/.app
	@$(BIN)/python scripts/stack.py action=start bundle=$(SERVICE_BUNDLE) $(if $(TRITON),triton=true) \
	    $(if $(PORT),port=$(PORT)) $(if $(WORKERS),workers=$(WORKERS)) $(if $(HOST),host=$(HOST)) \
	    $(if $(APP_PORT),app_port=$(APP_PORT))

down: | $(VENV)/.service $(VENV)/.app
	@$(BIN)/python scripts/stack.py action=stop

quickstart: | $(VENV)/.service $(VENV)/.app
	@test -n "$(DATA)" || { echo "A table of who interacted with what is required: make quickstart DATA=FILE"; exit 2; }
	@$(BIN)/recsys quickstart "$(DATA)" $(if $(ITEMS),--items "$(ITEMS)") $(QUICKSTART)

env:
	@serving/images/environment

lock:
	@serving/images/lock

images-check: | bundles/service
	@serving/images/check

app: | $(VENV)/.app
	@$(BIN)/python -m streamlit run app/main.py $(if $(APP_PORT),--server.port=$(APP_PORT)) $(if $(HOST),--server.address=$(HOST))

app-check: $(VENV)/.dev
	$(BIN)/python -m pytest tests/app/check_app.py

screenshots: $(VENV)/.dev
	$(BIN)/python benchmarks/app_screenshots.py --url $(or $(APP_URL),http://127.0.0.1:8501)

retrain: | $(VENV)/.service
	@$(BIN)/python scripts/retrain.py $(RETRAIN)

$(REPOSITORY): | $(BUNDLE) $(VENV)/.serving
	$(BIN)/python scripts/export_triton.py bundle=$(BUNDLE) output=$@

bundles/demo: | $(VENV)/.serving
	run="$(RUN)"; \
	test -n "$$run" || run=$$($(BIN)/python scripts/train.py $(DEMO) | tee /dev/stderr | sed -n 's/^run: //p'); \
	test -n "$$run" && $(BIN)/python scripts/export.py run="$$run" output=$@

bundles/service: | $(VENV)/.serving
	run=$$($(BIN)/python scripts/train.py model=ials | tee /dev/stderr | sed -n 's/^run: //p'); \
	test -n "$$run" && $(BIN)/python scripts/export.py run="$$run" output=$@

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest $(IN_PARALLEL)

# Apart from the tests, because they take an eighth longer when every line is counted.
coverage: $(VENV)/.dev
	$(BIN)/python -m pytest $(IN_PARALLEL) --cov --cov-report=term --cov-fail-under=90

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs-check: $(VENV)/.dev
	$(BIN)/python -m pytest tests/test_readme.py tests/reporting/test_models_page.py tests/test_contributor_files.py

# The site's theme advertises its successor in colours with every build.
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=serving $(BIN)/python -m mkdocs build
	@echo "site: site/index.html"

wheel: | $(VENV)/bin/python
	rm -rf build dist  # setuptools would pack what an earlier build left
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

wheel-check: wheel
	bash .ci/wheel_check "$$(realpath dist/*.whl)" $(PYTHON)

models-page: $(VENV)/.core
	$(BIN)/python -m recsys.reporting.models_page

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml setup.py | $(VENV)/bin/python
	@echo "Installing PyTorch and the other libraries in $(VENV); the first time this takes some minutes."
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.serving: pyproject.toml setup.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[serving]'
	touch $@ $(VENV)/.core

$(VENV)/.service: pyproject.toml setup.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[service]'
	touch $@ $(VENV)/.core $(VENV)/.serving

$(VENV)/.app: pyproject.toml setup.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[app]'
	touch $@ $(VENV)/.core

$(VENV)/.dev: pyproject.toml setup.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.core $(VENV)/.serving $(VENV)/.service $(VENV)/.app

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
