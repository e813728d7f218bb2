/* SPDX-License-Identifier: Apache-2.0
 *
 * limits: every bound of the project in one place. Input beyond a bound is DR_ERR_LIMIT, never a guess.
 *
 * Layer: chain/base.
 */
#ifndef DR_BASE_LIMITS_H
#define DR_BASE_LIMITS_H

/* Execution layer */
#define DR_EVM_HEADER_LEN_MAX  8192u       /* RLP; real ones are about 600 bytes */
#define DR_EVM_EXTRA_LEN_MAX   4096u       /* extraData; 32 on mainnet, longer with sealed chains */
#define DR_EVM_RECEIPT_LEN_MAX (32u << 20) /* one receipt: 8 gas buy a byte, so beyond 260 million gas */
#define DR_EVM_RECEIPTS_MAX    65536u      /* receipts of one block */
#define DR_EVM_LOGS_MAX        262144u     /* logs of one block */
#define DR_EVM_TOPICS_MAX      4u
#define DR_MPT_DEPTH_MAX       65u   /* nodes on one path: 64 nibbles and a leaf */
#define DR_MPT_NODE_LEN_MAX    1024u /* an inner node; branch of 16 hashes = 532 */
#define DR_RLP_DEPTH_MAX       16u

/* ABI */
#define DR_ABI_DEPTH_MAX 16u
#define DR_ABI_ITEMS_MAX 65536u

/* Evidence */
#define DR_FRAME_LEN_MAX  (48u << 20) /* payload of one frame; a block's receipts are the largest */
#define DR_EVENT_DATA_MAX 4096u       /* data of one governance event */
/* Governance events of one block. Anybody may emit them, at some 2800 gas each: a bound that one block's gas
 * could pay for would stop every follower for ever. This one costs 700 million gas. */
#define DR_BLOCK_EVENTS_MAX DR_EVM_LOGS_MAX
#define DR_FOLLOW_STEP_MAX  512u /* blocks one final step may advance */
#define DR_ENDPOINTS_MAX    16u

/* Beacon chain */
#define DR_SYNC_COMMITTEE_MAX 512u /* SYNC_COMMITTEE_SIZE of mainnet; powers of two below it are other presets */
#define DR_LC_PAST_MAX        64u  /* final beacon blocks remembered, for conflicts */
/* How far a signature's slot may be ahead of our clock: MAXIMUM_GOSSIP_CLOCK_DISPARITY, 500 ms, in whole seconds. */
#define DR_CLOCK_SKEW_S 1u

/* Tables. Fuzzing has small ones (make PROFILE=fuzz): an input then costs little, and
 * what happens when they are full is reached. */
#ifndef DR_SMALL_TABLES
#define DR_ARENA_CHUNK       65536u /* bytes that an arena takes at a time */
#define DR_STATE_SLOTS_MAX   256u   /* storage slots of one state proof */
#define DR_WANTS_MAX         64u    /* outstanding wants */
#define DR_FOLLOW_BLOCKS_MAX 8192u  /* headers held above the cursor */
#define DR_FOLLOW_PAST_MAX   8192u  /* final blocks remembered below it */
#define DR_FOLLOW_FAR_MAX    4096u  /* final blocks known beyond the reach of the headers held */
#define DR_FOLLOW_YOUNG_MAX  32u    /* state proofs of blocks that are not final yet */
#define DR_TREE_BUCKETS      4096u
#define DR_BLOOM_MEMO_MAX    4096u /* values of which it is remembered what they are in a bloom */
#define DR_QUORUM_WORDS      64u   /* words about final blocks of one endpoint that count */
#define DR_QUORUM_KNOWN_MAX  1024u /* authenticated final blocks remembered, for dissent */
#define DR_HEADS_MAX         4096u /* head states that count at once; beyond: sealed */
#elif !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#error "small tables are for fuzzing alone"
#else
#define DR_ARENA_CHUNK       2048u
#define DR_STATE_SLOTS_MAX   24u
#define DR_WANTS_MAX         16u
#define DR_FOLLOW_BLOCKS_MAX 24u
#define DR_FOLLOW_PAST_MAX   16u
#define DR_FOLLOW_FAR_MAX    8u
#define DR_FOLLOW_YOUNG_MAX  2u
#define DR_TREE_BUCKETS      4u
#define DR_BLOOM_MEMO_MAX    16u
#define DR_QUORUM_WORDS      4u
#define DR_QUORUM_KNOWN_MAX  16u
#define DR_HEADS_MAX         8u
#endif

/* Governance */
#define DR_ARGS_MAX           16u /* words of one action */
#define DR_MAP_KEY_MAX        96u
#define DR_MAP_VALUE_MAX      768u
#define DR_PROFILE_EVENTS_MAX 128u
#define DR_PROFILE_SLOTS_MAX  64u
#define DR_PROFILE_LEN_MAX    65536u
#define DR_ADVISORIES_MAX     32u          /* advisory ids of one key request */
#define DR_TIME_MAX_S         (1ull << 48) /* block timestamps, dues, deadlines and periods: sums never wrap */

/* Local protocol */
#define DR_MSG_LEN_MAX     (DR_FRAME_LEN_MAX + 1024u)
#define DR_CLIENTS_MAX     16u
#define DR_CHECKPOINTS_MAX 4u /* files with checkpoints that peers kept */

#endif
