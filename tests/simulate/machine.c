/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/machine.h"

#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "kms-bridge/core/core.h"
#include "tests/simulate/disk.h"
#include "tests/simulate/sim.h"

#define STACK_LEN ((size_t)4 << 20)

#if defined(__SANITIZE_ADDRESS__)
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

/* What a dead core held is freed as a whole: leaks are no news. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

struct machine machine = { .connecting = -1 };

static ucontext_t outside, core;
static uint8_t *stack;
static bool inside;

/* Memory. Every block knows whose it is. */
struct block {
	struct block *next, *prev;
	size_t len;
	bool core;
	max_align_t mem[];
};
static struct block blocks = {
	&blocks,
	&blocks,
	0,
	false,
};

void *__real_calloc(size_t num, size_t len);
void *__real_realloc(void *ptr, size_t len);
void __real_free(void *ptr);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t num, size_t len);
void *__wrap_realloc(void *ptr, size_t len);
void __wrap_free(void *ptr);
void *__wrap_sodium_malloc(size_t len);
void __wrap_sodium_free(void *ptr);

/* Of the core's alone a list is kept. */
static void unlink_block(struct block *b)
{
	if (!b->core)
		return;
	b->next->prev = b->prev;
	b->prev->next = b->next;
	machine.heap -= b->len;
}

static void link_block(struct block *b)
{
	if (!b->core)
		return;
	b->next = blocks.next;
	b->prev = &blocks;
	b->next->prev = b;
	blocks.next = b;
	machine.heap += b->len;
	if (machine.heap > machine.heap_peak)
		machine.heap_peak = machine.heap;
}

static void *block_new(size_t len, bool is_core)
{
	struct block *b = __real_calloc(1, sizeof(*b) + len);

	if (b == NULL)
		return NULL;
	b->len = len;
	b->core = is_core;
	link_block(b);
	return b->mem;
}

static struct block *block_of(void *ptr)
{
	return (struct block *)((uint8_t *)ptr - offsetof(struct block, mem));
}

void *__wrap_malloc(size_t len)
{
	return block_new(len, inside);
}

void *__wrap_calloc(size_t num, size_t len)
{
	return block_new(num * len, inside);
}

void *__wrap_realloc(void *ptr, size_t len)
{
	struct block *b = ptr != NULL ? block_of(ptr) : NULL;

	if (b == NULL)
		return block_new(len, inside);
	unlink_block(b);
	struct block *grown = __real_realloc(b, sizeof(*b) + len);

	if (grown != NULL)
		grown->len = len;
	link_block(grown != NULL ? grown : b);
	return grown != NULL ? grown->mem : NULL;
}

void __wrap_free(void *ptr)
{
	if (ptr == NULL)
		return;
	unlink_block(block_of(ptr));
	__real_free(block_of(ptr));
}

/* Locked memory and its guard pages are another test's business (test_secret_paths.c). */
void *__wrap_sodium_malloc(size_t len)
{
	void *ptr = block_new(len, inside);

	if (ptr != NULL)
		memset(ptr, 0xdb, len);
	return ptr;
}

void __wrap_sodium_free(void *ptr)
{
	__wrap_free(ptr);
}

void *sim_alloc(size_t len)
{
	void *ptr = block_new(len, false);

	SIM_MUST("limit", ptr != NULL, "no memory");
	return ptr;
}

void sim_free(void *ptr)
{
	__wrap_free(ptr);
}

static void free_core(void)
{
	for (struct block *b = blocks.next, *next; b != &blocks; b = next) {
		next = b->next;
		__wrap_free(b->mem);
	}
}

/* Time */

uint64_t machine_true_wall_ms(void)
{
	return MACHINE_EPOCH_MS + machine.true_ms;
}

uint64_t machine_wall_ms(void)
{
	return (uint64_t)((int64_t)machine_true_wall_ms() + machine.wall_off_ms);
}

uint64_t machine_boot_ms(void)
{
	return machine.boot_frozen ? machine.boot_frozen_ms : machine.true_ms - machine.booted_ms + 5000;
}

void machine_advance(uint64_t ms)
{
	machine.true_ms += ms;
	if (!machine.timer_set)
		return;
	machine.timer_ms += ms;
	if (!machine.timer_stopped)
		machine.ticks += machine.timer_ms / 1000;
	machine.timer_ms %= 1000;
}

void machine_reboot(void)
{
	machine.booted_ms = machine.true_ms;
	machine.boot_frozen = machine.timer_stopped = false;
}

void disk_slow(void)
{
	sim_say("  (a sync takes %u s)", machine.slow_s);
	machine_advance((uint64_t)machine.slow_s * 1000);
}

/* The process */

bool machine_leave(void)
{
	const bool was = inside;

	inside = false;
	return was;
}

void machine_enter(void)
{
	inside = true;
}

#if defined(__SANITIZE_ADDRESS__)
static const void *outside_stack;
static size_t outside_len;
#endif

/* From one stack to the other. The sanitizer is told which; its own swapcontext only warns that it is not, so that
 * libc's is taken. */
static void swap(ucontext_t *from, ucontext_t *to, bool to_core)
{
#if defined(__SANITIZE_ADDRESS__)
	static int (*swap_libc)(ucontext_t *, const ucontext_t *);
	void *fake = NULL;

	if (swap_libc == NULL)
		*(void **)&swap_libc = dlsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), "swapcontext");
	__sanitizer_start_switch_fiber(&fake, to_core ? stack : outside_stack, to_core ? STACK_LEN : outside_len);
	swap_libc(from, to);
	if (to_core) /* and back */
		__sanitizer_finish_switch_fiber(fake, NULL, NULL);
	else
		__sanitizer_finish_switch_fiber(fake, &outside_stack, &outside_len);
#else
	(void)to_core;
	swapcontext(from, to);
#endif
}

static void out(void)
{
	inside = false;
	swap(&core, &outside, false);
}

void machine_wait(void)
{
	machine.state = MACHINE_IDLE;
	out();
}

void disk_crash(bool power)
{
	machine.state = MACHINE_DIED;
	machine.power = power;
	out();
	__builtin_unreachable();
}

static void core_entry(void)
{
#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_finish_switch_fiber(NULL, &outside_stack, &outside_len);
#endif
	machine.code = dr_core_main(NULL);
	machine.state = MACHINE_ENDED;
	out();
}

static void wire_reset(struct wire *w, bool used)
{
	dr_buf_free(&w->in);
	dr_buf_free(&w->out);
	memset(w, 0, sizeof(*w));
	dr_buf_init(&w->in, (size_t)1 << 30);
	dr_buf_init(&w->out, (size_t)1 << 30);
	w->used = used;
}

void machine_start(bool serve)
{
	if (stack == NULL)
		stack = mmap(NULL, STACK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SIM_MUST("limit", stack != MAP_FAILED, "no stack");
	vfs_register();
	free_core();
	SIM_MUST("limit", machine.heap == 0, "memory of a dead core is left");
#if defined(__SANITIZE_ADDRESS__)
	__asan_unpoison_memory_region(stack, STACK_LEN);
#endif
	wire_reset(&machine.control, true);
	wire_reset(&machine.watch, true);
	for (size_t i = 0; i < MACHINE_CLIENTS; i++)
		wire_reset(&machine.clients[i], serve && i == MACHINE_SERVE);
	machine.connecting = -1;
	machine.signal = machine.timer_set = false;
	machine.ticks = machine.timer_ms = 0;
	machine.starts++;
	getcontext(&core);
	core.uc_stack.ss_sp = stack;
	core.uc_stack.ss_size = STACK_LEN;
	core.uc_link = &outside;
	makecontext(&core, core_entry, 0);
	machine.state = MACHINE_IDLE;
}

void machine_run(void)
{
	if (machine.state != MACHINE_IDLE)
		return;
	machine.polls = 0;
	inside = true;
	swap(&outside, &core, true);
	inside = false;
}

void machine_kill(bool power)
{
	machine.state = MACHINE_DIED;
	machine.power = power;
}
