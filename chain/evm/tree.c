/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/tree.h"

#include <string.h>

#include "chain/base/arena.h"

static size_t bucket_of(const uint8_t hash[static 32])
{
	return ((size_t)hash[0] << 8 | hash[1]) % DR_TREE_BUCKETS;
}

struct dr_node *dr_tree_find(const struct dr_tree *t, const uint8_t hash[static 32])
{
	struct dr_node *node = t->bucket[bucket_of(hash)];

	while (node != NULL && memcmp(node->hash, hash, 32) != 0)
		node = node->next;
	return node;
}

struct dr_node *dr_tree_add(struct dr_tree *t, const struct dr_evm_header *header)
{
	struct dr_node **bucket = &t->bucket[bucket_of(header->hash)], *node = dr_heap_alloc(sizeof(*node));

	if (node == NULL)
		return NULL;
	node->number = header->number;
	node->timestamp = header->timestamp;
	memcpy(node->hash, header->hash, 32);
	memcpy(node->parent, header->parent_hash, 32);
	memcpy(node->receipts_root, header->receipts_root, 32);
	memcpy(node->state_root, header->state_root, 32);
	memcpy(node->bloom, header->bloom, 256);
	node->next = *bucket;
	*bucket = node;
	t->num++;
	return node;
}

enum dr_path dr_tree_path(const struct dr_tree *t, uint64_t base_number, const uint8_t base_hash[static 32],
			  uint64_t number, const uint8_t hash[static 32], struct dr_node **out, size_t *num,
			  uint8_t missing[static 32], uint64_t *missing_number)
{
	*num = 0;
	*missing_number = 0;
	memset(missing, 0, 32);
	if (number <= base_number)
		return number == base_number && memcmp(hash, base_hash, 32) == 0 ? DR_PATH_LINKED : DR_PATH_FORK;
	if (number - base_number > DR_FOLLOW_BLOCKS_MAX)
		return DR_PATH_BROKEN;
	const size_t len = (size_t)(number - base_number);
	const uint8_t *want = hash;

	for (size_t i = len; i > 0; i--) {
		struct dr_node *node = dr_tree_find(t, want);

		if (node == NULL) {
			memcpy(missing, want, 32);
			*missing_number = base_number + i;
			return DR_PATH_MISSING;
		}
		if (node->number != base_number + i)
			return DR_PATH_BROKEN;
		out[i - 1] = node;
		want = node->parent;
	}
	if (memcmp(want, base_hash, 32) != 0)
		return DR_PATH_FORK;
	*num = len;
	return DR_PATH_LINKED;
}

static void node_free(struct dr_node *node)
{
	dr_heap_free(node->events);
	dr_heap_free(node);
}

void dr_tree_prune(struct dr_tree *t, bool (*drop)(void *ctx, const struct dr_node *node), void *ctx)
{
	for (size_t i = 0; i < DR_TREE_BUCKETS; i++) {
		for (struct dr_node **at = &t->bucket[i]; *at != NULL;) {
			struct dr_node *node = *at;

			if (drop(ctx, node)) {
				*at = node->next;
				node_free(node);
				t->num--;
			} else {
				at = &node->next;
			}
		}
	}
}

struct dr_node *dr_tree_any(const struct dr_tree *t, bool (*is)(void *ctx, const struct dr_node *node), void *ctx)
{
	for (size_t i = 0; i < DR_TREE_BUCKETS; i++)
		for (struct dr_node *node = t->bucket[i]; node != NULL; node = node->next)
			if (is(ctx, node))
				return node;
	return NULL;
}

bool dr_node_events(struct dr_node *node, const struct dr_event *events, size_t num)
{
	size_t len = num * sizeof(*events);

	for (size_t i = 0; i < num; i++)
		len += events[i].data.len;
	struct dr_event *copy = num == 0 ? NULL : dr_heap_alloc(len);

	if (num > 0 && copy == NULL)
		return false;
	uint8_t *data = copy == NULL ? NULL : (uint8_t *)(copy + num);

	for (size_t i = 0; i < num; i++) {
		copy[i] = events[i];
		copy[i].data.ptr = data;
		if (events[i].data.len > 0)
			memcpy(data, events[i].data.ptr, events[i].data.len);
		data += events[i].data.len;
	}
	dr_heap_free(node->events);
	node->events = copy;
	node->num_events = num;
	return true;
}
