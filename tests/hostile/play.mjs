// SPDX-License-Identifier: Apache-2.0
//
// Plays a life of plan.mjs against a real `derot run`, round by round. After every look at it:
//
//   · its ledger and state are those of the honest run at the block that it calls final;
//   · that block is honestly final, and below every block that all endpoints hide;
//   · no key was given that the honest chain does not grant there, or that a head it knows takes away;
//   · nobody is called a liar who has told no lie: not for being slow, nor on a fork that was left;
//   · its processes are the ones that were started, and nothing was said by a sanitizer.
//
// Now and then all its processes are killed in a round. Beside enough honest endpoints it goes on while the others lie; when all are honest again, it goes on.

import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, Kms } from '../nodes/run.mjs';
import { byName } from './attacks.mjs';
import { BEACON_ATTACKS } from './attacks_beacon.mjs';
import { startBeaconLiar } from './beacon_liar.mjs';
import { Client } from './client.mjs';
import { BEHIND, CHAINS } from './plan.mjs';
import { Acting, LACKS, startProxy } from './proxy.mjs';
import { random } from './random.mjs';
import { View } from './view.mjs';

const SLOW = Number(process.env.SLOW || 1); // how many times as long everything may take
export const TIMES = Math.round(400 / SLOW); // how fast derot-watch lives: in its time, nothing changes
const POLL_MS = 2000;
// Where everybody is honest nobody is to be late.
export const PACE = { poll_ms: POLL_MS, timeout_ms: 600000 };
const TIMEOUT_MS = { quorum: 60000, consensus: 120000 }; // what beacon nodes say is long
const ALONE_MS = 40 * SLOW; // how long a round waits for an attack to be met, where nobody is honest
const WATCHED_MS = 8; // and is watched after that
const LOOK_MS = 25; // it is looked at whenever it says something, and so often besides
const BREATH_MS = 2;
const GOES_ON_MS = 30000 * SLOW;
const SWING_MS = 15 * SLOW;
const SEALED_MS = 60 * SLOW; // how long it is watched where nothing can be proven final
const STALENESS_S = 86400;

// The events of a node, with an ear.
class Heard extends Array {
	#heard;

	constructor(heard) {
		super();
		this.#heard = heard;
	}

	static get [Symbol.species]() {
		return Array;
	}

	push(...events) {
		this.#heard(events);
		return super.push(...events);
	}
}

const rowOf = (name, beacon) => (beacon ? BEACON_ATTACKS.find((row) => row.name === name) : byName(name));

export class Life {
	stats = { rounds: 0, lies: 0, met: 0, allows: 0, denies: 0, reorgs: 0, restarts: 0, kills: 0, conflicts: 0, sealed: 0, absent: 0, stalled: 0, unshown: 0, periods: 0, healed: 0, granted: 0, strange: 0, looks: 0 };
	rows = {}; // lies by the name of the attack
	forkTip = 0; // the greatest number of a block of a fork that was shown
	#heard = false;
	#resolve = () => undefined;
	#wake = () => {
		this.#heard = true;
		this.#resolve();
	};
	#orphans = new Set(); // hashes of blocks of forks that all were on
	#accused = null;
	#unshown = false; // started while too few sign: what is final is not proven anew, and nothing is answered

	constructor(seed, plan, recording, truth) {
		Object.assign(this, { seed, plan, recording, truth });
	}

	async play(until = Infinity, from = 0) {
		await this.#begin(from);
		for (const round of this.plan.rounds.slice(from, until)) {
			this.round = round;
			await this.#round(round);
			this.stats.rounds++;
			if (round.conflict !== undefined) return this.#conflict();
		}
		return this.end();
	}

	// from: of the round that is played first; what lies before it is shown by honest endpoints.
	async #begin(from) {
		const { plan, recording } = this;
		const before = plan.rounds[from - 1];
		this.proxies = [];
		this.views = [];
		for (const { beacon, lacks, batches, json, stranger } of plan.endpoints) {
			const view = new View(recording, 31337);
			const proxy = await (beacon ? startBeaconLiar : startProxy)(view);
			if (lacks) proxy.lacks = LACKS.blockReceipts;
			Object.assign(proxy, { batches, json, told: this.#wake });
			if (stranger) proxy.attack = rowOf(stranger, beacon);
			this.proxies.push(proxy);
			this.views.push(view);
		}
		this.#show(before?.head ?? plan.head, before?.final ?? plan.start);
		this.most = before?.most ?? plan.start;
		const named = this.proxies.map(({ url }, i) => ({ name: `node-${i}`, url }));
		const options = {
			endpoints: named.slice(0, plan.n),
			consensus: recording.beacon?.consensus({ endpoints: named.slice(plan.n) }),
			quorum: plan.k,
			completeness: plan.way,
			step: plan.step,
			batch: { requests: plan.batch },
			poll_ms: POLL_MS,
			timeout_ms: TIMEOUT_MS[recording.proof],
			max_staleness: STALENESS_S,
			chain_id: 31337,
		};
		this.kms = plan.birth ? new Kms(recording.story.derot, { ...options, node: recording.story.kms1 }) : recording.base.copy(options);
		this.kms.events = new Heard((events) => (events.forEach((event) => this.#hear(event)), this.#wake()));
		await this.#start();
		// Who knows nothing yet is lied to at once.
		if (from > 0 || !plan.birth) await this.#reaches(this.views[0].final, 'the beginning');
	}

	// A block that was left may still be on its way when its height is final: a dissent, and no lie.
	#hear({ type, kind, source, hash, detail }) {
		if (type !== 'journal' || this.proxies[source]?.lies !== 0) return;
		if (kind === 'lie' || (kind === 'dissent' && !this.#orphans.has(hash))) this.#accused ??= `endpoint ${source}: ${kind} ${hash}: ${detail}`;
	}

	async #start(options = {}) {
		this.kms.events.length = 0;
		await this.kms.start({ wait: false, ...options });
		this.client = await this.#connect();
		// By number: the name of one that was started just now is still its parent's.
		this.children = String(Object.values(this.kms.children()));
		this.known = 0;
	}

	async #connect() {
		for (const end = Date.now() + GOES_ON_MS; ; await sleep(5)) {
			this.#alive();
			try {
				return await Client.open(join(this.kms.data, 'core.sock'));
			} catch (error) {
				if (Date.now() > end) throw error;
			}
		}
	}

	#alive() {
		const { kms } = this;
		if (kms.code !== undefined) throw new Error(`derot run ended with ${kms.code}`);
		assert.doesNotMatch(kms.err, /Sanitizer|runtime error|starting again/, 'a process ended');
	}

	#show(head, final) {
		for (const view of this.views) Object.assign(view, { head, final });
	}

	// Looks at it: whatever happened, what it says is true.
	async #look() {
		this.#alive();
		this.#heard = false;
		const s = await this.client.status();
		this.stats.looks++;
		assert.equal(s.halted, false, 'halted');
		assert.equal(this.#accused, null, 'who told no lie is called a liar');
		this.period ??= s.beacon.period;
		this.stats.periods = s.beacon.period - this.period;
		if (!s.has_final) return s;
		const honest = this.truth[s.final];
		assert.ok(s.final <= this.most, `the cursor is at ${s.final}, past the final block ${this.most}`);
		assert.equal(s.final_hash, this.recording.main[s.final].hash, 'another block is final');
		assert.deepEqual([s.ledger_size, s.ledger_root, s.state_digest], honest, `another ledger at ${s.final}`);
		if (s.final >= this.forkTip) assert.ok(s.head <= this.views[0].head, `head ${s.head}, where nobody is beyond ${this.views[0].head}`);
		if (this.hidden !== undefined) assert.ok(s.final < this.hidden, `the cursor is at ${s.final}, and block ${this.hidden} was not shown or not proven final by anybody`);
		return s;
	}

	async #reaches(number, what) {
		if (this.#unshown) return this.#wait(SEALED_MS);
		for (const end = Date.now() + GOES_ON_MS; ; await this.#news(LOOK_MS)) {
			const status = await this.#look();
			if (status.final >= number && status.has_final && !/since the start/.test(status.why)) return status;
			if (Date.now() > end) throw new Error(`${what}: block ${number} is not reached; ${JSON.stringify(status)}`);
		}
	}

	async #round(round) {
		const { plan, stats } = this;
		const r = random(`${this.seed} life ${plan.life} round ${round.number} played`);
		this.#unshown &&= !round.signed;
		if (round.restart) await this.#restart(round);
		this.kms.events.length = 0;
		const asks = this.#asks(round);
		this.acting = [];
		this.hidden = round.hidden;
		this.most = round.most;
		for (let turn = 0; turn < round.turns; turn++) {
			if (turn > 0) this.#honest();
			this.acting.push(...round.attacks.filter((attack) => attack.turn === turn).map((attack) => this.#attack(attack, r)));
			if (turn === 0 && round.fork >= 0) await this.#fork(round);
			this.#show(round.head, round.final);
			if (turn === 0 && round.kill) await this.#kill(round, r);
			if (turn === 0) await asks();
			if (round.absent) await this.#alone();
			else await this.#reaches(round.final, 'beside honest endpoints');
		}
		await asks();
		const lies = this.acting.reduce((sum, acting) => sum + acting.lies, 0);
		for (const { row, lies: num } of this.acting) if (num > 0) this.rows[row.name] = (this.rows[row.name] ?? 0) + num;
		stats.lies += lies;
		stats.met += lies > 0;
		// All are honest again.
		this.hidden = undefined;
		this.#honest();
		await this.#reaches(round.final, 'when all are honest');
		stats.healed += round.absent && !this.#unshown;
		stats.stalled += round.head > round.before && round.final === this.final;
		stats.unshown += this.#unshown;
		this.final = round.final;
		await asks();
		await this.#grants(round);
		this.#strangers();
		assert.equal(String(Object.values(this.kms.children())), this.children, 'other processes');
	}

	#honest() {
		for (const [i, proxy] of this.proxies.entries()) {
			if (this.plan.endpoints[i].stranger) continue;
			proxy.attacks = [];
			proxy.target = this.views[i];
			proxy.drop();
		}
	}

	#attack({ name, endpoint, at, chance }, r) {
		const proxy = this.proxies[endpoint];
		const chain = CHAINS.find((c) => c.name === name);
		if (name === BEHIND) {
			proxy.target = Object.assign(new View(this.recording, 31337), { head: at, final: Math.min(at, this.plan.start) });
			return new Acting(proxy, { name }, at, r);
		}
		if (chain) {
			const view = new View(this.recording, 31337);
			const fork = this.recording.forks[r.below(this.recording.forks.length)];
			Object.assign(view, { head: fork.base, final: fork.base });
			view.show(fork);
			view.final = view.tip;
			const honest = this.views[endpoint];
			const acting = new Acting(proxy, { name }, at, r);
			proxy.target = { ask: (method, params) => (chain.fork(acting) ? (acting.count(), view) : honest).ask(method, params) };
			return acting;
		}
		const row = rowOf(name, this.plan.endpoints[endpoint].beacon);
		// Now and then only: then it says what it would say else.
		const now = (f, otherwise) => f && ((p, ...args) => (chance < 1 && p.random() >= chance ? otherwise(...args) : f(p, ...args)));
		const said = (asked, reply) => reply;
		const change = { call: now(row.call, said), rest: now(row.rest, said), tells: now(row.tells, said), http: now(row.http, () => false) };
		const acting = new Acting(proxy, { ...row, ...change }, at, random(`${r()}`));
		proxy.attacks = [...proxy.attacks, acting];
		return acting;
	}

	// Nobody, or too few, are honest: it stands. An attack that is met is watched for a while.
	async #alone() {
		this.stats.absent++;
		const lies = () => this.acting.some((acting) => acting.lies > 0);
		for (const end = Date.now() + ALONE_MS; Date.now() < end && !lies(); await this.#news(ALONE_MS)) await this.#look();
		await sleep(WATCHED_MS);
		const { sealed } = await this.#look();
		this.stats.sealed += sealed;
	}

	// The nodes are on another fork for a while, perhaps more than once.
	async #fork(round) {
		const whole = this.recording.forks[round.fork];
		const fork = round.deep ? this.recording.cut(whole, round.deep) : whole;
		this.stats.reorgs++;
		for (const { hash } of fork.blocks) this.#orphans.add(hash);
		this.forkTip = Math.max(this.forkTip, fork.base + fork.blocks.length);
		for (let i = 0; i < round.swings; i++) {
			for (const view of this.views) {
				view.head = fork.base;
				view.show(fork);
			}
			await this.#wait(SWING_MS);
			for (const view of this.views) {
				view.show(null);
				view.head = round.head;
			}
			if (i + 1 < round.swings) await this.#wait(SWING_MS);
		}
	}

	async #wait(ms) {
		for (const end = Date.now() + ms; Date.now() < end; await this.#news(ms)) await this.#look();
	}

	// Until something was said or a lie was told since the last look, or so long.
	async #news(ms) {
		if (!this.#heard) {
			await new Promise((resolve) => {
				const timer = setTimeout(resolve, ms);
				this.#resolve = () => (clearTimeout(timer), resolve());
			});
		}
		await sleep(BREATH_MS);
	}

	// Asks for keys now; each time it is called, one of the round's requests.
	#asks(round) {
		const left = [...round.requests];
		return async () => {
			if (left.length > 0) await this.#ask(round, ...left.shift());
		};
	}

	async #ask(round, kind, pick) {
		const { recording, stats } = this;
		const before = await this.#look();
		const who = recording.who(kind, before.final, Math.max(before.final, before.head), pick);
		const { allow } = await this.client.key({ app: who.app, measurement: who.version });
		const after = await this.#look();
		stats[allow ? 'allows' : 'denies']++;
		if (!allow) return;
		// Granted at a final block from which on every head that was known supports it. Heads of forks are not in the model.
		const head = before.final < this.forkTip ? 0 : before.head;
		let good = false;
		for (let number = before.final; number <= after.final; number++) good ||= recording.holds(who, number, Math.max(number, head));
		assert.ok(good, `${who.app} ${who.version} was granted between blocks ${before.final} and ${after.final}, head ${head}`);
	}

	// What every block from the final one to the newest allows is granted, when all are honest: a node that denies
	// everything would pass all else. Not while blocks of a fork count, that may take it away; and who
	// begins with no keys has none.
	async #grants(round) {
		if (this.plan.birth || round.final < this.forkTip || this.#unshown) return;
		const who = this.recording.who('allowed', round.final, round.head, round.requests[0][1]);
		if (!this.recording.holds(who, round.final, round.head)) return;
		for (const end = Date.now() + GOES_ON_MS; ; await this.#news(LOOK_MS)) {
			const { allow, deny } = await this.client.key({ app: who.app, measurement: who.version });
			if (allow) break;
			if (Date.now() > end) throw new Error(`${who.app} ${who.version} is not granted at ${round.final}: ${deny}, ${JSON.stringify(await this.#look())}`);
		}
		this.stats.granted++;
	}

	// Who is on another chain is asked what chain it is on, and nothing else.
	#strangers() {
		for (const [i, { stranger }] of this.plan.endpoints.entries()) {
			if (!stranger) continue;
			const { methods, paths, polls, lies } = this.proxies[i];
			this.stats.strange = Math.max(this.stats.strange, lies);
			if (paths) {
				for (const path of paths) assert.equal(path, '/eth/v1/beacon/genesis', `endpoint ${i} has ${stranger}`);
				continue;
			}
			assert.equal(polls, 0, `endpoint ${i} ${stranger}, and was asked for its latest block`);
			for (const method of methods.keys()) assert.match(method, /^eth_(chainId|getBlockByNumber)$/, `endpoint ${i} ${stranger}`);
		}
	}

	async #restart({ way, signed }) {
		this.stats.restarts++;
		this.client.close();
		assert.equal(await this.kms.stop(), EXIT.good, this.kms.err);
		await this.#start({ completeness: way });
		this.#unshown = !signed;
	}

	// SIGKILL: derot run, and what it started, at once.
	async #kill({ signed }, r) {
		this.stats.kills++;
		await sleep(r.below(20));
		await this.#look();
		this.client.close();
		const { kms } = this;
		const pids = Object.values(kms.children()); // before: afterwards they are nobody's
		const stopped = kms.stop('SIGKILL');
		for (const pid of pids)
			try {
				process.kill(pid, 'SIGKILL');
			} catch (e) {
				if (e.code !== 'ESRCH') throw e; // it ended with its supervisor
			}
		assert.equal(await stopped, 'SIGKILL');
		await this.#start();
		this.#unshown = !signed;
	}

	// As many as are believed say that another chain is final: halt, an evidence file, exit code 4.
	async #conflict() {
		const { recording, plan, kms, round } = this;
		const { final } = await this.#look();
		this.client.close();
		// One beacon node is believed, whose word two thirds of a committee signed.
		for (const view of [...this.views.slice(0, plan.b > 0 ? plan.n : plan.k), ...this.views.slice(plan.n, plan.n + 1)]) {
			view.head = recording.forks[round.conflict].base;
			view.show(recording.forks[round.conflict]);
			view.final = view.tip;
		}
		assert.equal(await kms.ended(GOES_ON_MS), EXIT.conflict, kms.err);
		assert.ok(existsSync(join(kms.data, `conflict-${final}.ev`)), 'no evidence file');
		this.stats.conflicts++;
		await this.#close();
	}

	async end() {
		this.client.close();
		assert.equal(await this.kms.stop(), EXIT.good, this.kms.err);
		assert.doesNotMatch(this.kms.err, /Sanitizer|runtime error/);
		await this.#close();
	}

	async #close() {
		await Promise.all(this.proxies.map((proxy) => proxy.stop()));
		this.kms.remove();
	}

	// abandon: after a failure; what is left behind is said by the caller.
	async abandon() {
		this.client?.close();
		await this.kms?.stop('SIGKILL').catch(() => undefined);
		await Promise.all(this.proxies.map((proxy) => proxy.stop()));
	}
}

// The honest run: at every block of the recording, [ledger size, ledger root, state digest]. Every event is there.
export async function honestTruth(recording) {
	const truth = [];
	const view = new View(recording, 31337);
	const proxy = await startProxy(view);
	const kms = new Kms(recording.story.derot, { endpoints: [proxy.url], node: recording.story.kms1, ...PACE, max_staleness: STALENESS_S });
	Object.assign(view, { head: recording.birth, final: recording.birth });
	await kms.start();
	const client = await Client.open(join(kms.data, 'core.sock'));
	for (let number = recording.birth; number <= recording.height; number++) {
		Object.assign(view, { head: number, final: number });
		let s;
		for (const end = Date.now() + GOES_ON_MS; (s = await client.status()).final < number; await sleep(1))
			if (Date.now() > end) throw new Error(`the honest run stands at ${s.final}: ${JSON.stringify(s)}`);
		const before = truth[number - 1]?.[0] ?? 0;
		assert.ok(s.ledger_size - before >= recording.events[number] - (recording.events[number - 1] ?? 0), `the honest ledger at block ${number}`);
		truth[number] = [s.ledger_size, s.ledger_root, s.state_digest];
	}
	client.close();
	assert.equal(await kms.stop(), EXIT.good);
	await proxy.stop();
	kms.remove();
	return truth;
}
