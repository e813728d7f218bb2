/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys come from the chain, so an attacker may choose them such that the treap gets deep: nothing here
 * recurses. Changing walks go top down, copying the path behind a pointer to the link that comes
 * next; walks over all nodes use the node's own `up`.
 */
#include "governance/map.h"

#include <string.h>

#include "chain/base/arena.h"
#include "chain/crypto/sha256.h"

/* Key and value, shared by all copies of a node. */
struct entry {
	size_t refs;
	uint8_t priority[32];
	size_t key_len, value_len;
	uint8_t bytes[]; /* key ‖ value */
};

struct dr_map_node {
	size_t refs;
	struct entry *entry;
	struct dr_map_node *left, *right; /* owned: one reference each */
	struct dr_map_node *up;           /* scratch of one walk; means nothing between calls */
	bool has_digest;
	uint8_t digest[32];
};

static struct dr_bytes key_of(const struct dr_map_node *node)
{
	return dr_bytes_of(node->entry->bytes, node->entry->key_len);
}

static struct dr_bytes value_of(const struct dr_map_node *node)
{
	return dr_bytes_of(node->entry->bytes + node->entry->key_len, node->entry->value_len);
}

static bool outranks(const struct entry *a, const struct entry *b)
{
	return memcmp(a->priority, b->priority, 32) > 0;
}

static struct dr_map_node *share(struct dr_map_node *node)
{
	if (node != NULL)
		node->refs++;
	return node;
}

static void entry_drop(struct entry *entry)
{
	if (--entry->refs == 0)
		dr_heap_free(entry);
}

static void node_drop(struct dr_map_node *node)
{
	struct dr_map_node *dead = NULL;

	if (node != NULL && --node->refs == 0) {
		node->up = NULL;
		dead = node;
	}
	while (dead != NULL) {
		struct dr_map_node *gone = dead, *children[2] = { dead->left, dead->right };

		dead = gone->up;
		for (size_t i = 0; i < 2; i++) {
			if (children[i] == NULL || --children[i]->refs > 0)
				continue;
			children[i]->up = dead;
			dead = children[i];
		}
		entry_drop(gone->entry);
		dr_heap_free(gone);
	}
}

static struct dr_map_node *node_new(struct entry *entry)
{
	struct dr_map_node *node = dr_heap_alloc(sizeof(*node));

	if (node != NULL) {
		node->refs = 1;
		node->entry = entry;
		entry->refs++;
	}
	return node;
}

struct dr_map dr_map_share(struct dr_map map)
{
	return (struct dr_map){ share(map.root) };
}

void dr_map_drop(struct dr_map *map)
{
	node_drop(map->root);
	map->root = NULL;
}

bool dr_map_get(struct dr_bytes *value, struct dr_map map, struct dr_bytes key)
{
	const struct dr_map_node *node = map.root;

	while (node != NULL) {
		const int order = dr_bytes_cmp(key, key_of(node));

		if (order == 0) {
			*value = value_of(node);
			return true;
		}
		node = order < 0 ? node->left : node->right;
	}
	*value = (struct dr_bytes){ 0 };
	return false;
}

/* split: copies of what lies below `node` on both sides of key, hung into *low and *high. The key itself is
 * not below node. False: no memory; what was hung so far is well formed. */
static bool split(struct dr_map_node **low, struct dr_map_node **high, struct dr_map_node *node, struct dr_bytes key)
{
	while (node != NULL) {
		struct dr_map_node *copy = node_new(node->entry);

		if (copy == NULL)
			return false;
		if (dr_bytes_cmp(key, key_of(node)) < 0) {
			copy->right = share(node->right);
			*high = copy;
			high = &copy->left;
			node = node->left;
		} else {
			copy->left = share(node->left);
			*low = copy;
			low = &copy->right;
			node = node->right;
		}
	}
	return true;
}

/* join: a copy of the treap of low and high, all of low sorting before all of high, hung into *link. */
static bool join(struct dr_map_node **link, struct dr_map_node *low, struct dr_map_node *high)
{
	while (low != NULL && high != NULL) {
		const bool left_up = outranks(low->entry, high->entry);
		struct dr_map_node *copy = node_new(left_up ? low->entry : high->entry);

		if (copy == NULL)
			return false;
		*link = copy;
		if (left_up) {
			copy->left = share(low->left);
			link = &copy->right;
			low = low->right;
		} else {
			copy->right = share(high->right);
			link = &copy->left;
			high = high->left;
		}
	}
	*link = share(low != NULL ? low : high);
	return true;
}

/* copy_down: copies *node into *link, except for the child on key's side, and moves both there. */
static bool copy_down(struct dr_map_node ***link, struct dr_map_node **node, int order)
{
	struct dr_map_node *copy = node_new((*node)->entry);

	if (copy == NULL)
		return false;
	**link = copy;
	if (order < 0) {
		copy->right = share((*node)->right);
		*link = &copy->left;
		*node = (*node)->left;
	} else {
		copy->left = share((*node)->left);
		*link = &copy->right;
		*node = (*node)->right;
	}
	return true;
}

static bool put(struct dr_map_node **root, struct dr_map_node *node, struct entry *entry)
{
	const struct dr_bytes key = dr_bytes_of(entry->bytes, entry->key_len);
	struct dr_map_node **link = root;

	/* A node of this key, if there is one, comes before any that it outranks: equal keys rank equal. */
	while (node != NULL && !outranks(entry, node->entry)) {
		const int order = dr_bytes_cmp(key, key_of(node));

		if (order == 0) {
			if ((*link = node_new(entry)) == NULL)
				return false;
			(*link)->left = share(node->left);
			(*link)->right = share(node->right);
			return true;
		}
		if (!copy_down(&link, &node, order))
			return false;
	}
	if ((*link = node_new(entry)) == NULL)
		return false;
	return split(&(*link)->left, &(*link)->right, node, key);
}

enum dr_err dr_map_put(struct dr_map *map, struct dr_bytes key, struct dr_bytes value, struct dr_fail *fail)
{
	struct dr_map_node *root = NULL;

	if (key.len == 0 || key.len > DR_MAP_KEY_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "map: key of 1 to DR_MAP_KEY_MAX bytes", key.len);
	if (value.len > DR_MAP_VALUE_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "map: value of at most DR_MAP_VALUE_MAX bytes", value.len);
	struct entry *entry = dr_heap_alloc(sizeof(*entry) + key.len + value.len);

	if (entry == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "map: entry", 0);
	entry->refs = 1;
	entry->key_len = key.len;
	entry->value_len = value.len;
	memcpy(entry->bytes, key.ptr, key.len);
	if (value.len > 0)
		memcpy(entry->bytes + key.len, value.ptr, value.len);
	dr_sha256_one(entry->priority, key.ptr, key.len);
	const bool done = put(&root, map->root, entry);

	entry_drop(entry);
	if (!done) {
		node_drop(root);
		return dr_fail_set(fail, DR_ERR_NOMEM, "map: node", 0);
	}
	node_drop(map->root);
	map->root = root;
	return DR_OK;
}

enum dr_err dr_map_del(struct dr_map *map, struct dr_bytes key, struct dr_fail *fail)
{
	struct dr_map_node *root = NULL, **link = &root, *node = map->root;
	struct dr_bytes value;
	int order;

	if (!dr_map_get(&value, *map, key))
		return DR_OK;
	while ((order = dr_bytes_cmp(key, key_of(node))) != 0) {
		if (!copy_down(&link, &node, order)) {
			node_drop(root);
			return dr_fail_set(fail, DR_ERR_NOMEM, "map: node", 0);
		}
	}
	if (!join(link, node->left, node->right)) {
		node_drop(root);
		return dr_fail_set(fail, DR_ERR_NOMEM, "map: node", 0);
	}
	node_drop(map->root);
	map->root = root;
	return DR_OK;
}

static bool nearest(struct dr_bytes *key_out, struct dr_bytes *value, struct dr_map map, struct dr_bytes key, bool up)
{
	const struct dr_map_node *node = map.root, *best = NULL;

	while (node != NULL) {
		const int order = dr_bytes_cmp(key_of(node), key);

		if (order == 0 || (order > 0) == up)
			best = node;
		if (order == 0)
			break;
		node = order > 0 ? node->left : node->right;
	}
	*key_out = best != NULL ? key_of(best) : (struct dr_bytes){ 0 };
	*value = best != NULL ? value_of(best) : (struct dr_bytes){ 0 };
	return best != NULL;
}

bool dr_map_ceil(struct dr_bytes *key_out, struct dr_bytes *value, struct dr_map map, struct dr_bytes key)
{
	return nearest(key_out, value, map, key, true);
}

bool dr_map_floor(struct dr_bytes *key_out, struct dr_bytes *value, struct dr_map map, struct dr_bytes key)
{
	return nearest(key_out, value, map, key, false);
}

/* after: the node that follows in order; the way to this one is marked by `up`. */
static struct dr_map_node *after(struct dr_map_node *node)
{
	struct dr_map_node *next = node->right;

	if (next == NULL) {
		while (node->up != NULL && node == node->up->right)
			node = node->up;
		return node->up;
	}
	next->up = node;
	for (; next->left != NULL; next = next->left)
		next->left->up = next;
	return next;
}

void dr_map_each(struct dr_map map, struct dr_bytes from,
		 bool (*each)(void *ctx, struct dr_bytes key, struct dr_bytes value), void *ctx)
{
	struct dr_map_node *node = map.root, *up = NULL, *first = NULL;

	while (node != NULL) {
		const bool before = dr_bytes_cmp(key_of(node), from) < 0;

		node->up = up;
		up = node;
		if (!before)
			first = node;
		node = before ? node->right : node->left;
	}
	while (first != NULL && each(ctx, key_of(first), value_of(first)))
		first = after(first);
}

size_t dr_map_num(struct dr_map map)
{
	struct dr_map_node *node = map.root, *from = NULL;
	size_t num = 0;

	if (node != NULL)
		node->up = NULL;
	while (node != NULL) {
		struct dr_map_node *next = node->up;

		if (from == node->up) {
			num++;
			if (node->left != NULL)
				next = node->left;
			else if (node->right != NULL)
				next = node->right;
		} else if (from == node->left && node->right != NULL) {
			next = node->right;
		}
		if (next != node->up)
			next->up = node;
		from = node;
		node = next;
	}
	return num;
}

static void digest(struct dr_map_node *node)
{
	static const uint8_t none[32];
	const struct dr_bytes key = key_of(node), value = value_of(node);
	const uint8_t tag = 1;
	const uint8_t key_len[2] = { (uint8_t)(key.len >> 8), (uint8_t)key.len };
	const uint8_t value_len[2] = { (uint8_t)(value.len >> 8), (uint8_t)value.len };
	const struct dr_bytes parts[] = {
		dr_bytes_of(&tag, 1),
		dr_bytes_of(node->left != NULL ? node->left->digest : none, 32),
		dr_bytes_of(node->right != NULL ? node->right->digest : none, 32),
		dr_bytes_of(key_len, 2),
		key,
		dr_bytes_of(value_len, 2),
		value,
	};

	dr_sha256(node->digest, parts, sizeof(parts) / sizeof(parts[0]));
	node->has_digest = true;
}

void dr_map_digest(uint8_t out[static 32], struct dr_map map)
{
	struct dr_map_node *node = map.root;

	memset(out, 0, 32);
	if (node == NULL)
		return;
	node->up = NULL;
	while (node != NULL) {
		struct dr_map_node *next = node->left;

		if (node->has_digest || next == NULL || next->has_digest)
			next = node->right;
		if (node->has_digest || next == NULL || next->has_digest) {
			if (!node->has_digest)
				digest(node);
			node = node->up;
			continue;
		}
		next->up = node;
		node = next;
	}
	memcpy(out, map.root->digest, 32);
}

bool dr_map_same(struct dr_map a, struct dr_map b)
{
	uint8_t digest_a[32], digest_b[32];

	if (a.root == b.root)
		return true;
	dr_map_digest(digest_a, a);
	dr_map_digest(digest_b, b);
	return memcmp(digest_a, digest_b, 32) == 0;
}
