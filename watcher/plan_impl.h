/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_impl: what the files of the planner share: planner.c (messages, endpoints' standing, who is asked next),
 * plan_ask.c (wants to calls), plan_take.c (replies to frames), plan_name.c (words about blocks), plan_beacon.c
 * (beacon nodes). Private to them.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_PLAN_IMPL_H
#define DR_WATCHER_PLAN_IMPL_H

#include "watcher/planner.h"

#define RESEND_MS       10000u
#define HEADERS_AT_ONCE 512u
#define WANTS_HELD      (2 * DR_WANTS_MAX) /* new wants may come before the old ones are cancelled */

/* How a block's receipts are had; each endpoint remembers the first that works. */
enum receipts_way {
	RECEIPTS_BY_HASH = 0,   /* eth_getBlockReceipts(hash) */
	RECEIPTS_BY_NUMBER = 1, /* eth_getBlockReceipts(number) */
	RECEIPTS_BY_TX = 2,     /* eth_getTransactionReceipt(hash) for each transaction */
};

struct standing {
	bool used, busy;
	struct dr_want want;
	uint32_t tried;  /* endpoints that failed in this round, by bit */
	uint32_t rounds; /* that ended with nobody having it */
	uint64_t not_before_ms;
	int source;            /* the endpoint it must go on with, none that is in tried; -1: any */
	uint64_t since_ms;     /* HEADERS: source's first part came then */
	enum receipts_way way; /* RECEIPTS: tried now */
	bool has_work;         /* RECEIPTS_BY_TX: these two are known */
	uint8_t root[32];
	uint8_t (*txs)[32]; /* owned */
	size_t num_txs;
	uint64_t next; /* HEADERS: the first number not sent yet */
	uint8_t next_parent[32];
	uint64_t span; /* LOGS: blocks of one call; 0: all */
};

enum trip_kind {
	TRIP_NONE = 0,
	TRIP_CHECK, /* chain id, genesis */
	TRIP_POLL,  /* the final tag, latest */
	TRIP_NAME,  /* the blocks at two numbers, for FINALITY frames */
	TRIP_DATA,  /* other wants */
};

struct item {
	uint32_t want;     /* id: it may have been cancelled meanwhile */
	size_t first, num; /* its calls */
	uint64_t from;     /* LOGS: span; HEADERS: first number */
};

struct trip {
	enum trip_kind kind;
	uint32_t want;         /* NAME: the FINALITY want */
	uint64_t final_, head; /* NAME: numbers asked, 0: not */
	size_t num_items;
	struct item items[DR_WANTS_MAX];
};

struct endpoint_at {
	enum dr_endpoint_state state;
	bool checked;
	bool lied;      /* why it is aside */
	bool withholds; /* it had not a block that it named */
	uint32_t strikes, lies;
	uint64_t aside_ms, until_ms;
	enum receipts_way receipts;
	uint64_t headers_max; /* as many as it gave before an exchange took too long; 0: it never did */
	uint64_t poll_at_ms;
	bool has_final, has_latest;
	uint64_t final_, latest;
	uint32_t named_want; /* the FINALITY want that these were said for */
	uint64_t named_final, named_head;
	uint8_t named_final_hash[32], named_head_hash[32];
	uint64_t named_final_ms, named_head_ms; /* when it was asked last */
	uint8_t said[2][32];                    /* a beacon node's last finality and optimistic update */
	struct trip trip;
	enum trip_kind last; /* of the trip before */
};

struct dr_plan {
	struct dr_plan_config config;
	struct dr_plan_io io;
	struct endpoint_at endpoints[DR_ENDPOINTS_MAX];
	struct standing wants[WANTS_HELD];
	uint64_t credit;
	struct dr_buf out;      /* messages that may go */
	struct dr_buf waiting;  /* FRAME messages without credit */
	struct dr_arena *arena; /* of one exchange */
	uint16_t turn;          /* the endpoint that is looked at first */
};

/* Sources of both kinds; is it a beacon node; has its kind what is wanted? */
static inline uint16_t plan_sources(const struct dr_plan *p)
{
	return (uint16_t)(p->config.num_endpoints + p->config.num_beacons);
}

static inline bool plan_is_beacon(const struct dr_plan *p, uint16_t e)
{
	return e >= p->config.num_endpoints;
}

static inline bool plan_for_beacons(const struct dr_want *want)
{
	return want->kind == DR_WANT_BOOTSTRAP || want->kind == DR_WANT_UPDATES;
}

static inline bool plan_serves(const struct dr_plan *p, uint16_t e, const struct dr_want *want)
{
	return plan_is_beacon(p, e) == plan_for_beacons(want);
}

/* planner.c */
struct standing *plan_find(struct dr_plan *p, uint32_t id);
enum dr_err plan_frame(struct dr_plan *p, uint32_t want, uint16_t source, uint16_t type, struct dr_bytes payload,
		       struct dr_fail *fail);
/* Would a frame with so long a payload go at once? */
bool plan_has_credit(const struct dr_plan *p, size_t len);
void plan_state(struct dr_plan *p, uint16_t e, enum dr_endpoint_state state, const char *reason,
		struct dr_fail *fail);
/* The way to the endpoint, or the endpoint, failed: a pause. */
void plan_strike(struct dr_plan *p, uint16_t e, const char *reason, uint64_t now_ms, struct dr_fail *fail);
/* It said something false. */
void plan_lie(struct dr_plan *p, uint16_t e, const char *reason, uint64_t now_ms, struct dr_fail *fail);
/* This endpoint does not have it: the next one's turn. */
void plan_unavailable(struct dr_plan *p, struct standing *w, uint16_t e, const char *reason, struct dr_fail *fail);
void plan_say_unavailable(struct dr_plan *p, uint32_t want, uint16_t source, const char *reason,
			  struct dr_fail *fail);
void plan_answered(struct standing *w, uint64_t now_ms);
/* Back to the beginning, whoever is asked next. */
void plan_restart(struct standing *w);
/* May somebody else be asked for it in this round? */
bool plan_has_other(const struct dr_plan *p, const struct standing *w, uint16_t e, uint64_t now_ms);

/* plan_ask.c: a growing list of calls. */
struct asks {
	struct dr_rpc_call *calls;
	size_t num, room;
	struct dr_fail *fail;
};
void ask_add(struct asks *a, const char *method, char *params);
char *ask_text(struct dr_fail *fail, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ask_block(struct asks *a, uint64_t number);
void ask_tag(struct asks *a, const char *tag);
/* The calls for the first want that endpoint e may answer, and for as many more as fit beside it. */
void ask_data(struct dr_plan *p, uint16_t e, struct asks *a, size_t share, uint64_t now_ms);

/* plan_name.c. plan_name_due: is there a number at which e is to name a block for w? *final_, *head: 0: not. */
bool plan_name_due(const struct dr_plan *p, uint16_t e, const struct standing *w, uint64_t now_ms, uint64_t *final_,
		   uint64_t *head);
void plan_name_poll(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint64_t now_ms,
		    struct dr_fail *fail);
void plan_name_take(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint64_t now_ms,
		    struct dr_fail *fail);

/* plan_beacon.c. plan_beacon_poll: want is the id under which finality is wanted now, which need not be that under
 * which it was asked for; 0: it is not. */
void plan_beacon_ask_check(struct asks *a);
void plan_beacon_ask_poll(struct asks *a);
void plan_beacon_ask(struct asks *a, const struct standing *w);
void plan_beacon_poll(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint32_t want, uint64_t now_ms,
		      struct dr_fail *fail);
void plan_beacon_take(struct dr_plan *p, struct standing *w, uint16_t e, const struct dr_rpc_call *call,
		      uint64_t now_ms, struct dr_fail *fail);

/* plan_take.c */
enum dr_err plan_take_data(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint64_t now_ms,
			   struct dr_fail *fail);

#endif
