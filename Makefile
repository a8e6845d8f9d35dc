# What a person types. Each line hands over to a script in install/, which says at its top what it does.
# Nothing here needs git, and no target needs another one run by hand before it.

SHELL := /bin/bash
.DEFAULT_GOAL := help
AS_ROOT := bash install/as-root.sh bash

.PHONY: help install demo up test unit check soak bench clean

help:  ## show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

install:  ## Debian packages, system users and the Python environment in the state folder
	@$(AS_ROOT) install/install.sh

demo:  ## install, then run a demo installation until Ctrl-C
	@$(AS_ROOT) install/up.sh --demo

up:  ## install, then run an installation of your own until Ctrl-C
	@$(AS_ROOT) install/up.sh

test:  ## every test but the soak, with real servers and a browser
	@$(AS_ROOT) install/test.sh all

unit:  ## the quick tests: no servers, no drills
	@$(AS_ROOT) install/test.sh unit

check:  ## lint, format, types and architecture
	@$(AS_ROOT) install/test.sh check

soak:  ## the tests with large counts
	@$(AS_ROOT) install/test.sh soak

bench:  ## the side-by-side benchmarks, each prints a ratio
	@$(AS_ROOT) install/test.sh bench

clean:  ## remove what was built in this checkout; never a state folder
	rm -rf .venv .build .mypy_cache .ruff_cache .hypothesis dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
