# Everything runs in the project's own environment, which the first target to need it creates.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test lint verify verify-flow corpus bench-solids bench-flow traffic-flow bench-sweeps bench-surrogates protos format clean

demo: $(STAMP)                      ## solve the example bracket, ask a network too: stress.png, comparison.png, bracket.vtu, report.html
	$(BIN)/twin demo

test: $(STAMP)                      ## the default tests, in two processes
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=100

lint: $(STAMP)                      ## style, types, architecture, contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/python -m protos.breaking

verify: $(STAMP)                    ## the reference cases in one table, the error estimates in another, heavy cases
	-$(BIN)/python -m tests.verification.suite.table
	$(BIN)/python -m tests.verification.suite.calibration
	$(BIN)/python -m pytest -m slow tests/solvers tests/surrogates tests/verification tests/benchmarks tests/end_to_end tests/twin

verify-flow: $(STAMP)               ## flow against published benchmarks: one to two hours
	$(BIN)/python -m pytest -m "slow or not slow" tests/solvers/lattice_boltzmann tests/verification/test_cavity.py \
		tests/verification/test_cylinders.py tests/verification/test_vortices.py tests/verification/test_external_flow.py \
		tests/verification/test_internal_flow.py tests/verification/test_channel.py tests/verification/test_flow_gradient.py

corpus: $(STAMP)                    ## real geometry, where the folder beside the project has it
	$(BIN)/python -m pytest -m corpus
	$(BIN)/python -m tests.corpus.simjeb

bench-solids: $(STAMP)              ## solids beside other codes, batches, growth with size: half an hour and more
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -m tests.benchmarks.solids --parts peers batches designs cantilever
	$(BIN)/python -m tests.benchmarks.solids --parts growth --sizes 30k 100k 300k 1M 3M 5M --picture docs/growth.png

bench-flow: $(STAMP)                ## flow beside XLB and a copy of memory: minutes
	$(BIN)/python -m pip install --quiet --editable '.[bench-flow]'
	$(BIN)/python -m tests.benchmarks.flow.speed

traffic-flow:                       ## kernels and bytes of a step of flow, compiled for an H200 without one: minutes
	python3 -m venv .venv-cuda
	.venv-cuda/bin/python -m pip install --quiet "jax[cuda12]==0.10.2" equinox jaxtyping scipy
	JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 JAX_PLATFORMS=cpu .venv-cuda/bin/python -m tests.benchmarks.flow.traffic

bench-sweeps: $(STAMP)              ## designs a second, what the service costs, kills, optimisers beside others: an hour
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -m tests.benchmarks.sweeps
	$(BIN)/python -m tests.benchmarks.designs_per_second
	$(BIN)/python -m tests.benchmarks.optimisers
	$(BIN)/python -m tests.benchmarks.structural_optima

bench-surrogates: $(STAMP)          ## a family of brackets swept, learned, asked; beside other models: half a day
	$(BIN)/python -m examples.bracket_family
	$(BIN)/python -m tests.benchmarks.surrogates

protos: $(STAMP)                    ## regenerate the stubs, freeze the contract
	$(BIN)/python -m protos.generate
	$(BIN)/python -m protos.breaking --freeze

format: $(STAMP)                    ## put the code into its layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build *.egg-info

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(STAMP)
