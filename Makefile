# SPDX-License-Identifier: Apache-2.0
#
# make              build/derot, build/derot-core, build/derot-watch (release)
# make demo         the main job on a recorded chain: no node, no npm, no network once packages are there
# make check        every test; make check-offline: its part without npm and network
# make check-long   the heavier rounds
# make deps         install Debian packages (the only target that uses root)
# PROFILE=debug|asan|clang selects another flag set, built in build/<profile>/

PROFILE ?= release
BUILD ?= build
OUT := $(BUILD)/$(PROFILE)
MAKEFLAGS += --no-builtin-rules
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
CFLAGS_clang := -O2 -g
ifeq ($(PROFILE),clang)
CC := clang
endif
DR_CFLAGS := -std=c17 -D_GNU_SOURCE -I. $(WARN) -fPIE -MMD -MP $(CFLAGS_$(PROFILE)) $(CFLAGS)
DR_LDFLAGS := -pie -Wl,-z,relro,-z,now $(LDFLAGS_$(PROFILE)) $(LDFLAGS)

# Layers, lowest first: a folder is a layer is an archive. main_*.c hold main() and nothing else links them.
LAYERS := chain/base chain/codec chain/crypto chain/trie chain/evm chain governance kms-bridge kms-bridge/core watcher
src = $(filter-out $(1)/main_%.c,$(wildcard $(1)/*.c))
lib = $(OUT)/$(subst /,-,$(1)).a

CHAIN_LAYERS := chain/evm chain chain/trie chain/crypto chain/codec chain/base
CHAIN_LIBS := $(foreach l,$(CHAIN_LAYERS),$(call lib,$(l)))
CHAIN_DEPS := -lsodium -lsecp256k1 -lcrypto
GOV_LIBS := $(call lib,governance) $(CHAIN_LIBS)
CORE_LIBS := $(call lib,kms-bridge/core) $(call lib,kms-bridge) $(GOV_LIBS)
CORE_DEPS := -lsqlite3 $(CHAIN_DEPS)
WATCH_LIBS := $(call lib,watcher) $(call lib,kms-bridge) $(GOV_LIBS)
WATCH_DEPS := -lcurl -ljansson -lcyaml -lyaml $(CHAIN_DEPS)

PROGRAMS := $(OUT)/derot $(OUT)/derot-core $(OUT)/derot-watch

.PHONY: all
all: $(PROGRAMS)
ifeq ($(PROFILE),release)
	@for p in $(notdir $(PROGRAMS)); do cmp -s $(OUT)/$$p $(BUILD)/$$p || cp $(OUT)/$$p $(BUILD)/$$p; done
endif

define layer_rule
$(call lib,$(1)): $(patsubst %.c,$(OUT)/%.o,$(call src,$(1)))
	@rm -f $$@ && ar rcsD $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DR_CFLAGS) -c -o $@ $<

link = $(CC) $(DR_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(OUT)/derot: $(OUT)/watcher/main_cli.o $(WATCH_LIBS)
	$(link) $(WATCH_DEPS)
$(OUT)/derot-watch: $(OUT)/watcher/main_watch.o $(WATCH_LIBS)
	$(link) $(WATCH_DEPS)
$(OUT)/derot-core: $(OUT)/kms-bridge/core/main_core.o $(CORE_LIBS)
	$(link) $(CORE_DEPS)

# Unit tests: a test links its own folder's layer and below, never more.
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(UNIT_SRC))
KIT := $(OUT)/tests/unit/kit.o
TEST_DEPS := -lcmocka -ljansson -lz
$(OUT)/unit/chain/%: $(OUT)/tests/unit/chain/%.o $(KIT) $(CHAIN_LIBS)
	@mkdir -p $(@D)
	$(link) $(TEST_DEPS) $(CHAIN_DEPS)
$(OUT)/unit/governance/%: $(OUT)/tests/unit/governance/%.o $(KIT) $(GOV_LIBS)
	@mkdir -p $(@D)
	$(link) $(TEST_DEPS) $(CHAIN_DEPS)
$(OUT)/unit/kms-bridge/%: $(OUT)/tests/unit/kms-bridge/%.o $(KIT) $(CORE_LIBS)
	@mkdir -p $(@D)
	$(link) $(TEST_DEPS) $(CORE_DEPS)
$(OUT)/unit/watcher/%: $(OUT)/tests/unit/watcher/%.o $(KIT) $(WATCH_LIBS)
	@mkdir -p $(@D)
	$(link) $(TEST_DEPS) $(WATCH_DEPS)

# Fuzz targets. Here each is linked with a driver that replays its corpus and walks mutations of it;
# `make fuzz T=name` links it with libFuzzer instead.
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(FUZZ_SRC))
$(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(OUT)/tests/fuzz/replay.o $(CORE_LIBS)
	@mkdir -p $(@D)
	$(link) $(CORE_DEPS)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
.SECONDARY:

.PHONY: clean
clean:
	rm -rf $(BUILD)
