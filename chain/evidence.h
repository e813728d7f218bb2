/* SPDX-License-Identifier: Apache-2.0
 *
 * evidence: the framed format of bytes that nobody trusts: one format for the live pipe, a recording,
 * a fixture and an auditor's bundle. ARCHITECTURE.md, "Evidence", shows it byte by byte.
 *
 *   stream  = head frame*
 *   head    = 64 bytes: magic "derotev\0" · u16 version (1) · u16 family (1 = EVM) · u32 zero ·
 *             u64 chain id · genesis hash 32 · checksum 8
 *   frame   = u32 payload length · u16 type · u16 source · payload · checksum 8
 *
 * Integers are big-endian. A checksum is the first 8 bytes of the SHA-256 of all bytes before it in
 * its head or frame; it finds torn and damaged files, it proves nothing. `source` is an annotation:
 * the index of the endpoint that answered, in the order of the configuration, so that a lie can be
 * named; DR_SOURCE_CORE marks frames that only the core itself may stamp.
 *
 * Evidence is bound to chain id and genesis, not to a profile or a contract.
 *
 * Layer: chain (face).
 */
#ifndef DR_CHAIN_EVIDENCE_H
#define DR_CHAIN_EVIDENCE_H

#include "chain/base/arena.h"
#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/base/writer.h"

#define DR_EVIDENCE_HEAD_LEN       64u
#define DR_EVIDENCE_FRAME_OVERHEAD 16u
#define DR_EVIDENCE_VERSION        1u
#define DR_SOURCE_CORE             0xffffu

enum dr_family {
	DR_FAMILY_EVM = 1,
};

enum dr_frame_type {
	/* Foreign: anyone may hand these in; each is proved or refused. */
	DR_FRAME_FINALITY = 0x0001, /* u8 scheme (1 = quorum) · scheme's own payload; see finality.h */
	DR_FRAME_HEADER = 0x0002,   /* header RLP */
	DR_FRAME_RECEIPTS = 0x0003, /* block hash 32 · u32 num · num × (u32 len · receipt) */
	DR_FRAME_STATE = 0x0004,    /* block hash 32 · address 20 · nodes · u16 num · num × (slot 32 · nodes)
				       nodes = u16 num · num × (u16 len · node) */
	DR_FRAME_LOGS = 0x0005,     /* last block's hash 32 · address 20 · u64 first · u64 last · u32 num ·
				       num × (u64 block number · topic0 32 · u32 len · data); way (c) */
	/* Stamped by the core alone: on the pipe each is a protocol error. */
	DR_FRAME_START = 0x8001,   /* u64 boot ms · u64 wall ms: a core started; it is sealed */
	DR_FRAME_CLOCK = 0x8002,   /* u64 boot ms · u64 wall ms */
	DR_FRAME_REQUEST = 0x8003, /* a key request, as governance/decide.h encodes it */
	DR_FRAME_ABOUT = 0x8004,   /* what the recorder followed, as an INIT message's payload (proto.h): a claim,
				      for whoever replays without an anchor of his own */
	DR_FRAME_NONCE = 0x8005,   /* nonce 32: drawn for a heartbeat of the node's account */
};

struct dr_evidence_head {
	uint16_t family;
	uint64_t chain_id;
	uint8_t genesis[32];
};

struct dr_frame {
	uint16_t type;
	uint16_t source;
	struct dr_bytes payload;
};

/* dr_frame_is_core: only the core may stamp this type. */
static inline bool dr_frame_is_core(uint16_t type)
{
	return (type & 0x8000u) != 0;
}

/* dr_evidence_head_put / _get: the 64-byte head. get: DR_ERR_SHORT, _SYNTAX (magic, checksum),
 * _UNKNOWN (version or family). */
void dr_evidence_head_put(uint8_t out[static DR_EVIDENCE_HEAD_LEN], const struct dr_evidence_head *head);
enum dr_err dr_evidence_head_get(struct dr_evidence_head *out, struct dr_bytes bytes, struct dr_fail *fail);

/* dr_frame_put: appends the frame (header, payload, checksum) to *out. */
enum dr_err dr_frame_put(struct dr_buf *out, const struct dr_frame *frame, struct dr_fail *fail);

/* dr_frame_get: the frame at the start of bytes; out->payload borrows. *used is its whole length.
 * DR_ERR_SHORT: bytes end inside the frame (a torn tail, or more is to come); *used is then 0.
 * DR_ERR_SYNTAX: checksum. DR_ERR_LIMIT: length. An unknown type is not an error here. */
enum dr_err dr_frame_get(struct dr_frame *out, size_t *used, struct dr_bytes bytes, struct dr_fail *fail);

#endif
