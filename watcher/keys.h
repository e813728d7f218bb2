/* SPDX-License-Identifier: Apache-2.0
 *
 * keys: the forms of `derot keys`, one function each; watcher/cmd_keys.c finds which is meant. Options that a form
 * does not know are refused before it is called.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_KEYS_H
#define DR_WATCHER_KEYS_H

#include "watcher/ask.h"

struct dr_keys_opts {
	const char *config;
	const char *generation, *to, *out, *socket, *argon2_mib;
	/* A transaction's. */
	const char *account_key, *tx_nonce, *gas, *max_fee, *max_fee_gwei, *priority_fee;
	/* A request's, and a registration's. */
	const char *app, *measurement, *service, *contract, *purpose, *from, *tee, *family, *device, *svn,
		*confidence;
	const char *recipient, *recipient_file;
	struct dr_opt_list advisories;
	bool before, root_before, prove;

	uint64_t wanted;  /* --generation as a number; 0: the newest */
	const char *file; /* the argument, of a form that takes one */
};

/* cmd_keys.c. dr_keys_node: this node's public keys, as the core tells them. dr_keys_root: the publication of a
 * generation (0: the newest); trouble if the node holds none. */
int dr_keys_node(struct dr_asking *a, struct dr_node_public *node);
int dr_keys_root(struct dr_asking *a, struct dr_root_public *root, uint64_t generation);

/* keys_tx.c */
int dr_cmd_keys_publish(struct dr_cli *cli, const struct dr_keys_opts *o);
int dr_cmd_keys_heartbeat(struct dr_cli *cli, const struct dr_keys_opts *o);

/* dr_keys_call: the data that calls a function whose arguments are num static words, num <= 11: out[0,4 + 32 * num).
 */
#define DR_KEYS_CALL_MAX (4u + 32 * 11)
size_t dr_keys_call(uint8_t out[static DR_KEYS_CALL_MAX], const char *signature, const uint8_t (*words)[32],
		    size_t num);

/* dr_keys_call_publish: of publishRoot(uint64,bytes32[10]). */
size_t dr_keys_call_publish(uint8_t out[static DR_KEYS_CALL_MAX], const struct dr_root_public *root);

/* keys_parcel.c */
int dr_cmd_keys_share(struct dr_cli *cli, const struct dr_keys_opts *o);
int dr_cmd_keys_accept(struct dr_cli *cli, const struct dr_keys_opts *o);

/* keys_derive.c */
int dr_cmd_keys_derive(struct dr_cli *cli, const struct dr_keys_opts *o);

#endif
