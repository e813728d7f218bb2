/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_decide: how long one question to the engine takes: may this application, as measured, on this hardware, have
 * this key? Asked of the final state and of 32 heads above it, seals and divergences included; each question timed by
 * itself. Then about a version that was never announced: it must be denied.
 */
#include "tests/bench/bench.h"
#include "tests/unit/kms-bridge/engine_kit.h"

#define ASKS  20000u
#define HEADS 32u

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static double each[ASKS];
	struct bench b = bench_begin("decide");
	struct dr_request request = world_request();
	double p50[BENCH_ROUNDS_MAX], p99[BENCH_ROUNDS_MAX];
	struct dr_decision d;
	struct world w;
	char more[200];

	world_new(&w, 1);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 64);

	ek_start(k);
	ek_run(k, RIGHT);
	world_plain(&w, HEADS);
	w.forge->heads = true;
	for (unsigned i = 0; i < 4; i++)
		ek_round(k);
	while (b.done < b.rounds) {
		bench_start(&b);
		for (unsigned i = 0; i < ASKS; i++) {
			const double from = bench_clock(CLOCK_MONOTONIC);

			dr_engine_ask(k->e, &d, &request);
			each[i] = bench_clock(CLOCK_MONOTONIC) - from;
			bench_must(d.verdict == DR_ALLOW, dr_deny_name(d.deny));
		}
		bench_stop(&b);
		qsort(each, ASKS, sizeof(each[0]), by_size);
		p50[b.done - 1] = each[ASKS / 2] * 1e6;
		p99[b.done - 1] = each[ASKS - ASKS / 100] * 1e6;
	}
	static struct dr_status_report status;

	dr_engine_status(k->e, &status);
	qsort(p50, b.done, sizeof(p50[0]), by_size);
	qsort(p99, b.done, sizeof(p99[0]), by_size);
	snprintf(more, sizeof(more), "\"p50_us\":%.3f,\"p99_us\":%.3f,\"heads\":%u,", p50[b.done / 2],
		 p99[b.done / 2], (unsigned)status.heads_counting);
	request.measurement[31] ^= 1;
	dr_engine_ask(k->e, &d, &request);
	bench_end(&b, ASKS, "allow", d.verdict == DR_ALLOW ? "accepted" : "refused", more);
	return 0;
}
