# One-command tasks. `make` alone lists them; each does its own setting up in .venv.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
CODE := server federation bridges $(sort $(patsubst %/,%,$(dir $(wildcard benchmarks/*.py)))) tests
NODE := data
SERVER_NAME ?= localhost
NAME ?= 桜町町内会
ARGS ?=
SCREENSHOTS ?= tests/screenshots
REQUESTS ?= 20000

.DEFAULT_GOAL := help
.PHONY: help setup compiled demo run check test conformance fuzz story faults calendars browser deploy-test bench docs guides clean

help: ## list these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with everything that the other tasks need

$(STAMP): pyproject.toml .ci/set_up
	@.ci/set_up $(VENV)
	@touch $@

# Python keeps compiled files by itself only where it may; a start must not compile.
compiled: $(STAMP)
	@$(BIN)/python -m compileall -q -o 0 -o 2 server federation bridges

demo: compiled ## try a node with made-up people; ARGS="--replay noto" replays a safety check
	@$(BIN)/kairan demo $(ARGS)

run: compiled ## run a node in ./data; the first time it is made (SERVER_NAME=…, NAME=…)
	@test -f $(NODE)/kairan.toml || $(BIN)/kairan init $(NODE) --server-name "$(SERVER_NAME)" --name "$(NAME)"
	@exec $(BIN)/kairan run --config $(NODE)/kairan.toml

check: $(STAMP) ## style, types, layers, architecture (under a minute)
	$(BIN)/ruff check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/architecture

test: compiled ## all tests; ARGS picks some, e.g. ARGS="tests/rules -k redaction"
	@.ci/install_test_tools
	PYTEST_DEBUG_TEMPROOT=$$(.ci/folder_for_tests) $(BIN)/pytest -q -n auto $(ARGS)

conformance: compiled ## all tests, and what they have tried written to docs/conformance.md
	@.ci/install_test_tools
	@rm -rf .pytest_cache/tried && mkdir -p .pytest_cache/tried
	PYTEST_DEBUG_TEMPROOT=$$(.ci/folder_for_tests) KAIRAN_CONTRACT_RECORD=$(CURDIR)/.pytest_cache/tried \
		$(BIN)/pytest -q -n auto $(ARGS)
	$(BIN)/python -m tests.contract.conformance .pytest_cache/tried

fuzz: compiled ## 20,000 requests as nobody would write them; REQUESTS=… for more
	KAIRAN_FUZZ=$(REQUESTS) $(BIN)/pytest -q tests/contract/test_fuzz.py $(ARGS)

story: compiled ## only the whole flows by HTTP (tests/stories)
	$(BIN)/pytest -q -n auto tests/stories $(ARGS)

faults: compiled ## the long fault tests: 100 kills under load, 20 backups under load restored
	KAIRAN_KILLS=100 KAIRAN_CUT_LINK=1 $(BIN)/pytest -q -rs tests/faults $(ARGS)
	KAIRAN_RESTORATIONS=20 $(BIN)/pytest -q tests/operation/test_backup.py tests/operation/test_restored_again.py $(ARGS)

calendars: compiled ## calendars with evolution-data-server, the back end of GNOME (apt install evolution-data-server …)
	KAIRAN_EVOLUTION=1 $(BIN)/pytest -q -rs tests/caldav/test_evolution.py $(ARGS)

browser: compiled ## every flow and page in six windows, all languages, both themes; SCREENSHOTS=folder keeps pictures
	@.ci/install_test_tools
	KAIRAN_BROWSER=1 SCREENSHOTS=$(SCREENSHOTS) $(BIN)/pytest -q -n 2 tests/web/test_flows.py tests/web/test_every_window.py \
		tests/web/test_axe.py tests/web/test_budgets.py tests/web/test_waiting_forms.py tests/web/test_slip_camera.py \
		tests/web/test_dates_in_words.py tests/association/polls/test_slip_photos.py $(ARGS)

deploy-test: $(STAMP) ## the playbooks in a Debian of their own; needs root and debootstrap
	PYTEST_DEBUG_TEMPROOT=$$(.ci/folder_for_tests) KAIRAN_DEPLOY=1 \
		$(BIN)/pytest -q -rs -n 3 --dist loadfile tests/deploy $(ARGS)

bench: compiled ## measure the node beside Synapse in one run
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(STAMP) ## write the pages that follow from the code
	@$(BIN)/python -c 'from server.config import settings_page; print(settings_page(), end="")' > docs/settings.md
	@$(BIN)/python -m tests.contract.conformance

guides: compiled ## the illustrated guides and the pictures of the README, from a run of the real pages
	@.ci/install_test_tools
	$(BIN)/python -m tests.web.guides

clean: ## remove .venv and caches; ./data stays
	rm -rf $(VENV) tests/clients/js/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
