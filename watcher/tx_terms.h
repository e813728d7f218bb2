/* SPDX-License-Identifier: Apache-2.0
 *
 * tx_terms: nonce, gas and fees of one transaction: what was given by hand, and for the rest what the configured
 * endpoints say. They are not believed further than it costs: of their answers the middle one is taken (the lower of
 * two), at least as many must have answered as the quorum asks for, and what nobody would pay is refused.
 *
 *   nonce         eth_getTransactionCount, pending
 *   priority fee  eth_maxPriorityFeePerGas; 1 gwei where a server does not know it; never above the max fee
 *   max fee       twice the newest block's base fee (six full blocks' worth of increases) and the priority fee
 *   gas           eth_estimateGas and a quarter; `gas_fixed` where nobody gives an estimate
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_TX_TERMS_H
#define DR_WATCHER_TX_TERMS_H

#include "watcher/config.h"

#define DR_TX_FEE_ASKED_MAX UINT64_C(1000000000000) /* 1000 gwei: more must be given by hand */
#define DR_TX_GAS_ASKED_MAX UINT64_C(10000000)

struct dr_tx_terms {
	bool has_nonce, has_gas, has_max_fee, has_priority_fee; /* given; the rest is asked */
	uint64_t nonce, gas;
	uint64_t max_fee, priority_fee; /* wei a unit of gas */
	/* Filled. */
	unsigned asked, answered; /* endpoints; 0: nothing had to be asked */
	bool gas_fixed;           /* no estimate: gas is the fixed amount */
	char gas_why[192];        /* the words of a server that gave none: foreign, not safe to print as they are */
};

/* dr_tx_terms_ask: completes *t for a transaction from `from` to the configured contract. DR_ERR_STALE: too few
 * endpoints of this chain answered; DR_ERR_UNKNOWN: the chain's blocks have no base fee (no EIP-1559);
 * DR_ERR_LIMIT: what they ask for is beyond the limits above; DR_ERR_NOMEM. */
enum dr_err dr_tx_terms_ask(struct dr_tx_terms *t, const struct dr_config *config, const uint8_t from[static 20],
			    struct dr_bytes data, uint64_t gas_fixed, struct dr_fail *fail);

#endif
