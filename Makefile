# SPDX-License-Identifier: Apache-2.0
#
# make                build/derot, build/derot-core, build/derot-watch, build/derot-serve (release)
# make demo           the main job on a recorded chain: no node, no npm, no network once packages are there
# make check          every test; make check-offline: its part without npm and network
# make check-long     the heavier rounds
# make check-devnet   derot over a network that finalizes by itself, Lodestar and EthereumJS; from genesis, six minutes
# make deps           Debian packages, installed if missing (the only thing here that uses root)
# make fuzz T=rlp TIME=60    libFuzzer on tests/fuzz/fuzz_rlp.c; what it finds is kept in build/fuzz/found/
# make fuzz-all RUNS=10000000    every target so often: build/fuzz/report.tsv
# make differential ROUNDS=N SEED=S    decoders beside @ethereumjs/rlp, @ethereumjs/mpt and ethers, BLS beside blst,
#                     the light client beside @lodestar/light-client
# make coverage, make coverage-fuzz    lines and branches that the tests, that the fuzz targets run
# make simulate SEEDS=1000   the core among forks, lies, crashes and wrong clocks, by seed; TAPE=file plays one again
# make hostile ROUNDS=1000 SEED=1    lying endpoints at random, against derot run; LIFE=, ROUND= play one again;
#                     PROOF=consensus: beacon nodes lie too
# make compare      what viem, ethers, Helios and derot say when a server hides a revocation
# make bench [TASK=name]    what it costs, beside the packages that users would otherwise take: build/bench.json
# make bench-page   the same, with sweeps: docs/performance.md and its plots are drawn anew
# make record-consensus      fixtures/consensus.ev anew; derot fixture make plays the other recordings
# make mutate [ONLY=id]      breaks checks on purpose, in a copy of the tree, and sees a test fail, as
#                     tests/mutate/breakages.txt says; RANDOM=40 SEED=1: as many blind breakages
# make format, make install (DESTDIR, PREFIX), make clean
#
# PROFILE=debug|asan|clang selects another flag set, built in build/<profile>/. V=1 shows the commands, CI=true
# makes warnings errors. check-source, check-units, check-link, check-fixtures, check-fuzz, check-faults, check-simulate,
# check-clang, check-valgrind, check-asan and check-nodes are the parts of check; the part that failed can be run alone.

PROFILE ?= release
BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
OUT := $(BUILD)/$(PROFILE)
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:

CC := gcc
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wwrite-strings
ifdef CI
WARN += -Werror
endif
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_debug := -Og -g3
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_asan := -fsanitize=address,undefined
CFLAGS_clang := -O0
CFLAGS_fuzz := -O2 -g -DDR_SMALL_TABLES -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined
CFLAGS_cover := -O1 -g -fprofile-instr-generate -fcoverage-mapping
LDFLAGS_cover := -fprofile-instr-generate
ifneq ($(filter clang fuzz cover,$(PROFILE)),)
CC := clang
endif
# The same sources give the same bytes, wherever they lie.
DR_CFLAGS := -std=c17 -D_GNU_SOURCE -I. $(WARN) -fPIE -MMD -MP -ffile-prefix-map=$(CURDIR)=. $(CFLAGS_$(PROFILE)) $(CFLAGS)
DR_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--build-id=sha1 $(LDFLAGS_$(PROFILE)) $(LDFLAGS)
# Q: what is done is told in a word; V=1 tells it whole.
Q := $(if $(V),,@)
comma := ,
say = $(if $(V),@:,@echo "$(1) $(subst $(BUILD)/,,$(2))")

# Layers, lowest first: a folder is a layer is an archive. main_*.c hold main() and nothing else links them.
LAYERS := chain/base chain/codec chain/crypto chain/bls chain/trie chain/evm chain/beacon chain governance kms-bridge \
	kms-bridge/process kms-bridge/tell kms-bridge/serve kms-bridge/core watcher
src = $(sort $(filter-out $(1)/main_%.c,$(wildcard $(1)/*.c)))
lib = $(OUT)/$(subst /,-,$(1)).a

CHAIN_LAYERS := chain/evm chain/beacon chain chain/trie chain/bls chain/crypto chain/codec chain/base
CHAIN_LIBS := $(foreach l,$(CHAIN_LAYERS),$(call lib,$(l)))
CHAIN_DEPS := -lsodium -lsecp256k1 -lcrypto
GOV_LIBS := $(call lib,governance) $(CHAIN_LIBS)
PROCESS_LIBS := $(call lib,kms-bridge/process) $(call lib,chain/base)
PROCESS_DEPS := -lseccomp
CORE_LIBS := $(call lib,kms-bridge/core) $(call lib,kms-bridge/process) $(call lib,kms-bridge) $(GOV_LIBS)
CORE_DEPS := -lsqlite3 $(PROCESS_DEPS) $(CHAIN_DEPS)
TELL_LIBS := $(call lib,kms-bridge/tell) $(call lib,kms-bridge/process) $(call lib,kms-bridge) $(GOV_LIBS)
SERVE_LIBS := $(call lib,kms-bridge/serve) $(TELL_LIBS)
SERVE_DEPS := -lmicrohttpd -ljansson $(PROCESS_DEPS) $(CHAIN_DEPS)
WATCH_LIBS := $(call lib,watcher) $(TELL_LIBS)
WATCH_DEPS := -lcurl -ljansson -lcyaml -lyaml $(PROCESS_DEPS) $(CHAIN_DEPS)

PROGRAMS := derot derot-core derot-watch derot-serve

.PHONY: all
all: $(PROGRAMS:%=$(OUT)/%)
ifeq ($(PROFILE),release)
	@for p in $(PROGRAMS); do cmp -s $(OUT)/$$p $(BUILD)/$$p || cp --remove-destination $(OUT)/$$p $(BUILD)/$$p; done
endif

define layer_rule
$(call lib,$(1)): $(patsubst %.c,$(OUT)/%.o,$(call src,$(1)))
	@mkdir -p $$(@D) && rm -f $$@ && ar rcsD $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

# Other flags are other objects.
FLAGS := $(CC) $(DR_CFLAGS) $(DR_LDFLAGS)
ifneq ($(FLAGS),$(shell cat $(OUT)/flags 2>/dev/null))
.PHONY: $(OUT)/flags
endif
$(OUT)/flags:
	@mkdir -p $(@D) && echo '$(FLAGS)' >$@

# What is done inside a hash, or digit by digit, tells a fuzzer nothing, and costs it half its time.
$(OUT)/chain/bls/fp%.o $(OUT)/tests/fuzz/no_compare.o: DR_CFLAGS += $(if $(filter fuzz,$(PROFILE)),-fno-sanitize=all -fomit-frame-pointer)
$(OUT)/chain/crypto/%.o $(OUT)/chain/base/bytes.o $(OUT)/chain/base/hex.o: DR_CFLAGS += $(if $(filter fuzz,$(PROFILE)),-fno-sanitize=fuzzer-no-link)

$(OUT)/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC  ,$@)
	$(Q)$(CC) $(DR_CFLAGS) -c -o $@ $<

link = $(Q)$(CC) $(DR_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(OUT)/derot: $(OUT)/watcher/main_cli.o $(WATCH_LIBS)
	$(call say,LINK,$@)
	$(link) $(WATCH_DEPS)
$(OUT)/derot-watch: $(OUT)/watcher/main_watch.o $(WATCH_LIBS)
	$(call say,LINK,$@)
	$(link) $(WATCH_DEPS)
$(OUT)/derot-core: $(OUT)/kms-bridge/core/main_core.o $(CORE_LIBS)
	$(call say,LINK,$@)
	$(link) $(CORE_DEPS)
$(OUT)/derot-serve: $(OUT)/kms-bridge/serve/main_serve.o $(SERVE_LIBS)
	$(call say,LINK,$@)
	$(link) $(SERVE_DEPS)

# Unit tests: a test links its own folder's layer and below, never more.
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(UNIT_SRC))
KIT := $(OUT)/tests/unit/kit.o
TEST_DEPS := -lcmocka -ljansson -lz
$(OUT)/unit/chain/%: $(OUT)/tests/unit/chain/%.o $(KIT) $(CHAIN_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(TEST_DEPS) $(CHAIN_DEPS)
$(OUT)/unit/governance/%: $(OUT)/tests/unit/governance/%.o $(KIT) $(GOV_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(TEST_DEPS) $(CHAIN_DEPS)
$(OUT)/unit/kms-bridge/%: $(OUT)/tests/unit/kms-bridge/%.o $(KIT) $(CORE_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(TEST_DEPS) $(CORE_DEPS)
$(OUT)/unit/process/%: $(OUT)/tests/unit/process/%.o $(KIT) $(PROCESS_LIBS) $(CHAIN_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(TEST_DEPS) $(PROCESS_DEPS) $(CHAIN_DEPS)
$(OUT)/unit/serve/%: $(OUT)/tests/unit/serve/%.o $(KIT) $(SERVE_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(TEST_DEPS) $(SERVE_DEPS)
$(OUT)/unit/watcher/%: $(OUT)/tests/unit/watcher/%.o $(KIT) $(WATCH_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(TEST_DEPS) $(WATCH_DEPS)

# Fuzz targets. Here each is linked with a driver that replays its corpus and walks mutations of it;
# `make fuzz T=name` links it with libFuzzer instead.
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(FUZZ_SRC))
FUZZ_DRIVER := $(if $(filter fuzz,$(PROFILE)),,$(OUT)/tests/fuzz/replay.o)
$(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(FUZZ_DRIVER) $(CORE_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(CORE_DEPS)
$(addprefix $(OUT)/fuzz/,fuzz_route fuzz_answer): $(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(FUZZ_DRIVER) $(SERVE_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(SERVE_DEPS)
$(addprefix $(OUT)/fuzz/,fuzz_json_evm fuzz_json_beacon fuzz_verify fuzz_rpc fuzz_file fuzz_plan): $(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(FUZZ_DRIVER) $(WATCH_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(WATCH_DEPS)

# Targets whose input no comparison shows: libFuzzer does without its look at them (tests/fuzz/no_compare.c).
ifeq ($(PROFILE),fuzz)
FUZZ_SCRIPTS := $(addprefix $(OUT)/fuzz/fuzz_,stream plan fold signed verify file lightclient bls)
NO_COMPARE := $(addprefix sanitizer_cov_trace_,cmp1 cmp2 cmp4 cmp8 const_cmp1 const_cmp2 const_cmp4 const_cmp8 switch)
$(FUZZ_SCRIPTS): $(OUT)/tests/fuzz/no_compare.o
$(FUZZ_SCRIPTS): DR_LDFLAGS += $(NO_COMPARE:%=-Wl,--wrap=__%)
endif
$(OUT)/fuzz/fuzz_stream: DR_LDFLAGS += -Wl,--wrap=dr_profile_decode,--wrap=dr_keccak256
BLS_CALLS := $(addprefix dr_bls_,key_get keys_get sum_add sum_sub sum_is_key verify_sum)
$(OUT)/fuzz/fuzz_lightclient: DR_LDFLAGS += $(BLS_CALLS:%=-Wl,--wrap=%)

# What answers other implementations' questions.
$(OUT)/fuzz-peer: $(OUT)/tests/fuzz/peer/peer.o $(CHAIN_LIBS)
	$(call say,LINK,$@)
	$(link) $(CHAIN_DEPS)
$(OUT)/fuzz-peer-beacon: $(OUT)/tests/fuzz/peer/beacon.o $(CHAIN_LIBS)
	$(call say,LINK,$@)
	$(link) $(CHAIN_DEPS)

# Faults: a driver that feeds the real core, and what makes its calls fail.
$(OUT)/faults/test_faults: $(OUT)/tests/faults/test_faults.o $(OUT)/tests/faults/drive.o $(KIT) $(CORE_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(TEST_DEPS) $(CORE_DEPS)
$(OUT)/faults/shim.so: tests/faults/shim.c tests/faults/shim.h $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -I. $(WARN) -O2 -g -fPIC -shared -o $@ $<

# Benchmarks: programs that each do one task and say what it took; tests/bench/bench.mjs runs them beside their peers.
BENCH := $(patsubst tests/bench/%.c,$(OUT)/bench/%,$(sort $(wildcard tests/bench/bench_*.c)))
$(OUT)/bench/%: $(OUT)/tests/bench/%.o $(KIT) $(CORE_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(TEST_DEPS) $(CORE_DEPS)

# The simulator: the core's own objects, with its system calls handed to tests/simulate/machine_calls.c, and BLS stood
# in for. The follower's tables are small: some tens of blocks are far.
SIMULATE := $(OUT)/simulate/simulate
SIMULATE_SRC := $(sort $(wildcard tests/simulate/*.c))
SIMULATE_CALLS := accept4 access bind calloc clock_gettime close fchmod fcntl fdopen flock free fstat fsync getsockopt \
	listen malloc mkdir open openat poll prctl rand read realloc rename renameat2 setrlimit signalfd sigprocmask socket \
	sodium_free sodium_malloc timerfd_create timerfd_settime unlink write
SIMULATE_SMALL := $(patsubst %.c,$(OUT)/simulate/%.o,$(wildcard chain/evm/follow*.c chain/evm/tree.c))
$(SIMULATE_SMALL): $(OUT)/simulate/%.o: %.c tests/simulate/small.h $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC  ,$@)
	$(Q)$(CC) $(DR_CFLAGS) -include tests/simulate/small.h -c -o $@ $<
$(SIMULATE): $(SIMULATE_SRC:%.c=$(OUT)/%.o) $(SIMULATE_SMALL) $(KIT) $(CORE_LIBS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(link) $(SIMULATE_CALLS:%=-Wl,--wrap=%) $(BLS_CALLS:%=-Wl,--wrap=%) $(TEST_DEPS) $(CORE_DEPS)

# What scripts and tests of the whole learn: the folder of the programs, and the command line.
ENV := DEROT_BUILD=$(abspath $(BUILD)) DEROT=$(abspath $(BUILD))/derot

.PHONY: deps deps-build demo compare
deps:
	@tests/check/deps.sh test
deps-build:
	@tests/check/deps.sh build
demo: deps-build
	@$(SUB) all
	@$(ENV) fixtures/demo.sh
compare: deps
	@$(SUB) all
	@tests/nodes/install.sh
	@$(ENV) $(NODE) tests/compare/compare.mjs

# Tests. Every part writes its results below $(RESULTS); check runs all parts, whatever fails, and sums them up.
SUB = $(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))
RESULTS := $(BUILD)/results
RUN_TESTS := JOBS=$(JOBS) tests/check/run.sh $(RESULTS)
NODE := tests/nodes/node_modules/node/bin/node
# The one that Lodestar's native parts are for.
LODESTAR_NODE := tests/lodestar/client/node_modules/node/bin/node
OFFLINE := check-source check-units check-link check-fixtures check-fuzz check-faults check-simulate check-clang \
	check-valgrind check-asan

define run_parts
	@rm -rf $(RESULTS)
	+@failed=; for part in $(1); do \
		start=$$(date +%s); \
		$(SUB) $$part || failed="$$failed $$part"; \
		echo "== $$part: $$(($$(date +%s) - start)) s"; \
	done; \
	[ -z "$$failed" ] || echo "failed:$$failed"; \
	tests/check/run.sh $(RESULTS) --sum && [ -z "$$failed" ]
endef

.PHONY: check check-offline check-long
check: deps
	$(call run_parts,all $(OFFLINE) check-nodes)
check-offline: deps
	$(call run_parts,all $(OFFLINE))

.PHONY: check-source check-units check-link check-fixtures check-fuzz check-faults check-simulate check-asan check-clang \
	check-valgrind check-nodes
check-source:
	@$(RUN_TESTS) source tests/check/source.sh tests/check/format.sh $(sort $(wildcard tests/check/test_*.sh))
	@RUN='"$$1" check' $(RUN_TESTS) mutate tests/mutate/mutate.sh

check-units: $(UNIT)
	@$(RUN_TESTS) units-$(PROFILE) $(UNIT)

check-link: all
	@RUN='"$$1" $(OUT)' $(RUN_TESTS) link tests/check/link.sh

# Every recording is proven again and says what its scenario expects; and the demo runs.
check-fixtures: all
	@RUN='DEROT=$(OUT)/derot "$$1"' $(RUN_TESTS) demo-$(PROFILE) fixtures/demo.sh
	@RUN='$(OUT)/derot fixture lint "$$1" "$${1%.scenario.yaml}.ev"' $(RUN_TESTS) fixtures-$(PROFILE) \
		$(sort $(wildcard fixtures/*.scenario.yaml))
	@RUN='DEROT=$(OUT)/derot "$$1"' $(RUN_TESTS) replay-$(PROFILE) tests/check/replay_hostile.sh

# The recording at proof consensus, played anew; its checksum goes to fixtures/MANIFEST.
.PHONY: record-consensus
record-consensus: all
	@tests/nodes/install.sh
	@$(ENV) $(NODE) --no-warnings tests/nodes/record_consensus.mjs fixtures/consensus.ev

# Each corpus as it is, every truncation and bit flip, and ROUNDS of mutations of each of its files; fewer where one
# input is a whole chain.
ROUNDS ?= 2000
FUZZ_SLOW := *_bls|*_stream|*_recording|*_plan|*_signed|*_file|*_verify|*_fold
check-fuzz: $(FUZZ)
	@RUN='case $$1 in $(FUZZ_SLOW)) rounds=$$(($(ROUNDS) / 40)) ;; *) rounds=$(ROUNDS) ;; esac; \
		"$$1" -rounds=$$rounds tests/fuzz/corpus/$$(basename "$$1")' $(RUN_TESTS) fuzz-$(PROFILE) $(FUZZ)

# FAULTS: how many cases of each row, 0 for all there are.
FAULTS ?= 5
FAULTS_ENV_asan = DEROT_PRELOAD=$$($(CC) -print-file-name=libasan.so)
check-faults: all $(OUT)/faults/test_faults $(OUT)/faults/shim.so
	@RUN='DEROT_FAULTS=$(FAULTS) $(FAULTS_ENV_$(PROFILE)) $(OUT)/faults/test_faults "$$1"' \
		$(RUN_TESTS) faults-$(PROFILE) fail lose stall kill recording

# Seeds of the simulator, each of them a run of its own; from two places, so that two cores have something to do.
SIMULATE_SEEDS ?= 250
check-simulate: $(SIMULATE)
	@RUN='$(SIMULATE) -seeds=$(SIMULATE_SEEDS) -seed="$$1" -tape=$(OUT)/simulate/"$$1".tape' \
		$(RUN_TESTS) simulate-$(PROFILE) 1 100001

check-asan:
	+@$(SUB) PROFILE=asan check-units && $(SUB) PROFILE=asan check-fixtures && \
		$(SUB) PROFILE=asan check-fuzz ROUNDS=500 && $(SUB) PROFILE=asan check-simulate SIMULATE_SEEDS=15

# Everything compiles with clang as well; linking it would tell nothing new.
.PHONY: objects
objects: $(patsubst %.c,$(OUT)/%.o,$(wildcard $(LAYERS:%=%/*.c) tests/unit/*/*.c tests/unit/*.c tests/fuzz/*.c \
	tests/faults/*.c tests/simulate/*.c))
check-clang:
	+@RUN='$(SUB) PROFILE=clang "$$1"' $(RUN_TESTS) clang objects

# Those that touch foreign bytes or secrets and are quick: memcheck sees what the sanitizers do not, the use of
# undefined values.
MEMCHECK := chain/test_reader chain/test_rlp chain/test_header chain/test_aead chain/test_hkdf governance/test_fold \
	governance/test_map kms-bridge/test_keys kms-bridge/test_parcel kms-bridge/test_secret_paths kms-bridge/test_proto
check-valgrind: $(MEMCHECK:%=$(OUT)/unit/%)
	@RUN='valgrind -q --error-exitcode=99 --leak-check=full "$$1"' $(RUN_TESTS) valgrind $(MEMCHECK:%=$(OUT)/unit/%)

# Live nodes, the contract and its compiler. npm fetches them once (tests/nodes/install.sh).
check-nodes: all $(BENCH)
	@tests/nodes/install.sh
	@RUN='$(ENV) $(NODE) --test --test-reporter=tap "$$1"' $(RUN_TESTS) nodes \
		$(sort $(wildcard tests/nodes/test_*.mjs tests/hostile/test_*.mjs tests/faults/test_*.mjs \
		tests/bench/test_*.mjs tests/check/*.mjs))
	@RUN='$(NODE) "$$1" --check' $(RUN_TESTS) contract governance/contracts/build.mjs

# A proof-of-stake network of its own (tests/lodestar/install.sh fetches it, 700 MB).
.PHONY: check-devnet
check-devnet: deps
	+@$(SUB) all
	@tests/lodestar/install.sh node
	@RUN='$(ENV) $(NODE) --test --test-reporter=tap "$$1"' $(RUN_TESTS) devnet tests/lodestar/test_devnet.mjs

# Lying endpoints, at random: PROFILE=asan for the sanitized programs, PROOF=consensus for beacon nodes among them, SEED,
# LIFE, ROUND to play one again; SLOW=4 where everything takes long.
.PHONY: hostile
hostile: all
	@tests/nodes/install.sh
	@DEROT_BUILD=$(abspath $(OUT)) ROUNDS=$(ROUNDS) SEED=$(SEED) PROOF=$(PROOF) TMPDIR=$$([ -w /dev/shm ] && echo /dev/shm || echo /tmp) \
		$(NODE) tests/hostile/rounds.mjs

check-long: deps
	$(call run_parts,long-fuzz long-faults long-hostile long-mutate long-scripts check-devnet)
.PHONY: long-fuzz long-faults long-hostile long-mutate long-scripts
long-fuzz:
	+@$(SUB) PROFILE=asan check-fuzz ROUNDS=200000
# Every call there is, and many kills; and what the failures' own paths do with memory.
long-faults: all
	+@$(SUB) check-faults FAULTS=0 && $(SUB) PROFILE=asan check-faults FAULTS=40
	@tests/nodes/install.sh
	@RUN='$(ENV) DEROT_KILLS=200 $(NODE) --test --test-reporter=tap "$$1"' $(RUN_TESTS) long-kill tests/faults/test_kill.mjs
long-hostile: all
	@tests/nodes/install.sh
	+@RUN='$(SUB) PROFILE=asan "$$1" ROUNDS=3000 SEED=long' $(RUN_TESTS) long-hostile hostile
	+@RUN='$(SUB) PROFILE=asan "$$1" PROOF=consensus ROUNDS=3000 SEED=long SLOW=4' $(RUN_TESTS) long-hostile-beacon hostile
	@RUN='$(ENV) DEROT_DEPTHS=all $(NODE) --test --test-reporter=tap "$$1"' $(RUN_TESTS) long-forks \
		tests/hostile/test_forks.mjs
# Every breakage of the list, each caught by the case that it names.
long-mutate:
	@RUN='BUILD=$(BUILD) JOBS=$(JOBS) "$$1" run' JOBS=1 tests/check/run.sh $(RESULTS) long-mutate tests/mutate/mutate.sh
long-scripts: all $(OUT)/fuzz-peer $(OUT)/fuzz-peer-beacon
	@tests/lodestar/install.sh client
	@RUN='$(NODE) "$$1" $(OUT)/fuzz-peer 40000 2' $(RUN_TESTS) long-differential tests/fuzz/peer/differential.mjs \
		tests/fuzz/peer/differential_bls.mjs
	@RUN='$(NODE) "$$1" $(OUT)/fuzz-peer-beacon $(LODESTAR_NODE) 4000 2' $(RUN_TESTS) long-differential-beacon \
		tests/fuzz/peer/differential_beacon.mjs
	@RUN='$(ENV) "$$1"' JOBS=1 tests/check/run.sh $(RESULTS) long \
		$(sort tests/check/reproducible.sh $(wildcard tests/long/*.sh))

# The seeded simulator. A seed that fails is shrunk and told; its tape plays again with TAPE=.
.PHONY: simulate
SEEDS ?= 1000
SEED ?= 1
STEPS ?= 80
simulate: $(SIMULATE)
	@$(if $(TAPE),$(SIMULATE) -play=$(TAPE) -steps=$(STEPS),$(SIMULATE) -seeds=$(SEEDS) -seed=$(SEED) -steps=$(STEPS) \
		-tape=$(OUT)/simulate/failed.tape)

.PHONY: mutate
mutate:
	@BUILD=$(BUILD) PROFILE=$(PROFILE) JOBS=$(JOBS) tests/mutate/mutate.sh \
		$(if $(RANDOM),random $(RANDOM) $(or $(SEED),1),run $(ONLY))

.PHONY: fuzz fuzz-all differential coverage coverage-fuzz cover-programs bench bench-page format install clean
TIME ?= 60
fuzz:
	$(if $(wildcard tests/fuzz/fuzz_$(T).c),,$(error make fuzz T=name [TIME=seconds]; names: \
		$(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SRC))))
	+@$(SUB) PROFILE=fuzz $(BUILD)/fuzz/fuzz/fuzz_$(T)
	tests/fuzz/run.sh $(BUILD) $(T) -max_total_time=$(TIME)

# Every target until it ran RUNS times with the binary that this makes; goes on where it was stopped.
RUNS ?= 10000000
fuzz-all: deps
	+@$(SUB) PROFILE=fuzz $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/fuzz/%)
	@tests/fuzz/all.sh $(BUILD) $(RUNS) $(T)

# RLP, tries, proofs and ABI beside ethereumjs and ethers, BLS beside blst, the light client's
# store beside Lodestar's, on the same bytes.
SEED ?= 1
differential: deps $(OUT)/fuzz-peer $(OUT)/fuzz-peer-beacon
	@tests/lodestar/install.sh client
	@$(NODE) tests/fuzz/peer/differential.mjs $(OUT)/fuzz-peer $(ROUNDS) $(SEED)
	@$(NODE) tests/fuzz/peer/differential_bls.mjs $(OUT)/fuzz-peer $(ROUNDS) $(SEED)
	@$(NODE) tests/fuzz/peer/differential_beacon.mjs $(OUT)/fuzz-peer-beacon $(LODESTAR_NODE) $(ROUNDS) $(SEED)

# What tests run of chain/ and governance/; coverage-fuzz: what the fuzz targets alone do.
coverage coverage-fuzz:
	@tests/check/deps.sh coverage
	+@$(SUB) PROFILE=cover cover-programs
	@tests/check/coverage.sh $(BUILD)/cover $(patsubst coverage%,%,$(subst -,,$@))
cover-programs: $(UNIT) $(FUZZ)

bench: deps
	+@$(SUB) all $(BENCH)
	@tests/nodes/install.sh
	@$(ENV) $(NODE) tests/bench/bench.mjs $(TASK)
bench-page: bench
	@$(ENV) $(NODE) tests/bench/bench.mjs sweep
	@$(ENV) $(NODE) tests/bench/page.mjs

format:
	@tests/check/format.sh -i

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/derot/profiles $(DESTDIR)$(PREFIX)/share/doc/derot \
		$(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(PROGRAMS:%=$(OUT)/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard watcher/*.1 kms-bridge/*/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	sed 's,/usr/local/,$(PREFIX)/,' packaging/derot.service >$(OUT)/derot.service
	install -m 644 $(OUT)/derot.service $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 644 $(wildcard governance/profiles/*.yaml) $(DESTDIR)$(PREFIX)/share/derot/profiles
	install -m 644 fixtures/derot.example.yaml LICENSE $(wildcard README.md ARCHITECTURE.md) \
		$(DESTDIR)$(PREFIX)/share/doc/derot

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
.SECONDARY:

clean:
	rm -rf $(BUILD)
