/* SPDX-License-Identifier: Apache-2.0
 *
 * What nodes told beside the light client's words: whole beacon blocks, headers, checkpoints and execution answers,
 * of the same sessions. The blocks that the committees signed and finalized are these, with these execution blocks,
 * and what execution nodes tell of them proves under the roots inside.
 */
#include "chain/beacon/lc_keys.h"
#include "chain/evm/receipt.h"
#include "chain/evm/state_proof.h"
#include "tests/unit/watcher/beacon_json.h"
#include "watcher/json_evm.h"

#define E2E "03-eth-lc-real/e2e/"

/* SignedBeaconBlock, Deneb: places of what is of one size (phase0, altair, bellatrix, deneb beacon-chain.md). */
#define MESSAGE   100u            /* offset and signature before it */
#define BODY      (MESSAGE + 84u) /* slot, proposer, parent_root, state_root, offset */
#define AGGREGATE (BODY + 96u + 72u + 32u + 5 * 4u)
#define PAYLOAD   (AGGREGATE + 160u) /* its offset in the body */

struct block {
	uint64_t slot, number;
	const uint8_t *parent_root, *state_root, *bits, *signature;
	const uint8_t *hash,
		*payload; /* of the execution block: parent_hash, fee_recipient, state_root, receipts_root … */
};

static uint64_t le(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	while (len-- > 0)
		value = value << 8 | at[len];
	return value;
}

static struct block block_of(const char *path)
{
	const struct dr_bytes b = spec_file(path);
	const uint8_t *payload = b.ptr + BODY + le(b.ptr + PAYLOAD, 4);

	assert_true(b.len > PAYLOAD + 4 && le(b.ptr + PAYLOAD, 4) + 1000 < b.len);
	return (struct block){ .slot = le(b.ptr + MESSAGE, 8),
			       .parent_root = b.ptr + MESSAGE + 16,
			       .state_root = b.ptr + MESSAGE + 48,
			       .bits = b.ptr + AGGREGATE,
			       .signature = b.ptr + AGGREGATE + 64,
			       .number = le(payload + 404, 8),
			       .hash = payload + 404 + 4 * 8 + 4 + 32,
			       .payload = payload };
}

#define STATE_ROOT(b)    ((b)->payload + 52)
#define RECEIPTS_ROOT(b) ((b)->payload + 84)

static void same(const json_t *value, const uint8_t hash[static 32])
{
	assert_memory_equal(kit_json_hex(value).ptr, hash, 32);
}

/* An answer of an execution node is of that block, and its header has the hash that it claims. */
static void same_block(const char *path, const struct block *b)
{
	json_t *answer = kit_vector(path);
	const json_t *block = json_object_get(answer, "result");
	struct dr_evm_header header;
	struct dr_fail fail = { 0 };
	uint8_t hash[32];

	kit_header(&header, block);
	assert_int_equal(dr_evm_header_hash(hash, &header, &fail), DR_OK);
	assert_memory_equal(hash, b->hash, 32);
	assert_int_equal(header.number, b->number);
	assert_memory_equal(header.parent_hash, b->payload, 32);
	assert_memory_equal(header.state_root, STATE_ROOT(b), 32);
	assert_memory_equal(header.receipts_root, RECEIPTS_ROOT(b), 32);
	assert_memory_equal(header.parent_beacon_root, b->parent_root, 32);
	json_decref(answer);
}

static void same_receipts(const char *path, const struct block *b)
{
	struct dr_arena *arena = dr_arena_new((size_t)64 << 20);
	struct dr_json_receipts receipts;
	struct dr_fail fail = { 0 };
	json_t *answer = kit_vector(path);
	uint8_t root[32];

	assert_int_equal(dr_json_receipts(&receipts, json_object_get(answer, "result"), arena, &fail), DR_OK);
	assert_memory_equal(receipts.block_hash, b->hash, 32);
	assert_int_equal(dr_evm_receipts_root(root, receipts.receipts, receipts.num, arena, &fail), DR_OK);
	assert_memory_equal(root, RECEIPTS_ROOT(b), 32);
	json_decref(answer);
	dr_arena_free(arena);
}

/* A header that a node told is the block's, and has the root it is called by. */
static void same_header(const char *path, const struct block *b)
{
	json_t *answer = kit_vector(path);
	const json_t *data = json_object_get(answer, "data");
	const json_t *one = json_is_array(data) ? json_array_get(data, 0) : data;
	struct dr_lc_header header = { .beacon = { .slot = 0 } };
	uint8_t root[32];

	beacon_json(&header.beacon, &dr_lc_beacon_type, (struct dr_ssz_shape){ DR_BEACON_DENEB, 512 },
		    json_object_get(json_object_get(one, "header"), "message"));
	dr_lc_header_root(root, &header);
	same(json_object_get(one, "root"), root);
	assert_int_equal(header.beacon.slot, b->slot);
	assert_memory_equal(header.beacon.parent_root, b->parent_root, 32);
	assert_memory_equal(header.beacon.state_root, b->state_root, 32);
	json_decref(answer);
}

/* Two blocks, one the other's child: on the beacon chain by its root (which names the file), below by its hash. */
static void linked(const char *parent_root, const struct block *parent, const struct block *child)
{
	assert_memory_equal(child->parent_root, kit_hex(parent_root + 2).ptr, 32);
	assert_int_equal(child->slot, parent->slot + 1);
	assert_int_equal(child->number, parent->number + 1);
	assert_memory_equal(child->payload, parent->hash, 32);
}

/* What a committee signed of the block before, as the next one carries it. */
static void signed_by(const struct dr_lc_keys *keys, const struct block *child)
{
	const struct dr_network *net = dr_network_named("mainnet");
	uint8_t message[32], domain[32], other[32];
	struct dr_bls_sum sum;
	struct dr_fail fail = { 0 }, refused = { 0 };

	assert_int_equal(dr_network_domain(domain, net, child->slot, &fail), DR_OK);
	dr_ssz_pair(message, child->parent_root, domain);
	dr_lc_keys_sum(&sum, keys, child->bits);
	assert_int_equal(dr_bls_verify_sum(&sum, dr_bytes_of(message, 32), child->signature, &fail), DR_OK);
	dr_ssz_pair(other, child->state_root, domain);
	assert_int_equal(dr_bls_verify_sum(&sum, dr_bytes_of(other, 32), child->signature, &refused), DR_ERR_PROOF);
}

static const char *kit_said(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	assert_non_null(text);
	return text;
}

/* What a node calls final lies below slot, at an epoch's beginning; root: the light client's final block, or NULL. */
static void checkpoint(const char *path, uint64_t slot, uint64_t slots_per_epoch, const uint8_t *root)
{
	json_t *answer = kit_vector(path);
	const json_t *final = json_object_get(json_object_get(answer, "data"), "finalized");
	const uint64_t begin = strtoull(kit_said(final, "epoch"), NULL, 10) * slots_per_epoch;

	assert_true(begin > 0 && begin < slot);
	if (root != NULL)
		same(json_object_get(final, "root"), root);
	json_decref(answer);
}

static struct dr_lc_update update_of(const struct dr_network *net, const char *path, struct dr_arena *arena)
{
	struct dr_json_notes notes = { .extra = NULL };
	struct dr_fail fail = { 0 };
	struct dr_beacon_item *items;
	size_t num;

	assert_int_equal(dr_json_beacon_read(&items, &num, net, spec_file(path), arena, &notes, &fail), DR_OK);
	assert_int_equal(num, 1);
	return items->update;
}

#define PROOF_PARENT   "0xa50be771e4dc7b2e46bb18dc7b49d54acb85397e24817036152a61f5ff946115"
#define RECEIPT_PARENT "0x272053fd1703be14664b3dc7e7e370114f50e5661b49e669872f29a1cd890d82"
#define RECEIPT_CHILD  "0x15d58a21628f5ff0523477952a7d5fef6439df806f08f50bd003a9442ce78419"

static void test_logs(void **state)
{
	static const char *const names[] = { "11069311",
					     "0x25376105cc3c9a3f9b2ffeb8ff876f69c3afc43098da3014ebf628a3fef91ac2",
					     "11069312",
					     "0x19ff634f0bc99c366ff54700e64c6ff700c65a27442f00932dce7a5378aca360" };
	const struct dr_network *net = dr_network_named("mainnet");
	static struct dr_lc_update update;
	static struct dr_lc_keys keys;
	static const uint8_t root[32];
	struct dr_fail fail = { 0 };
	struct block blocks[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char path[192];

		snprintf(path, sizeof(path), E2E "eth_getLogs1/eth_v2_beacon_blocks_%s.ssz", names[i]);
		blocks[i] = block_of(path);
	}
	/* By slot and by root they are the same. */
	assert_memory_equal(blocks[0].hash, blocks[1].hash, 32);
	assert_memory_equal(blocks[2].hash, blocks[3].hash, 32);
	linked(names[1], &blocks[0], &blocks[3]);
	same_header(E2E "eth_getLogs1/eth_v1_beacon_headers_parent_root_"
			"0x25376105cc3c9a3f9b2ffeb8ff876f69c3afc43098da3014ebf628a3fef91ac2.json",
		    &blocks[2]);
	same_block(E2E "eth_getLogs1/eth_getBlockByNumber_0x14d7970_false.json", &blocks[0]);
	same_block(E2E "eth_getLogs1/eth_getBlockByNumber_0x14d7971_false.json", &blocks[2]);
	same_receipts(E2E "eth_getLogs1/eth_getBlockReceipts_0x14d7970.json", &blocks[0]);
	/* The committee of their period, 1351, is the one that period 1350's update teaches. */
	assert_int_equal(dr_lc_update_decode(
				 &update, net, DR_LC_UPDATE, DR_BEACON_DENEB,
				 spec_file("03-eth-lc-real/mainnet/updates/period_1350_slot_11059265_6a95a1a9.ssz"),
				 &fail),
			 DR_OK);
	assert_int_equal(dr_lc_keys_load(&keys, &update.next_committee, 512, root, &fail), DR_OK);
	signed_by(&keys, &blocks[0]);
	signed_by(&keys, &blocks[2]);
	/* What the session's own verifier came to. */
	json_t *test = kit_vector(E2E "eth_getLogs1/test.json");
	json_t *logs =
		kit_vector(E2E "eth_getLogs1/eth_getLogs___address____0xdac17f958d2ee523a2206206994597c13d831ec7____"
			       "fromBlock___0x14d7970___toBlo.json");
	const json_t *expected = json_object_get(test, "expected_result"), *got = json_object_get(logs, "result");

	assert_true(json_array_size(expected) > 0 && json_array_size(expected) == json_array_size(got));
	for (size_t i = 0; i < json_array_size(got); i++)
		same(json_object_get(json_array_get(got, i), "blockHash"), blocks[0].hash);
	json_decref(test);
	json_decref(logs);
}

/* A proof that was taken at "latest": under the state of the block that the head's parent carries, and of no other.
 */
static void test_proof(void **state)
{
	const struct block head = block_of(E2E "eth_getProof1/eth_v2_beacon_blocks_head.ssz");
	const struct block parent = block_of(E2E "eth_getProof1/eth_v2_beacon_blocks_" PROOF_PARENT ".ssz");
	struct dr_arena *arena = dr_arena_new((size_t)4 << 20);
	struct dr_fail fail = { 0 }, other = { 0 };
	struct dr_evm_account account;
	struct dr_evm_slot slot;
	struct dr_json_proof proof;
	json_t *answer = kit_vector(E2E "eth_getProof1/eth_getProof_0xB685760EBD368a891F27ae547391F4E2A289895b___"
					"0x0000000000000000000000000000000000000000.json");
	json_t *test = kit_vector(E2E "eth_getProof1/test.json");
	const json_t *result = json_object_get(answer, "result"),
		     *expected = json_object_get(test, "expected_result");

	(void)state;
	linked(PROOF_PARENT, &parent, &head);
	same_header(E2E "eth_getProof1/eth_v1_beacon_headers_head.json", &head);
	assert_int_equal(dr_json_proof(&proof, result, arena, &fail), DR_OK);
	assert_int_equal(dr_evm_account_verify(&account, STATE_ROOT(&parent), proof.address, proof.proof.nodes,
					       proof.proof.num, &fail),
			 DR_OK);
	assert_int_equal(dr_evm_account_verify(&account, STATE_ROOT(&head), proof.address, proof.proof.nodes,
					       proof.proof.num, &other),
			 DR_ERR_PROOF);
	assert_int_equal(proof.num_slots, 2);
	for (size_t i = 0; i < proof.num_slots; i++) {
		const struct dr_json_slot *s = &proof.slots[i];

		assert_int_equal(
			dr_evm_slot_verify(&slot, proof.storage_root, s->slot, s->proof.nodes, s->proof.num, &fail),
			DR_OK);
		assert_memory_equal(slot.value, s->value, 32);
	}
	/* The session's own verifier came to the same. */
	assert_true(json_equal(json_object_get(result, "storageHash"), json_object_get(expected, "storageHash")));
	assert_true(json_equal(json_object_get(result, "accountProof"), json_object_get(expected, "accountProof")));
	checkpoint(E2E "eth_getProof1/eth_v1_beacon_states_head_finality_checkpoints.json", head.slot, 32, NULL);
	json_decref(answer);
	json_decref(test);
	dr_arena_free(arena);
}

static void test_receipt(void **state)
{
	const struct block parent =
		block_of(E2E "eth_getTransactionReceipt1/eth_v2_beacon_blocks_" RECEIPT_PARENT ".ssz");
	const struct block child =
		block_of(E2E "eth_getTransactionReceipt1/eth_v2_beacon_blocks_" RECEIPT_CHILD ".ssz");
	json_t *tx = kit_vector(E2E "eth_getTransactionReceipt1/eth_getTransactionByHash_"
				    "0x1c6a9f182ee398a34d6e4a28bbb55f8f5b10101d60589279b26cec199f021d99.json");
	json_t *test = kit_vector(E2E "eth_getTransactionReceipt1/test.json");

	(void)state;
	linked(RECEIPT_PARENT, &parent, &child);
	same_header(E2E "eth_getTransactionReceipt1/eth_v1_beacon_headers_parent_root_" RECEIPT_PARENT ".json",
		    &child);
	same_block(E2E "eth_getTransactionReceipt1/eth_getBlockByNumber_0x152afde_false.json", &child);
	same_receipts(E2E "eth_getTransactionReceipt1/eth_getBlockReceipts_0x152afdd.json", &parent);
	same(json_object_get(json_object_get(tx, "result"), "blockHash"), parent.hash);
	same(json_object_get(json_object_get(test, "expected_result"), "blockHash"), parent.hash);
	checkpoint(E2E "eth_getTransactionReceipt1/eth_v1_beacon_states_head_finality_checkpoints.json", child.slot,
		   32, NULL);
	json_decref(tx);
	json_decref(test);
}

/* A beacon block as JSON is the one of this light-client header. */
static const json_t *same_message(const json_t *answer, const struct dr_lc_header *header)
{
	const json_t *message = json_object_get(json_object_get(answer, "data"), "message");
	const json_t *body = json_object_get(message, "body"), *payload = json_object_get(body, "execution_payload");

	assert_int_equal(strtoull(kit_said(message, "slot"), NULL, 10), header->beacon.slot);
	same(json_object_get(message, "parent_root"), header->beacon.parent_root);
	same(json_object_get(message, "state_root"), header->beacon.state_root);
	same(json_object_get(payload, "block_hash"), header->execution.block_hash);
	same(json_object_get(payload, "receipts_root"), header->execution.receipts_root);
	assert_int_equal(strtoull(kit_said(payload, "block_number"), NULL, 10), header->execution.block_number);
	return body;
}

/* Mainnet, Capella: the attested blocks of the finality and of the optimistic update; the second of them carries what
 * was signed of the first. */
static void test_capella(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	struct dr_arena *arena = dr_arena_new((size_t)16 << 20);
	const struct dr_lc_update finality = update_of(net, REAL_HELIOS "/finality.json", arena);
	const struct dr_lc_update optimistic = update_of(net, REAL_HELIOS "/optimistic.json", arena);
	json_t *first = kit_vector(REAL_HELIOS "/block_7109430.json.gz");
	json_t *second = kit_vector(REAL_HELIOS "/block_7109431.json.gz");
	uint8_t root[32];

	(void)state;
	same_message(first, &finality.attested);
	const json_t *body = same_message(second, &optimistic.attested);
	const json_t *aggregate = json_object_get(body, "sync_aggregate");

	dr_lc_header_root(root, &finality.attested);
	assert_memory_equal(optimistic.attested.beacon.parent_root, root, 32);
	assert_int_equal(finality.signature_slot, optimistic.attested.beacon.slot);
	assert_memory_equal(kit_json_hex(json_object_get(aggregate, "sync_committee_bits")).ptr,
			    finality.aggregate.bits, 64);
	assert_memory_equal(kit_json_hex(json_object_get(aggregate, "sync_committee_signature")).ptr,
			    finality.aggregate.signature, 96);
	json_decref(first);
	json_decref(second);
	dr_arena_free(arena);
}

static json_t *devnet_file(const char *folder, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s.json", folder, name);
	return kit_vector(path);
}

static void devnet_header(const char *folder, const char *name, struct dr_lc_header *out)
{
	json_t *answer = devnet_file(folder, name);
	const json_t *data = json_object_get(answer, "data");
	uint8_t root[32];

	memset(out, 0, sizeof(*out));
	beacon_json(&out->beacon, &dr_lc_beacon_type, (struct dr_ssz_shape){ DR_BEACON_CAPELLA, 32 },
		    json_object_get(json_object_get(data, "header"), "message"));
	dr_lc_header_root(root, out);
	same(json_object_get(data, "root"), root);
	json_decref(answer);
}

/* A node's "no" is told as what it is. */
static void no(const struct dr_network *net, const char *path, struct dr_arena *arena)
{
	struct dr_json_notes notes = { .extra = NULL };
	struct dr_fail fail = { 0 };
	struct dr_beacon_item *items;
	size_t num;

	assert_int_equal(dr_json_beacon_read(&items, &num, net, spec_file(path), arena, &notes, &fail),
			 DR_ERR_SYNTAX);
	assert_string_equal(fail.what, "the node answered with an error, not with data");
	assert_int_equal(strncmp(notes.got, "no route ", 9), 0);
}

static void test_devnets(void **state)
{
	static const char *const folders[] = { DEVNET_ELECTRA, DEVNET_CAPELLA };
	struct dr_arena *arena = dr_arena_new((size_t)16 << 20);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct dr_network net = beacon_devnet(folders[i]);
		char path[128];
		struct dr_lc_header header;
		uint8_t root[32];

		snprintf(path, sizeof(path), "%s/finality_update.json", folders[i]);
		const struct dr_lc_update finality = update_of(&net, path, arena);

		snprintf(path, sizeof(path), "%s/optimistic_update.json", folders[i]);
		const struct dr_lc_update optimistic = update_of(&net, path, arena);
		json_t *block = devnet_file(folders[i], "cl_finalized_block");
		json_t *syncing = devnet_file(folders[i], "syncing");
		json_t *version = devnet_file(folders[i], "version");

		same_message(block, &finality.finalized);
		devnet_header(folders[i], "header_finalized", &header);
		/* What is final was asked for a moment later than the update. */
		assert_true(header.beacon.slot >= finality.finalized.beacon.slot);
		devnet_header(folders[i], "header_head", &header);
		assert_true(header.beacon.slot >= optimistic.attested.beacon.slot);
		assert_int_equal(strtoull(kit_said(json_object_get(syncing, "data"), "head_slot"), NULL, 10),
				 header.beacon.slot);
		assert_non_null(strchr(kit_said(json_object_get(version, "data"), "version"), '/'));
		dr_lc_header_root(root, &finality.finalized);
		if (i == 1) {
			snprintf(path, sizeof(path), "%s/finality_checkpoints.json", folders[i]);
			checkpoint(path, header.beacon.slot, net.slots_per_epoch, root);
			json_t *schedule = devnet_file(folders[i], "fork_schedule");
			const json_t *list = json_object_get(schedule, "data");

			assert_int_equal(json_array_size(list), 5);
			for (size_t f = 0; f < 4; f++)
				assert_memory_equal(
					kit_json_hex(json_object_get(json_array_get(list, f), "current_version")).ptr,
					net.forks[f].version, 4);
			assert_int_equal(net.forks[4].epoch, DR_BEACON_NEVER);
			json_decref(schedule);
		} else {
			snprintf(path, sizeof(path), "%s/finality_checkpoints.json", folders[i]);
			no(&net, path, arena);
			snprintf(path, sizeof(path), "%s/fork_schedule.json", folders[i]);
			no(&net, path, arena);
		}
		json_decref(block);
		json_decref(syncing);
		json_decref(version);
	}
	dr_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logs),    cmocka_unit_test(test_proof),   cmocka_unit_test(test_receipt),
		cmocka_unit_test(test_capella), cmocka_unit_test(test_devnets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
