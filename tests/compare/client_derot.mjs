// SPDX-License-Identifier: Apache-2.0
//
// derot itself, at proof consensus: `derot run` with the server alone, for as long as it gets on; then started again with an
// honest server beside it. What its ledger, its status and its journal say after each. The beacon node is the one that
// Helios has.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kms, derotCli, replay } from '../nodes/run.mjs';

const HOLD_MS = 1500;
const LIMIT_MS = 240000;
// The history is an hour old, its newest final block two epochs: who stands still in its middle holds a lease no more.
const MAX_STALENESS_S = 1800;
// Changes by time have no event; their ordinal is behind every event's.
const NO_EVENT = 0xffffffff;

// standing: waits until the run is at block `end` (false), or has a lie in its journal, is at block `last` and stays there
// for a while (true).
async function standing(kms, last, end) {
	let since;
	for (const limit = Date.now() + LIMIT_MS; Date.now() < limit; await sleep(200)) {
		const status = await kms.status();
		if (status && status.final >= end) return false;
		if (status?.final !== last) since = undefined;
		else if (since === undefined) since = Date.now();
		else if (Date.now() - since > HOLD_MS && (await named(kms)).some(({ kind }) => kind === 'lie')) return true;
	}
	throw new Error(`derot run neither got to block ${end} nor stood still at ${last}: ${kms.err}`);
}

// What the journal holds against the server.
async function named(kms) {
	return (await kms.journal()).filter((n) => n.source === 0 && (['lie', 'unavailable', 'dissent'].includes(n.kind) || /^set aside/.test(n.detail)));
}

async function told(kms) {
	const { code, json } = await kms.cli('status');
	const changes = (await kms.log()).filter((change) => change.ordinal < NO_EVENT);
	const verify = await kms.verify();
	return {
		events: changes.map((change) => `${change.block}/${change.ordinal}`),
		suspended: changes.some((change) => change.action === 'app.suspend' && change.outcome === 'applied'),
		final: json.final,
		sealed: json.sealed,
		exit: code,
		verify: verify.code,
		ledger: json.ledger_root,
		findings: kms.events.filter((event) => event.type === 'finding').map((event) => event.finding),
		journal: (await named(kms)).map(({ kind, hash, detail }) => ({ kind, hash, detail })),
	};
}

const consensusOf = ({ beacon, checkpoint }) => ({ network: 'mainnet', root: checkpoint, from: 'whom Helios has it from', endpoints: [beacon] });

// askDerot: {alone, beside}: what it told with the server alone, and with the honest one. beacon, checkpoint: where its
// knowledge of what is final comes from; last: the block before what is hidden, if anything; end: the final block to get to.
export async function askDerot(derot, { url, honest, last, end, ...proof }) {
	const server = { name: 'server', url };
	const options = { consensus: consensusOf(proof), step: 1, poll_ms: 10, max_staleness: MAX_STALENESS_S };
	const kms = new Kms(derot, { endpoints: [server], ...options });
	const begin = Date.now();
	await kms.start();
	const connect_ms = Date.now() - begin;
	const held = await standing(kms, last, end);
	const wall_ms = Date.now() - begin;
	const alone = { ...(await told(kms)), held, connect_ms, wall_ms };
	await kms.stop();
	await kms.start({ endpoints: [server, { name: 'honest', url: honest }] });
	await kms.until((status) => status.final >= end && !status.sealed, `block ${end}, unsealed`, LIMIT_MS);
	const beside = await told(kms);
	await kms.stop();
	return { alone, beside };
}

// askUnsigned: the newest final block, once it has told what is wrong with the beacon node's signatures: the checkpoint's
// own at most.
export async function askUnsigned(derot, { url, ...proof }) {
	const kms = new Kms(derot, { endpoints: [{ name: 'server', url }], consensus: consensusOf(proof), poll_ms: 10 });
	await kms.start();
	await kms.event((e) => e.type === 'journal' && e.kind === 'lie' && e.source === 1 && /the signature is not/.test(e.detail));
	const { final } = await kms.status();
	await kms.stop();
	return final ?? 0;
}

// askRecord: `derot record` through the server, and the replay of what was recorded. A recording that does not get on waits
// for somebody to end it: after limit_ms that is done.
export async function askRecord(derot, { url, end, ...proof }, limit_ms = LIMIT_MS) {
	const kms = new Kms(derot, { endpoints: [{ name: 'server', url }], consensus: consensusOf(proof), step: 1, poll_ms: 10 });
	await kms.configure();
	const file = join(kms.folder, 'recording.ev');
	const { code } = await derotCli(['record', '-c', kms.config, '--to', String(end), '-o', file], limit_ms);
	const again = await replay(file, '--anchor', await kms.anchor());
	const events = again.changes.filter((change) => change.ordinal < NO_EVENT).length;
	return { code, replay: again.code, final: again.status?.final ?? 0, events };
}
