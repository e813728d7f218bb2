/* SPDX-License-Identifier: Apache-2.0
 *
 * A receipt that decodes, walked log by log, re-encodes to the same bytes.
 */
#include "chain/evm/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dr_bytes input = dr_bytes_of(data, size);
	struct dr_evm_receipt r;
	struct dr_fail fail = { 0 };
	struct dr_buf out;
	size_t num = 0;

	if (dr_evm_receipt_decode(&r, input, &fail) != DR_OK) {
		DR_ASSERT(dr_bytes_zero(&r, sizeof(r)));
		return 0;
	}
	struct dr_evm_log *logs = dr_heap_alloc((r.num_logs + 1) * sizeof(*logs));

	DR_ASSERT(logs != NULL);
	for (struct dr_bytes cursor = r.logs; dr_evm_log_next(&logs[num], &cursor); num++)
		DR_ASSERT(num < r.num_logs);
	DR_ASSERT(num == r.num_logs);
	dr_buf_init(&out, DR_EVM_RECEIPT_LEN_MAX);
	DR_ASSERT(dr_evm_receipt_encode(&out, &r, logs, num, &fail) == DR_OK);
	DR_ASSERT(dr_bytes_eq(dr_buf_view(&out), input));
	dr_buf_free(&out);
	dr_heap_free(logs);
	return 0;
}
