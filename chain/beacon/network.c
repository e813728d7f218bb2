/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon/network.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/crypto/sha256.h"

#define ENCODING 1u

static const char *const fork_names[DR_BEACON_FORKS] = { "phase0", "altair",  "bellatrix", "capella",
							 "deneb",  "electra", "fulu" };

const char *dr_beacon_fork_name(enum dr_beacon_fork fork)
{
	return (unsigned)fork < DR_BEACON_FORKS ? fork_names[fork] : "unknown";
}

bool dr_beacon_fork_named(enum dr_beacon_fork *out, const char *name, size_t len)
{
	*out = DR_BEACON_PHASE0;
	for (unsigned i = 0; i < DR_BEACON_FORKS; i++)
		if (strlen(fork_names[i]) == len && memcmp(fork_names[i], name, len) == 0) {
			*out = (enum dr_beacon_fork)i;
			return true;
		}
	return false;
}

static bool power_of_two(uint64_t value)
{
	return value > 0 && (value & (value - 1)) == 0;
}

static enum dr_err check_name(const struct dr_network *net, struct dr_fail *fail)
{
	static const char *const letters = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = 0;

	for (; len < sizeof(net->name) && net->name[len] != '\0'; len++)
		if (strchr(letters, net->name[len]) == NULL)
			return dr_fail_set(fail, DR_ERR_SYNTAX,
					   "a network's name has letters a-z, digits, . _ - alone", 0);
	if (len == 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a network has a name", 0);
	if (len == sizeof(net->name))
		return dr_fail_set(fail, DR_ERR_LIMIT, "a network's name has at most 31 letters", 0);
	if (!dr_bytes_zero(net->name + len, sizeof(net->name) - len))
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "bytes behind the network's name", 0);
	return DR_OK;
}

static enum dr_err check_sizes(const struct dr_network *net, struct dr_fail *fail)
{
	if (!power_of_two(net->slots_per_epoch))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "SLOTS_PER_EPOCH is no power of two", 0);
	if (net->slots_per_epoch > 256)
		return dr_fail_set(fail, DR_ERR_LIMIT, "SLOTS_PER_EPOCH above 256", 0);
	if (!power_of_two(net->epochs_per_period))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD is no power of two", 0);
	if (net->epochs_per_period > 65536)
		return dr_fail_set(fail, DR_ERR_LIMIT, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD above 65536", 0);
	if (!power_of_two(net->committee_size) || net->committee_size < 8)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "SYNC_COMMITTEE_SIZE is no power of two from 8 on", 0);
	if (net->committee_size > DR_SYNC_COMMITTEE_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "SYNC_COMMITTEE_SIZE above 512", 0);
	if (net->seconds_per_slot == 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a slot of no seconds", 0);
	if (net->seconds_per_slot > 3600)
		return dr_fail_set(fail, DR_ERR_LIMIT, "a slot of more than an hour", 0);
	if (net->genesis_time > DR_TIME_MAX_S)
		return dr_fail_set(fail, DR_ERR_LIMIT, "the genesis time is beyond all bounds", 0);
	if (dr_bytes_zero(net->genesis_validators_root, 32))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "the genesis validators root is zero", 0);
	return DR_OK;
}

static enum dr_err check_forks(const struct dr_network *net, struct dr_fail *fail)
{
	const struct dr_network_fork *forks = net->forks;

	if (forks[DR_BEACON_PHASE0].epoch != 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "phase0 begins at epoch 0", DR_BEACON_PHASE0);
	if (forks[DR_BEACON_ALTAIR].epoch == DR_BEACON_NEVER)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "without Altair there are no sync committees",
				   DR_BEACON_ALTAIR);
	for (size_t i = 0; i < DR_BEACON_FORKS; i++) {
		if (forks[i].epoch == DR_BEACON_NEVER && !dr_bytes_zero(forks[i].version, 4))
			return dr_fail_set(fail, DR_ERR_NONCANONICAL, "a fork has a version and no epoch", i);
		if (i > 0 && forks[i].epoch < forks[i - 1].epoch)
			return dr_fail_set(fail, DR_ERR_SYNTAX, "a fork comes before its predecessor", i);
		if (forks[i].epoch == DR_BEACON_NEVER)
			continue;
		if (forks[i].epoch > net->unknown_epoch)
			return dr_fail_set(fail, DR_ERR_SYNTAX, "an unknown fork comes before a known one", i);
		for (size_t k = 0; k < i; k++)
			if (memcmp(forks[i].version, forks[k].version, 4) == 0)
				return dr_fail_set(fail, DR_ERR_SYNTAX, "two forks have one version", i);
	}
	return DR_OK;
}

enum dr_err dr_network_check(const struct dr_network *net, struct dr_fail *fail)
{
	enum dr_err err = check_name(net, fail);

	if (err == DR_OK)
		err = check_sizes(net, fail);
	return err != DR_OK ? err : check_forks(net, fail);
}

enum dr_err dr_network_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_network *net,
			      struct dr_fail *fail)
{
	struct dr_writer w;
	uint8_t num = 0;

	*len = 0;
	memset(buf, 0, cap);
	while (num < DR_BEACON_FORKS && net->forks[num].epoch != DR_BEACON_NEVER)
		num++;
	dr_writer_init(&w, buf, cap, fail);
	dr_writer_u8(&w, ENCODING);
	dr_writer_copy(&w, net->name, sizeof(net->name));
	dr_writer_u32(&w, net->slots_per_epoch);
	dr_writer_u32(&w, net->epochs_per_period);
	dr_writer_u32(&w, net->committee_size);
	dr_writer_u32(&w, net->seconds_per_slot);
	dr_writer_u64(&w, net->genesis_time);
	dr_writer_copy(&w, net->genesis_validators_root, 32);
	dr_writer_u8(&w, num);
	for (size_t i = 0; i < num; i++) {
		dr_writer_u64(&w, net->forks[i].epoch);
		dr_writer_copy(&w, net->forks[i].version, 4);
	}
	dr_writer_u64(&w, net->unknown_epoch);
	if (fail->err != DR_OK) {
		memset(buf, 0, cap);
		return fail->err;
	}
	*len = w.len;
	return DR_OK;
}

enum dr_err dr_network_decode(struct dr_network *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	dr_reader_init(&r, bytes, fail);
	if (dr_reader_u8(&r) != ENCODING)
		dr_reader_fail(&r, DR_ERR_UNKNOWN, "an encoding of networks of another version");
	dr_reader_copy(&r, out->name, sizeof(out->name));
	out->slots_per_epoch = dr_reader_u32(&r);
	out->epochs_per_period = dr_reader_u32(&r);
	out->committee_size = dr_reader_u32(&r);
	out->seconds_per_slot = dr_reader_u32(&r);
	out->genesis_time = dr_reader_u64(&r);
	dr_reader_copy(&r, out->genesis_validators_root, 32);
	const uint8_t num = dr_reader_u8(&r);

	if (num > DR_BEACON_FORKS)
		dr_reader_fail(&r, DR_ERR_UNKNOWN, "more forks than this build knows");
	for (size_t i = 0; i < DR_BEACON_FORKS; i++)
		if (i >= num) {
			out->forks[i].epoch = DR_BEACON_NEVER;
		} else if ((out->forks[i].epoch = dr_reader_u64(&r)) == DR_BEACON_NEVER) {
			dr_reader_fail(&r, DR_ERR_NONCANONICAL, "a fork is counted and has no epoch");
		} else {
			dr_reader_copy(&r, out->forks[i].version, 4);
		}
	out->unknown_epoch = dr_reader_u64(&r);
	enum dr_err err = dr_reader_end(&r);

	if (err == DR_OK)
		err = dr_network_check(out, fail);
	if (err != DR_OK)
		memset(out, 0, sizeof(*out));
	return err;
}

bool dr_network_same_chain(const struct dr_network *a, const struct dr_network *b)
{
	return a->slots_per_epoch == b->slots_per_epoch && a->epochs_per_period == b->epochs_per_period &&
	       a->committee_size == b->committee_size && a->seconds_per_slot == b->seconds_per_slot &&
	       a->genesis_time == b->genesis_time &&
	       memcmp(a->genesis_validators_root, b->genesis_validators_root, 32) == 0 &&
	       memcmp(a->forks[DR_BEACON_PHASE0].version, b->forks[DR_BEACON_PHASE0].version, 4) == 0;
}

uint64_t dr_network_epoch(const struct dr_network *net, uint64_t slot)
{
	return slot / net->slots_per_epoch;
}

uint64_t dr_network_period(const struct dr_network *net, uint64_t slot)
{
	return dr_network_epoch(net, slot) / net->epochs_per_period;
}

enum dr_err dr_network_slot(uint64_t *slot, const struct dr_network *net, uint64_t now, struct dr_fail *fail)
{
	*slot = 0;
	if (now == 0)
		return dr_fail_set(fail, DR_ERR_STALE, "there is no clock", 0);
	if (now < net->genesis_time)
		return dr_fail_set(fail, DR_ERR_STALE, "the clock is before the network's genesis", 0);
	*slot = (now - net->genesis_time) / net->seconds_per_slot;
	return DR_OK;
}

uint64_t dr_network_time(const struct dr_network *net, uint64_t slot)
{
	if (slot > (UINT64_MAX - net->genesis_time) / net->seconds_per_slot)
		return UINT64_MAX;
	return net->genesis_time + slot * net->seconds_per_slot;
}

enum dr_err dr_network_fork_at(enum dr_beacon_fork *fork, const struct dr_network *net, uint64_t slot,
			       struct dr_fail *fail)
{
	const uint64_t epoch = dr_network_epoch(net, slot);
	unsigned at = DR_BEACON_FULU;

	*fork = DR_BEACON_PHASE0;
	if (epoch >= net->unknown_epoch)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "unknown fork", 0);
	while (at > 0 && net->forks[at].epoch > epoch)
		at--;
	*fork = (enum dr_beacon_fork)at;
	return DR_OK;
}

/* compute_fork_data_root: the tree of ForkData's two leaves. */
static void fork_data_root(uint8_t root[static 32], const struct dr_network *net, enum dr_beacon_fork fork)
{
	static const uint8_t zeros[28];
	const struct dr_bytes parts[] = { { net->forks[fork].version, 4 },
					  { zeros, sizeof(zeros) },
					  { net->genesis_validators_root, 32 } };

	dr_sha256(root, parts, 3);
}

enum dr_err dr_network_domain(uint8_t domain[static 32], const struct dr_network *net, uint64_t signature_slot,
			      struct dr_fail *fail)
{
	static const uint8_t sync_committee[4] = { 7, 0, 0, 0 }; /* DOMAIN_SYNC_COMMITTEE */
	enum dr_beacon_fork fork;
	uint8_t root[32];
	const enum dr_err err = dr_network_fork_at(&fork, net, signature_slot > 0 ? signature_slot - 1 : 0, fail);

	memset(domain, 0, 32);
	if (err != DR_OK)
		return err;
	fork_data_root(root, net, fork);
	memcpy(domain, sync_committee, 4);
	memcpy(domain + 4, root, 28);
	return DR_OK;
}

bool dr_network_digest(uint8_t digest[static 4], const struct dr_network *net, enum dr_beacon_fork fork)
{
	uint8_t root[32];

	memset(digest, 0, 4);
	if (fork >= DR_BEACON_FULU || net->forks[fork].epoch == DR_BEACON_NEVER)
		return false;
	fork_data_root(root, net, fork);
	memcpy(digest, root, 4);
	return true;
}

enum dr_err dr_network_age(uint64_t *age_s, const struct dr_network *net, uint64_t slot, uint64_t now,
			   uint64_t limit_s, struct dr_fail *fail)
{
	const uint64_t begin = dr_network_time(net, slot);
	uint64_t current;
	const enum dr_err err = dr_network_slot(&current, net, now, fail);

	*age_s = 0;
	if (err != DR_OK)
		return err;
	if (begin > now && begin - now > DR_CLOCK_SKEW_S)
		return dr_fail_set(fail, DR_ERR_STALE, "the checkpoint lies in the future", 0);
	if (begin < now && now - begin > limit_s)
		return dr_fail_set(fail, DR_ERR_STALE,
				   "weak subjectivity: the checkpoint is older than its age limit", 0);
	*age_s = begin < now ? now - begin : 0;
	return DR_OK;
}
