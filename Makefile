# SPDX-License-Identifier: MIT
# Builds, checks and installs taffrail. Needs GNU make; there is no configure.
# Anything here can be set on the command line:
#
#	make CC=clang
#	make SANITIZE=address,undefined check
#	make install PREFIX=/usr DESTDIR=/tmp/image
#
# One source, up to three objects, because it runs in three places:
#	obj/shim  position independent, hidden, no builtins: for the preloaded objects
#	obj/host  plain: for the command and the tests, kept in libtafcore.a and libtafcli.a
#	obj/fuzz  clang with coverage and sanitizers: for the fuzz targets

VERSION  := 0.1.0
PREFIX   ?= /usr/local
DESTDIR  ?=
CFLAGS   ?= -O2 -g
LDFLAGS  ?=
SANITIZE ?=
WERROR   ?= 0
JOBS     ?= 3
V        ?= 0
CLANG    ?= clang
# For what runs while building, whatever it builds for.
HOSTCC   ?= cc

B      := build$(if $(SANITIZE),/$(SANITIZE))
# What was built is installed as it was built: `make install` alone goes on with
# the compiler and flags of the build, whatever the environment of root says.
built   = $(shell sed -n 's/^$(1) = //p' $(B)/flags)
ifeq ($(MAKECMDGOALS)$(if $(wildcard $(B)/flags),,nothing built),install)
CC      := $(call built,CC)
CFLAGS  := $(call built,CFLAGS)
LDFLAGS := $(call built,LDFLAGS)
WERROR  := $(call built,WERROR)
endif
TOP    := $(CURDIR)
Q      := $(if $(filter 1,$(V)),,@)
# Before a command: a short line instead of it with V=0, nothing with V=1.
run     = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' '$(1)' '$@';)
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
MACHINE  := $(shell $(CC) -dumpmachine 2>/dev/null)

# ---- Sources ----------------------------------------------------------------

CORE_SRC  := $(sort $(wildcard policy/*.c shim/*.c))
# The list of all rows with what is said of them: for the command alone.
CATALOG   := hooks/catalog.c
HOOK_SRC  := $(sort $(filter-out hooks/alloc.c $(CATALOG),$(wildcard hooks/*.c)))
ALLOC_SRC := $(wildcard hooks/alloc.c)
ASM_SRC   := $(wildcard shim/entry.S)
# The companion that reads JSON. The command reaches it by dlopen only.
JSON_SRC  := $(sort $(wildcard cli/config*.c))
CLI_SRC   := $(sort $(wildcard cli/*.c))
# alloc.def belongs to the second object; the others are parts, which a table includes.
TABLES    := $(sort $(filter-out hooks/alloc.def hooks/llama_%.def hooks/cuda_%.def hooks/hip_%.def hooks/level0_%.def,$(wildcard hooks/*.def)))

# cases_*.c are the areas of one program, cases.
CASES_SRC := $(sort $(wildcard tests/unit/cases_*.c))
TEST_SRC  := $(sort $(filter-out $(CASES_SRC),$(wildcard tests/unit/*.c tests/integration/*.c \
	tests/crash/*.c tests/engines/*/*.c tests/simgpu/test_*.c)))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
FAKE_SRC  := $(sort $(wildcard tests/fake/*.c))
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/fuzz_*.c))

# ---- Flags ------------------------------------------------------------------

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes \
	$(if $(filter 1,$(WERROR)),-Werror)
BASE := -std=c11 -D_GNU_SOURCE -DTAF_VERSION='"$(VERSION)"' $(WARN) $(CFLAGS)
DEP   = -MMD -MP

# The stack protector reads thread storage, which is not there yet where the
# earliest of this code runs. Unwind tables stay: C++ exceptions of the guest
# pass through our frames. Of a switch whose answers are addresses clang makes a table
# of pointers, which the loader would have to write (shim/table.h).
SHIM_CFLAGS := -DTAF_IN_SHIM -fPIC -fvisibility=hidden -fno-builtin -ftls-model=initial-exec -fexceptions \
	-fno-stack-protector -fno-semantic-interposition -fno-tree-slp-vectorize \
	$(if $(IS_CLANG),-fno-jump-tables,-fno-tree-loop-distribute-patterns) \
	$(if $(filter aarch64%,$(MACHINE)),-mno-outline-atomics)

# Of each fence gcc says that its thread sanitizer does not follow it: no error with WERROR=1.
SAN      := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all$(if \
	$(findstring thread,$(SANITIZE)),$(if $(IS_CLANG),, -Wno-tsan)))
# A sanitizer's runtime cannot be dragged into a stranger's process: the shim
# gets only the checks that need none, as traps.
SHIM_SAN := $(if $(findstring undefined,$(SANITIZE)),-fsanitize=undefined \
	$(if $(IS_CLANG),-fsanitize-trap=undefined,-fsanitize-undefined-trap-on-error))
# With the runtime inside the program it does not matter what is preloaded.
SAN_LD   := $(SAN) $(if $(IS_CLANG),,$(if $(findstring address,$(SANITIZE)),-static-libasan) \
	$(if $(findstring thread,$(SANITIZE)),-static-libtsan))

# Without start files: they cost every process 5 us and bring four weak imports,
# and nothing of theirs is used. The constructors are run by the loader.
SHIM_LDFLAGS := -shared -nostartfiles -Wl,-z,nodelete -Wl,-z,now -Wl,-z,relro \
	-Wl,-z,noseparate-code -Wl,--hash-style=gnu -Wl,-z,defs -Wl,--exclude-libs,ALL \
	-Wl,--as-needed

FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all

# ---- Objects ----------------------------------------------------------------

shim_o = $(patsubst %,$(B)/obj/shim/%.o,$(basename $(1)))
host_o = $(patsubst %,$(B)/obj/host/%.o,$(basename $(1)))
fuzz_o = $(patsubst %,build/obj/fuzz/%.o,$(basename $(1)))

# Made while building: the registry of policy/registry.json as a table.
GEN      := gen/registry.c

# What every process runs and touches on its way to main, linked side by side: a start
# costs what it takes to bring these pages in. Of init.c the end is rarely touched.
START_SRC := hooks/libc.c hooks/tables.c shim/real_libc.c shim/elfmap.c policy/text.c shim/mem.c shim/state.c \
	shim/sites.c shim/exit.c shim/init.c shim/life.c
SHIM_SRC := $(CORE_SRC) $(GEN) $(HOOK_SRC) $(ASM_SRC)
SHIM_OBJ := $(call shim_o,$(START_SRC) $(filter-out $(START_SRC),$(SHIM_SRC)))
JSON_OBJ := $(call shim_o,$(JSON_SRC))
# The second object and the companion take what they need from an archive of these.
PIC_OBJ  := $(call shim_o,$(CORE_SRC) $(GEN))
CORE_OBJ := $(call host_o,$(CORE_SRC) $(GEN) $(CATALOG))
CLI_OBJ  := $(call host_o,$(filter-out cli/main.c,$(CLI_SRC)))
MAIN_OBJ := $(call host_o,$(filter cli/main.c,$(CLI_SRC)))
FUZZ_OBJ := $(call fuzz_o,$(CORE_SRC) $(GEN) $(CATALOG) $(filter-out cli/main.c,$(CLI_SRC)))

TEST_BIN  := $(addprefix $(B)/tests/,$(notdir $(basename $(TEST_SRC))))
BENCH_BIN := $(addprefix $(B)/tests/,$(notdir $(basename $(BENCH_SRC))))
FAKE_LIB  := $(patsubst %,$(B)/tests/lib%.so,$(notdir $(basename $(FAKE_SRC))))
FUZZ_BIN  := $(patsubst %,build/tests/%,$(notdir $(basename $(FUZZ_SRC))))

LIBS := $(B)/libtaffrail.so $(if $(ALLOC_SRC),$(B)/libtaffrail-alloc.so) \
	$(if $(JSON_SRC),$(B)/libtaffrail-json.so)
EXE  := $(if $(MAIN_OBJ),$(B)/taffrail)
# Other names of the command, links to it.
ALSO := $(if $(MAIN_OBJ),$(B)/taffrail-python)

.PHONY: all tests check check-gpu check-long check-run demo demo-mlx demo-gpu simgpu bench \
	bench-panic lint docs install uninstall dist clean help FORCE
.DELETE_ON_ERROR:
.SUFFIXES:
# Objects are worth keeping between runs, whatever they were made for.
.SECONDARY:

all: $(LIBS) $(EXE) $(ALSO)

# Holds what the objects were made with; a new value makes them again.
define FLAGS
CC = $(CC)
CFLAGS = $(CFLAGS)
LDFLAGS = $(LDFLAGS)
WERROR = $(WERROR)
$(MACHINE) $(IS_CLANG) $(BASE) $(SHIM_CFLAGS) $(SAN)
endef
$(B)/flags: export FLAGS := $(FLAGS)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS" | cmp -s - $@ || printf '%s\n' "$$FLAGS" >$@

$(B)/obj/shim/cli/%.o: cli/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(BASE) -fPIC -fvisibility=hidden $(SHIM_SAN) $(DEP) -c -o $@ $<

# Beside each object lies what its functions take of a stack: tests/stack.sh.
$(B)/obj/shim/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(BASE) $(SHIM_CFLAGS) $(SHIM_SAN) $(DEP) -fstack-usage -c -o $@ $<

$(B)/obj/shim/%.o: %.S $(B)/flags
	@mkdir -p $(@D)
	$(call run,AS)$(CC) $(CFLAGS) $(DEP) -c -o $@ $<

$(B)/obj/host/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(BASE) $(SAN) $(DEP) -c -o $@ $<

build/obj/fuzz/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call run,FUZZ)$(CLANG) $(BASE) -O1 -fsanitize=fuzzer-no-link $(FUZZ_SAN) $(DEP) -c -o $@ $<

MKREGISTRY_SRC := cli/gen/mkregistry.c $(JSON_SRC) shim/model_id.c $(wildcard policy/*.c)
$(B)/gen/mkregistry: $(MKREGISTRY_SRC) $(wildcard policy/*.h policy/*.def cli/config*.h)
	@mkdir -p $(@D)
	$(call run,HOST)$(HOSTCC) -std=c11 -D_GNU_SOURCE -o $@ $(MKREGISTRY_SRC) -lcjson

$(B)/gen/registry.c: policy/registry.json $(B)/gen/mkregistry
	$(call run,GEN)$(B)/gen/mkregistry $< >$@

$(B)/obj/shim/gen/%.o: $(B)/gen/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(BASE) -I. $(SHIM_CFLAGS) $(SHIM_SAN) -c -o $@ $<

$(B)/obj/host/gen/%.o: $(B)/gen/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(BASE) -I. $(SAN) -c -o $@ $<

build/obj/fuzz/gen/%.o: $(B)/gen/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call run,FUZZ)$(CLANG) $(BASE) -I. -O1 $(FUZZ_SAN) -c -o $@ $<

$(B)/libtafpic.a: $(PIC_OBJ)
$(B)/libtafcore.a: $(CORE_OBJ)
$(B)/libtafcli.a: $(CLI_OBJ)
build/libtaffuzz.a: $(FUZZ_OBJ)
%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(call run,AR)$(AR) rcs $@ $^

# ---- Outputs ----------------------------------------------------------------

# The exported names are the rows of the tables: nothing more, nothing less.
$(B)/exports.map: $(wildcard hooks/*.def hooks/exports.h) $(B)/flags
	$(call run,GEN){ echo '{ global:'; \
	for t in $(TABLES); do $(CC) -E -P -include hooks/exports.h -x c $$t || exit 1; done; \
	echo 'local: *; };'; } >$@

$(B)/alloc.map: $(wildcard hooks/alloc.def hooks/exports.h) $(B)/flags
	$(call run,GEN){ echo '{ global:'; $(CC) -E -P -include hooks/exports.h -x c hooks/alloc.def && \
	echo 'local: *; };'; } >$@

# -Xlinker and not -Wl, because the name of a sanitized build holds a comma.
$(B)/libtaffrail.so: $(SHIM_OBJ) $(B)/exports.map
	$(call run,LD)$(CC) $(SHIM_LDFLAGS) -Wl,-z,initfirst $(LDFLAGS) -Wl,-soname,$(@F) \
	-Xlinker --version-script=$(B)/exports.map -o $@ $(SHIM_OBJ)

# Not initfirst: the loader keeps that place for one object, and it is the shim's.
$(B)/libtaffrail-alloc.so: $(call shim_o,$(ALLOC_SRC)) $(B)/libtafpic.a $(B)/alloc.map
	$(call run,LD)$(CC) $(SHIM_LDFLAGS) $(LDFLAGS) -Wl,-soname,$(@F) \
	-Xlinker --version-script=$(B)/alloc.map -o $@ $(call shim_o,$(ALLOC_SRC)) $(B)/libtafpic.a

$(B)/json.map: Makefile $(B)/flags
	$(call run,GEN)echo '{ global: taffrail_policy_load; taffrail_registry_load; local: *; };' >$@

$(B)/libtaffrail-json.so: $(JSON_OBJ) $(B)/libtafpic.a $(B)/json.map
	$(call run,LD)$(CC) -shared -Wl,-z,now -Wl,-z,relro -Wl,-z,defs -Wl,--exclude-libs,ALL \
	-Wl,--as-needed $(LDFLAGS) -Wl,-soname,$(@F) -Xlinker --version-script=$(B)/json.map \
	-o $@ $(JSON_OBJ) $(B)/libtafpic.a -lcjson

# Without -lcjson: a verb that calls the JSON reader directly does not link.
$(B)/taffrail: $(MAIN_OBJ) $(B)/libtafcli.a $(B)/libtafcore.a
	$(call run,LD)$(CC) $(SAN_LD) -Wl,--as-needed -Wl,-z,now -Wl,-z,relro $(LDFLAGS) -o $@ \
	$(MAIN_OBJ) $(B)/libtafcli.a $(B)/libtafcore.a

$(B)/taffrail-%: $(B)/taffrail
	$(call run,LINK)ln -sf taffrail $@

# ---- Tests ------------------------------------------------------------------

# A program or fake library that is linked in a special way has a line here:
# LINK_<file name without suffix> := flags
# As the real ones: their own calls and look-ups never go through another object.
LINK_libfake_cuda := -Wl,-Bsymbolic
LINK_libfake_cudart := -Wl,-Bsymbolic
LINK_bench_crumb := -Wl,--wrap=taf_sys_fdatasync
LINK_test_share := -Wl,--wrap=taf_sys_flock
LINK_LEAVE := -Wl,--wrap=taf_sys_wait -Wl,--wrap=taf_sys_mono_ns \
	-Wl,--wrap=taf_sys_tgkill -Wl,--wrap=taf_crumb
LINK_test_owner := $(LINK_LEAVE)
LINK_test_served := -Wl,--wrap=taf_crumb -Wl,--wrap=taf_turn_take -Wl,--wrap=taf_turn_give
LINK_test_leave := $(LINK_LEAVE)
LINK_test_leave_exec := $(LINK_LEAVE)
LINK_test_claims := $(LINK_LEAVE)
LINK_test_drain_order := $(LINK_LEAVE)
LINK_test_capture_leave := $(LINK_LEAVE)
LINK_test_sig := -Wl,--wrap=taf_real_libc
LINK_test_mark := -Wl,--wrap=taf_sys_mono_ns
LINK_DIRTY := -Wl,--wrap=taf_sys_utc_us -Wl,--wrap=taf_sys_machine_id
LINK_test_dirty := $(LINK_DIRTY)
LINK_test_dirty_crash := $(LINK_DIRTY)

tests: all $(TEST_BIN) $(FAKE_LIB)

$(B)/tests/lib%.so: tests/fake/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call run,FAKE)$(CC) $(BASE) -fPIC -shared $(DEP) -MF $(B)/obj/fake-$*.d -MT $@ \
	$(LDFLAGS) -Wl,-soname,$(@F) -o $@ $< $(LINK_lib$*)

# ---- The simulated GPU (tests/simgpu/machine.h) -------------------------------

SIM      := $(B)/tests/simgpu
SIM_H    := $(wildcard tests/simgpu/*.h tests/simgpu/*.def)
SIM_LIB  := $(addprefix $(SIM)/,libcuda.so.1 libcudart.so.13 libcublas.so.13 libcudart.so.12 libcublas.so.12)
SIM_RACY := $(patsubst tests/simgpu/%.c,$(SIM)/%,$(sort $(wildcard tests/simgpu/racy_*.c tests/simgpu/guest_*.c)))
SIM_ALL  := $(SIM_LIB) $(SIM)/simgpu-kernel $(SIM_RACY)
SIM_CC    = $(CC) $(BASE) -fPIC -fvisibility=hidden -shared -Wl,-soname,$(@F) -Wl,-Bsymbolic -Wl,-z,defs \
	'-Wl,-rpath,$$ORIGIN'
# The version that symbols of the real ones carry is their soname.
SIM_MAP   = echo '$(@F) { global: $(1); local: *; };' >$@.map

$(SIM)/libcuda.so.1: $(wildcard tests/simgpu/driver*.c) $(addprefix tests/simgpu/,guest.c table.c status.c rows.c) \
	hooks/cuda.def hooks/cuda_copy.def
	$(call run,SIM)$(SIM_CC) '-DSIM_ROWS="../../hooks/cuda.def"' -o $@ $(filter %.c,$^) -pthread

$(SIM)/libcudart.so.%: $(wildcard tests/simgpu/runtime*.c) $(addprefix tests/simgpu/,status.c rows.c) \
	hooks/cudart.def
	$(Q)$(call SIM_MAP,cuda*; __cuda*)
	$(call run,SIM)$(SIM_CC) -DSIM_CUDART=$* '-DSIM_ROWS="../../hooks/cudart.def"' \
	-Xlinker --version-script=$@.map -o $@ $(filter %.c,$^) -ldl -pthread

$(SIM)/libcublas.so.%: tests/simgpu/blas.c $(SIM)/libcudart.so.%
	$(Q)$(call SIM_MAP,cublas*)
	$(call run,SIM)$(SIM_CC) -Xlinker --version-script=$@.map -o $@ $< $(SIM)/libcudart.so.$*

$(SIM)/simgpu-kernel: tests/simgpu/kernel.c tests/simgpu/kernel_panic.c
	$(call run,SIM)$(CC) $(BASE) -o $@ $(filter %.c,$^)

# Programs for one library or both, which they find beside themselves.
SIM_LINK := $(SIM)/libcudart.so.13 $(SIM)/libcuda.so.1 '-Wl,-rpath,$$ORIGIN:$$ORIGIN/simgpu'
$(SIM_RACY): $(SIM)/%: tests/simgpu/%.c $(SIM)/libcudart.so.13 $(SIM)/libcuda.so.1
	$(call run,SIM)$(CC) $(BASE) -o $@ $< $(SIM)/libcudart.so.13 -Wl,--as-needed \
	$(SIM)/libcuda.so.1 '-Wl,-rpath,$$ORIGIN' -pthread

tests: $(SIM_ALL)
$(SIM_ALL): $(SIM_H) $(B)/flags | $(SIM)/.
$(SIM)/.:
	@mkdir -p $@
$(addprefix $(B)/tests/,test_simgpu test_simgpu_panic): $(call host_o,tests/simgpu/testing.c) | $(SIM_ALL)
LINK_test_simgpu := $(SIM_LINK)
LINK_test_simgpu_panic := $(SIM_LINK)

# $(1) is the folder: one pattern each, since the programs lie flat in build/tests.
define test_rule
$(B)/tests/%: $(B)/obj/host/$(1)/%.o $(B)/libtafcli.a $(B)/libtafcore.a | $(FAKE_LIB)
	@mkdir -p $$(@D)
	$$(call run,LD)$(CC) $(SAN_LD) $(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--as-needed \
	$(B)/libtafcli.a $(B)/libtafcore.a $$(LINK_$$(@F)) -lcmocka -lcjson -lm -ldl -pthread
endef
$(foreach d,$(patsubst %/,%,$(sort $(dir $(TEST_SRC) $(BENCH_SRC)))),$(eval $(call test_rule,$(d))))

$(B)/tests/cases: $(call host_o,$(CASES_SRC))

build/tests/fuzz_%: build/obj/fuzz/tests/fuzz/fuzz_%.o build/libtaffuzz.a
	@mkdir -p $(@D)
	$(call run,LD)$(CLANG) -fsanitize=fuzzer $(FUZZ_SAN) -o $@ $< -Wl,--as-needed build/libtaffuzz.a \
	-lcjson

# What the runner runs: programs called test_*, every script of the test folders
# (but lib*.sh, which are sourced, and fetch.sh, which only fetches), fuzz targets.
RUN_BIN    := $(filter $(B)/tests/test_%,$(TEST_BIN))
RUN_SCRIPT := $(foreach s,$(sort $(wildcard tests/integration/*.sh tests/crash/*.sh \
	tests/engines/*/*.sh)),$(if $(filter lib% fetch.sh,$(notdir $(s))),,$(s)))
RUN_HOUSE  := tests/layers.sh tests/symbols.sh tests/stack.sh tests/headers.sh tests/docs.sh
TEST_ENV    = TAFFRAIL='$(TOP)/$(B)/taffrail' BUILD='$(TOP)/$(B)' SRC='$(TOP)' CC='$(CC)'
# libFuzzer is a part of clang that a machine may lack; then the runner says so.
HAS_FUZZ    = $(shell echo 'int LLVMFuzzerTestOneInput(void); \
	int LLVMFuzzerTestOneInput(void) { return 0; }' | $(CLANG) -x c -fsanitize=fuzzer \
	-o /dev/null - 2>/dev/null && echo yes)

FUZZ_SECONDS ?= 5

# In two steps, so that what deps.sh installed is seen by the second make. It builds by JOBS
# at a time where it is not told otherwise (make -j).
IN_PARTS = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

check:
	$(Q)tests/deps.sh build lint engines
	$(Q)$(IN_PARTS) check-run

check-long:
	$(Q)tests/deps.sh build lint engines
	$(Q)$(IN_PARTS) check-run TAF_LONG=1 FUZZ_SECONDS=120

check-run: tests
	$(if $(HAS_FUZZ),$(Q)$(MAKE) --no-print-directory $(FUZZ_BIN))
	$(Q)$(TEST_ENV) TAF_LONG=$(TAF_LONG) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run.sh -j $(JOBS) \
	$(RUN_HOUSE) $(RUN_BIN) $(RUN_SCRIPT) $(FUZZ_BIN)

# On a machine with an NVIDIA GPU; elsewhere one line, and error 77. GPU_REPORT=FILE keeps
# what was found, for docs/gpu-results.md.
check-gpu: all $(B)/tests/mkgguf
	$(Q)$(TEST_ENV) tests/gpu/run.sh $(GPU_REPORT)

demo:
	$(Q)examples/demo.sh

demo-mlx:
	$(Q)examples/demo-mlx.sh

demo-gpu:
	$(Q)examples/demo-gpu.sh

simgpu: $(SIM_ALL)

# Programs bench_* and scripts of tests/bench, one after the other: nothing may run beside them.
RUN_BENCH := $(filter $(B)/tests/bench_%,$(BENCH_BIN)) \
	$(filter-out tests/bench/lib% tests/bench/bench_panic.sh,$(sort $(wildcard tests/bench/*.sh)))
bench: all $(BENCH_BIN) $(FAKE_LIB) $(if $(wildcard tests/engines/llama/mkgguf.c),$(B)/tests/mkgguf)
	$(Q)for b in $(RUN_BENCH); do $(TEST_ENV) $$b || exit 1; done

# Panics of the simulated GPU with and without taffrail; RUNS=200 of each.
bench-panic: all $(SIM_ALL)
	$(Q)$(TEST_ENV) tests/bench/bench_panic.sh

lint:
	$(Q)CLANG='$(CLANG)' tests/lint.sh

# Writes the generated parts of the manual again from the tables.
docs: all
	$(Q)$(TEST_ENV) tests/docs.sh --update

# ---- Installing -------------------------------------------------------------

BIN := $(DESTDIR)$(PREFIX)/bin
LIB := $(DESTDIR)$(PREFIX)/lib/taffrail
MAN := $(DESTDIR)$(PREFIX)/share/man
SHARE := $(DESTDIR)$(PREFIX)/share/taffrail
EXA := $(SHARE)/examples
# Where the Vulkan loader looks for layers, when PREFIX is /usr or /usr/local.
LAYER := $(DESTDIR)$(PREFIX)/share/vulkan/implicit_layer.d

# put MODE FILE FOLDER: written aside, then renamed. A running guest keeps the
# object that it has mapped; overwriting that one in place would kill it.
put = mkdir -p '$(3)' && install -m $(1) '$(2)' '$(3)/.$(notdir $(2)).new' && \
	mv -f '$(3)/.$(notdir $(2)).new' '$(3)/$(notdir $(2))'

install: all
	$(Q)$(foreach f,$(LIBS),$(call put,755,$(f),$(LIB)) &&) true
	$(Q)$(foreach f,$(EXE),$(call put,755,$(f),$(BIN)) &&) true
	$(Q)$(foreach f,$(ALSO),ln -sf taffrail '$(BIN)/$(notdir $(f))' &&) true
	$(Q)$(foreach f,$(wildcard docs/man/*.[1578]),\
		$(call put,644,$(f),$(MAN)/man$(patsubst .%,%,$(suffix $(f)))) &&) true
	$(Q)$(foreach f,$(wildcard examples/*.json),$(call put,644,$(f),$(EXA)) &&) true
	$(Q)$(call put,644,policy/registry.json,$(SHARE))
	$(Q)mkdir -p '$(LAYER)' && sed 's|@LIB@|$(PREFIX)/lib/taffrail|' hooks/vulkan_layer.json.in \
	>'$(LAYER)/.VkLayer_taffrail.new' && chmod 644 '$(LAYER)/.VkLayer_taffrail.new' && \
	mv -f '$(LAYER)/.VkLayer_taffrail.new' '$(LAYER)/VkLayer_taffrail.json'
	@echo "installed in $(DESTDIR)$(PREFIX)"

uninstall:
	$(Q)FORCE='$(FORCE)' tests/inuse.sh '$(LIB)' '$(BIN)/taffrail'
	$(Q)rm -f $(foreach f,$(notdir $(LIBS)),'$(LIB)/$(f)') '$(BIN)/taffrail' \
	$(foreach f,$(ALSO),'$(BIN)/$(notdir $(f))') \
	$(foreach f,$(wildcard docs/man/*.[1578]),'$(MAN)/man$(patsubst .%,%,$(suffix $(f)))/$(notdir $(f))') \
	$(foreach f,$(notdir $(wildcard examples/*.json)),'$(EXA)/$(f)') '$(SHARE)/registry.json' \
	'$(LAYER)/VkLayer_taffrail.json'
	$(Q)rmdir '$(LIB)' '$(EXA)' '$(SHARE)' '$(LAYER)' '$(dir $(LAYER))' 2>/dev/null || true

dist:
	@mkdir -p build
	$(Q)git archive --format=tar.gz --prefix=taffrail-$(VERSION)/ \
	-o build/taffrail-$(VERSION).tar.gz HEAD
	@echo build/taffrail-$(VERSION).tar.gz

# The cache of fetched engines survives: it costs minutes and is not ours.
clean:
	$(Q)test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

help:
	@echo 'all         build/taffrail and the preloaded objects (default)'
	@echo 'check       every test; installs what is missing, NO_INSTALL=1 only tells'
	@echo 'check-long  the same, longer: more crashes, more fuzzing'
	@echo 'check-gpu   what only an NVIDIA GPU can show; GPU_REPORT=FILE'
	@echo 'demo        a real llama.cpp under the guard, then its report'
	@echo 'demo-mlx    a real mlx_lm.server, which swaps its model'
	@echo 'demo-gpu    a simulated machine that goes down, and one that does not'
	@echo 'bench       what the guard costs'
	@echo 'bench-panic a simulated GPU that panics, with and without the guard (10 minutes)'
	@echo 'lint        format, clang-tidy, warnings of both compilers, shellcheck, layers, headers'
	@echo 'docs        write the generated parts of the manual again'
	@echo 'install     PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo 'uninstall   refuses while something uses it; FORCE=1 does not'
	@echo 'dist clean  as ever'
	@echo 'Settings    CC CFLAGS LDFLAGS SANITIZE=address,undefined|thread WERROR=1 V=1 JOBS=3'

-include $(shell find $(B)/obj build/obj/fuzz -name '*.d' 2>/dev/null)
