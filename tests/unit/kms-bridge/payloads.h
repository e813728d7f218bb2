/* SPDX-License-Identifier: Apache-2.0
 *
 * payloads: every payload of the local protocol that has a struct, dr_NAME_put and dr_NAME_get.
 */
#ifndef DR_TESTS_PAYLOADS_H
#define DR_TESTS_PAYLOADS_H

/* clang-format off */
#define PAYLOADS(X)                                                                                                  \
	X(init) X(ask) X(entry) X(audit_finding) X(answer) X(want) X(refusal) X(unavailable) X(endpoint_news)        \
	X(log_query) X(key_answer) X(root_public) X(error) X(status_report) X(run) X(node_public) X(parcel_query)    \
	X(certificate_query) X(proof_query) X(log_proof) X(done)
/* clang-format on */

#endif
