/* SPDX-License-Identifier: Apache-2.0
 *
 * watch: the watcher and its sources, of which some lie. What is told truthfully is noted at the blocks it is about
 * (world.h): the core can know no more than that.
 */
#ifndef DR_TESTS_SIMULATE_WATCH_H
#define DR_TESTS_SIMULATE_WATCH_H

#include "tests/simulate/hear.h"

/* watch_send: a frame on its way to the core, in answer to a want. watch_wants: does a want of this kind stand? */
void watch_send(uint32_t want, struct dr_frame frame);
bool watch_wants(enum dr_want_kind kind);

/* watch_round: the wants that stand are answered, or not, by sources as they are. honest: all, and truly; only: by
 * this one source (its words of finality by as many as must agree). */
void watch_round(bool honest, int only);
/* watch_drain: honestly, until nothing comes of it any more. watch_open: wants that stand, but for that of finality.
 */
void watch_drain(int only);
size_t watch_open(void);
/* watch_head: k sources name this block their head; true: the core must believe it. watch_words: sources name what
 * they call final and head. */
bool watch_head(struct block *b);
void watch_words(bool honest);
/* watch_junk: something nobody asked for, or that breaks the protocol. */
void watch_junk(void);
void watch_break(void);
/* watch_news: endpoints come and go, and have nothing. */
void watch_news(void);
/* watch_conflict: k sources name a block final that contradicts what is final. False: there is none. */
bool watch_conflict(void);
/* watch_release: what was held back of messages in pieces arrives. */
void watch_release(void);

/* watch_beacon.c: the same at proof consensus. _note: a frame is sent. _timely: the core's clock leaves no doubt
 * whether it is of the future. */
void watch_beacon_words(bool honest);
bool watch_beacon_head(struct block *b);
void watch_beacon_answer(const struct dr_want *want, uint16_t source);
void watch_beacon_lie(const struct dr_want *want, uint16_t source);
void watch_beacon_conflict(void);
void watch_beacon_note(const struct dr_frame *f);
bool watch_beacon_timely(const struct dr_frame *f);

#endif
