/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_start DAYS FOLDER: what a core does when it starts over DAYS of history: it opens the store, verifies both
 * logs, and folds all evidence again. The history is as a live core keeps it: for each block of 12 s its header, a
 * clock and one source's word about the head; each 32 blocks what is final; each hour a block with events of the
 * contract, with its receipts. No other block's bloom names the contract: where many do, their receipts add what
 * replay costs.
 *
 * Then a byte in the middle of the database is another, and the start must fail.
 */
#include "kms-bridge/core/core.h"
#include "chain/evm/bloom.h"
#include "chain/evm/header.h"
#include "chain/evm/quorum.h"
#include "chain/evm/receipt.h"
#include "tests/bench/acts.h"

#define START    100u
#define PERIOD_S 12u
#define FINAL    32u
#define HOUR     300u /* blocks */
#define COMMIT   8192u

static struct dr_core c;
static struct dr_fail fail;

static void feed(uint16_t type, uint16_t source, const void *ptr, size_t len)
{
	const struct dr_frame frame = { type, source, dr_bytes_of(ptr, len) };
	struct dr_decision decision;
	enum dr_take take;

	dr_core_feed(&c, &take, &decision, &frame);
	bench_ok(&c.fail, "the core");
	bench_must(take != DR_TAKE_REFUSED, "a frame was refused");
	c.held.len = 0; /* nobody listens */
}

static void feed_clock(uint16_t type, uint64_t time)
{
	uint8_t payload[16];

	dr_be64_put(payload, (time - 900000) * 1000);
	dr_be64_put(payload + 8, time * 1000);
	feed(type, DR_SOURCE_CORE, payload, sizeof(payload));
}

static void feed_word(enum dr_status status, const struct dr_evm_header *h)
{
	uint8_t payload[DR_QUORUM_PAYLOAD_LEN];

	dr_quorum_payload(payload, status, h->number, h->hash);
	feed(DR_FRAME_FINALITY, 0, payload, sizeof(payload));
}

/* The pending events as logs of one receipt; the payload of a RECEIPTS frame, but for the block's hash. */
static void make_receipts(struct dr_buf *payload, struct dr_evm_header *h, const struct kit *k)
{
	static struct dr_evm_log logs[KIT_EVENTS];
	const struct dr_evm_receipt r = { .type = 2, .status = 1, .cumulative_gas = 21000 };
	struct dr_arena *arena = dr_arena_new(1u << 20);
	uint8_t head[40] = { [35] = 1 };
	struct dr_bytes receipt;

	payload->len = 0;
	memset(h->bloom, 0, 256);
	for (size_t i = 0; i < k->num_events; i++) {
		logs[i] = (struct dr_evm_log){ .num_topics = 1, .data = k->events[i].data };
		memcpy(logs[i].address, k->fold.contract, 20);
		memcpy(logs[i].topics[0], k->events[i].topic0, 32);
		dr_evm_bloom_add(h->bloom, logs[i].address, 20);
		dr_evm_bloom_add(h->bloom, logs[i].topics[0], 32);
	}
	dr_buf_append(payload, head, sizeof(head), &fail);
	dr_evm_receipt_encode(payload, &r, logs, k->num_events, &fail);
	receipt = dr_bytes_of(payload->ptr + 40, payload->len - 40);
	for (size_t i = 0; i < 4; i++)
		payload->ptr[36 + i] = (uint8_t)(receipt.len >> (24 - 8 * i));
	dr_evm_receipts_root(h->receipts_root, &receipt, 1, arena, &fail);
	bench_ok(&fail, "receipts");
	dr_arena_free(arena);
}

static void begin(struct acts *a, const char *dir)
{
	static uint8_t profile[DR_PROFILE_LEN_MAX];
	size_t len;

	dr_profile_encode(profile, sizeof(profile), &len, &a->k->profile, &fail);
	bench_ok(&fail, "a profile");
	c.init = (struct dr_init){ .version = DR_PROTO_VERSION,
				   .mode = DR_MODE_RUN,
				   .proof = DR_PROOF_QUORUM,
				   .chain_id = a->k->fold.chain_id,
				   .start_number = START,
				   .quorum_k = 1,
				   .quorum_n = 1,
				   .step_max = DR_FOLLOW_STEP_MAX,
				   .max_staleness_s = 1u << 30,
				   .profile = dr_bytes_of(profile, len) };
	memcpy(c.init.genesis, a->k->fold.genesis, 32);
	memcpy(c.init.contract, a->k->fold.contract, 20);
	snprintf(c.init.data_dir, sizeof(c.init.data_dir), "%s", dir);
	dr_buf_init(&c.held, 256u << 20);
	dr_buf_init(&c.frame, 64u << 20);
	c.listen_fd = -1;
	dr_channel_init(&c.control, -1);
	dr_channel_init(&c.watch, -1);
}

static void open_core(void)
{
	if (dr_core_open_store(&c, false) != DR_OK || dr_core_new_engine(&c) != DR_OK)
		bench_ok(&c.fail, c.why);
}

static void close_core(void)
{
	dr_engine_free(c.engine);
	dr_store_close(c.store);
	c.engine = NULL;
	c.store = NULL;
	memset(&c.fail, 0, sizeof(c.fail));
	c.why[0] = 0;
	c.refolding = false;
}

static void make(struct acts *a, uint64_t blocks)
{
	struct dr_evm_header h = { .num_fields = 21, .gas_limit = 60000000, .gas_used = 30000000 };
	uint64_t seed = 0x7374617274303031;
	unsigned settled = 0;
	struct dr_buf payload;
	uint8_t rlp[2048];
	size_t len;

	dr_buf_init(&payload, 16u << 20);
	memset(h.parent_hash, 0x99, 32);
	for (uint64_t i = 0; i < blocks; i++) {
		bool events = i == 0;

		if (i == 0)
			acts_found(a, PERIOD_S);
		else if (i % HOUR == 1 || a->stage % 4 != 0)
			events = acts_settle(a, settled++) || (acts_fill(a, 2, PERIOD_S), true);
		/* A foreign bloom: half of its bits are set, and those that would name the contract are not. */
		bench_fill(h.bloom, 256, &seed);
		for (uint8_t bit[256] = { 0 }; !events && !dr_evm_bloom_excludes(h.bloom, c.init.contract, 20);) {
			dr_evm_bloom_add(bit, c.init.contract, 20);
			for (size_t b = 0; b < 256; b++)
				h.bloom[b] &= (uint8_t)~bit[b];
		}
		bench_fill(h.receipts_root, 32, &seed);
		bench_fill(h.state_root, 32, &seed);
		bench_fill(h.transactions_root, 32, &seed);
		bench_fill(h.withdrawals_root, 32, &seed);
		if (events)
			make_receipts(&payload, &h, a->k);
		acts_block(a, PERIOD_S);
		h.number = a->k->number;
		h.timestamp = a->k->time;
		dr_evm_header_encode(rlp, sizeof(rlp), &len, &h, &fail);
		bench_ok(&fail, "a header");
		dr_keccak256(h.hash, rlp, len);
		if (i == 0) {
			memcpy(c.init.start_hash, h.hash, 32);
			open_core();
			feed_clock(DR_FRAME_START, h.timestamp);
		}
		feed_clock(DR_FRAME_CLOCK, h.timestamp);
		feed_word(DR_STATUS_HEAD, &h);
		feed(DR_FRAME_HEADER, 0, rlp, len);
		if (events) {
			memcpy(payload.ptr, h.hash, 32);
			feed(DR_FRAME_RECEIPTS, 0, payload.ptr, payload.len);
		}
		if (i == 0 || i % FINAL == FINAL - 1 || i + 1 == blocks)
			feed_word(DR_STATUS_FINAL, &h);
		memcpy(h.parent_hash, h.hash, 32);
		if (i % COMMIT == COMMIT - 1 || i + 1 == blocks)
			bench_must(dr_core_commit(&c) == DR_OK, c.why);
		c.held.len = c.control.out.len = 0;
	}
	dr_buf_free(&payload);
	close_core();
}

int main(int argc, char **argv)
{
	static const char *const files[] = { "derot.db", "derot.db-wal", "derot.db-shm", "lock" };
	struct bench b = bench_begin("start"), opening = bench_begin("open");
	char dir[500], path[600], more[400];
	struct acts *a = dr_heap_alloc(sizeof(*a));
	uint64_t frames = 0, journal = 0, ledger = 0;
	uint8_t root[32], byte;
	struct stat st;

	bench_must(argc == 3, "bench_start DAYS FOLDER");
	const uint64_t blocks = strtoull(argv[1], NULL, 10) * 86400 / PERIOD_S;

	snprintf(dir, sizeof(dir), "%s/start", argv[2]);
	bench_must(access(dir, F_OK) != 0, "FOLDER/start is there already");
	acts_new(a, START);
	begin(a, dir);
	make(a, blocks);
	kit_free(a->k);
	while (b.done < b.rounds) {
		bench_start(&b);
		bench_start(&opening);
		open_core();
		bench_stop(&opening);
		bench_must(dr_core_refold(&c) == DR_OK, c.why);
		bench_stop(&b);
		frames = dr_store_evidence_num(c.store);
		journal = dr_store_log_edge(c.store, DR_LOG_JOURNAL)->size;
		ledger = dr_store_log_edge(c.store, DR_LOG_LEDGER)->size;
		dr_merkle_root(root, dr_engine_ledger(c.engine));
		close_core();
	}
	snprintf(path, sizeof(path), "%s/derot.db", dir);
	const int fd = open(path, O_RDWR | O_CLOEXEC);

	bench_must(fd >= 0 && fstat(fd, &st) == 0 && pread(fd, &byte, 1, st.st_size / 2) == 1, path);
	byte ^= 1;
	bench_must(pwrite(fd, &byte, 1, st.st_size / 2) == 1 && close(fd) == 0, path);
	const bool accepted = dr_core_open_store(&c, false) == DR_OK && dr_core_new_engine(&c) == DR_OK &&
			      dr_core_refold(&c) == DR_OK;

	close_core();
	snprintf(more, sizeof(more),
		 "\"bytes\":%lld,\"frames\":%llu,\"journal\":%llu,\"ledger\":%llu,\"opening_s\":%.6f,",
		 (long long)st.st_size, (unsigned long long)frames, (unsigned long long)journal,
		 (unsigned long long)ledger, opening.busy[opening.done / 2]);
	bench_end(&b, (double)blocks, bench_hex(root), accepted ? "accepted" : "refused", more);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir) == 0 ? 0 : 1;
}
