/* SPDX-License-Identifier: Apache-2.0
 *
 * watch: the watcher and its sources, of which some lie. What is told truthfully is noted at the blocks it is about
 * (world.h): the core can know no more than that.
 */
#ifndef DR_TESTS_SIMULATE_WATCH_H
#define DR_TESTS_SIMULATE_WATCH_H

#include "tests/simulate/hear.h"

/* watch_round: the wants that stand are answered, or not, by sources as they are. honest: all, and truly; only: by
 * this one source (its words of finality by as many as must agree). */
void watch_round(bool honest, int only);
/* watch_drain: honestly, until nothing comes of it any more. watch_open: wants that stand, but for that of finality.
 */
void watch_drain(int only);
size_t watch_open(void);
/* watch_head: k sources name this block their head. watch_words: sources name what they call final and head. */
void watch_head(struct block *b);
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

#endif
