// SPDX-License-Identifier: Apache-2.0
//
// record_consensus.mjs F: makes fixtures/consensus.ev anew: F, and F.anchor.yaml beside it. A life of DeRoT.sol on a real
// anvil under a forged beacon chain, told to a live derot run at proof consensus; its evidence is the recording. The
// forged beacon chain is why this is no scenario of `derot fixture make`; what a replay must say of it stands in
// fixtures/consensus.scenario.yaml all the same.
//
// Keys, times and the root generation are fixed, so the chain and its ledger are the same each time; which heads are
// seen, and what the clocks show beside them, is as it happens. The node's wall clock stands at the chain's time.

import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { label } from './abi.mjs';
import { Beacon, SLOTS_PER_PERIOD, now } from './beacon.mjs';
import { ACTION } from './derot.mjs';
import { publication } from './kdf.mjs';
import { EXIT, derotCli } from './run.mjs';
import { aheadBy } from './shim_clock.mjs';
import { APP, BUILD, NOTICE, Story } from './story.mjs';

const GENESIS_TIME = 1767225600; // as the other recordings begin: 2026-01-01
const CLOCK_S = GENESIS_TIME + 900; // what the node's wall clock shows when it is started: nobody signs in the future
const FORKS = { capella: 0, deneb: 8, electra: 16, fulu: 26 };
// Of a root generation that nobody uses: the recording has its publication.
const ROOT = { scalar: 0xde407n, seed: createHash('sha256').update('consensus.ev').digest() };

const [out] = process.argv.slice(2);
assert.ok(out, 'record_consensus.mjs F: which file is to be made?');

const beacon = await Beacon.start({ forks: FORKS, genesisTime: GENESIS_TIME });
const { chain } = beacon;
const story = await Story.found(chain, { beacon });
const kms = story.kms({ consensus: beacon.consensus({ from: 'who forged this chain' }) });
// atItsTime: what is started there lives in the chain's time.
const atItsTime = async (act) => {
	aheadBy(CLOCK_S - now());
	try {
		return await act();
	} finally {
		aheadBy(0);
	}
};
const takesHead = async () => {
	const height = await beacon.head();
	await kms.until((s) => s.head >= height, `head ${height}`);
};
// Seen as a head before it is final: what was signed takes nothing away, or takes it at once.
const settles = async () => {
	await takesHead();
	await story.final(kms);
};

await atItsTime(() => kms.start());
await story.final(kms);
await story.register();
await settles();
await kms.decides(APP, 'mail-v1'); // a request is evidence too
await story.council(ACTION.measurementAllow, BUILD);
await settles();
await story.pass(NOTICE.measurement);
await story.rotate();
await settles();
const [genesis, id] = [await chain.rpc('eth_getBlockByNumber', '0x0', false), Number(await chain.rpc('eth_chainId'))];
const words = publication({ chainId: id, genesis: genesis.hash, contract: story.derot.address, node: story.kms1, ...ROOT });
await story.derot.send(story.kms1, 'publishRoot', [1, words]);
await story.registerApp();
await story.announce('mail-v1');
await settles();
await story.pass(NOTICE.app);
await settles();
await story.announce('mail-v2');
await takesHead();
assert.equal(await kms.stop(), EXIT.good);
// While it is away the chain goes on for more than three periods: updates bring it back, parents lead to the final block.
await beacon.to((await beacon.slot()) + 3 * SLOTS_PER_PERIOD);
await atItsTime(() => kms.start());
await story.final(kms);
await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v1')]);
await settles();

// The anchor, as derot record writes one.
const begun = join(kms.folder, 'begun.ev');
const told = ['record', '-c', kms.config, '--to', String(Number(story.derot.birth)), '-o', begun];
const { code, err } = await atItsTime(() => derotCli(told));
assert.equal(code, EXIT.good, err);
const anchor = readFileSync(begun + '.anchor.yaml', 'utf8').replace(/^profile: .*$/m, 'profile: ../governance/profiles/derot-v1.yaml');
writeFileSync(out + '.anchor.yaml', anchor);
copyFileSync(await kms.exported(), out);
const { final, ledger_size, ledger_root, beacon: said } = await kms.status();
assert.equal(await kms.stop(), EXIT.good);
await beacon.stop();
console.log(`${createHash('sha256').update(readFileSync(out)).digest('hex')}  ${out}`);
console.log(`${final} blocks, final up to slot ${said.final_slot}; ledger ${ledger_size} ${ledger_root}`);
