// SPDX-License-Identifier: Apache-2.0
//
// differential_beacon.mjs PEER JUDGE [ROUNDS [SEED]]: the light client's store, held against @lodestar/light-client on the
// same bootstraps and updates: of a forged chain across four forks and seven periods, honest, changed and signed again
// with its committees' keys, or with bytes changed; of chains that its committees forged beside it; and of mainnet
// (vectors/03-eth-lc-real, if there), 26 periods one after the other, with bytes changed. PEER is the program of beacon.c,
// JUDGE a Node.js for tests/lodestar/client/judge.mjs.
//
// Verdicts must agree, and where both take an update, what is final after it and what is the head. Where derot is stricter
// on purpose, a rule says so, decided by Lodestar's own types (judge.mjs), and it must be; it is counted. A difference that no rule
// explains is printed with its number, and the exit code is 1.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Forge, SLOTS_PER_EPOCH, SLOTS_PER_PERIOD, devnet } from '../../nodes/beacon.mjs';
import { startAnvil } from '../../nodes/chain.mjs';
import { need } from '../../nodes/packages.mjs';
import { answers, end, seeded, u32 } from './questions.mjs';

const { ssz, sszTypesFor } = await need('@lodestar/types');
const { networksChainConfig, genesisData } = await need('@lodestar/config/networks');
const [program, node, roundsText = '2000', seedText = '1'] = process.argv.slice(2);
const rounds = Number(roundsText);
const root = path.resolve(import.meta.dirname, '../../..');
const vectors = process.env.DEROT_VECTORS ?? path.join(root, '../shared/vectors');
const ASK = { network: 1, start: 2, try: 3, keep: 4, remember: 5, back: 6 };
const KIND = { update: 1, finality: 2, optimistic: 3 };
const CONTAINER = { 1: 'LightClientUpdate', 2: 'LightClientFinalityUpdate', 3: 'LightClientOptimisticUpdate' };
const FORKS = ['phase0', 'altair', 'bellatrix', 'capella', 'deneb', 'electra', 'fulu'];
// Epochs at which forks begin: within a period, where one ends, and within an epoch's reach of that.
const SCHEDULE = { capella: 0, deneb: 12, electra: 24, fulu: 41 };
const PERIODS = 7;
const BEGUN = 1700000000;

const { below, odds, pick, bytes } = seeded(seedText);
const fromHex = (text) => Buffer.from(text.slice(2), 'hex');

function u64(n) {
	const out = Buffer.alloc(8);
	out.writeBigUInt64BE(BigInt(n));
	return out;
}

// A part of the questions: all of one preset, which a process of Lodestar's can have one of.
class Part {
	questions = [];

	constructor(preset) {
		this.preset = preset;
	}

	ask(kind, what, ...input) {
		this.questions.push({ kind, what, input: Buffer.concat(input) });
	}

	// network: the encoding of chain/beacon/network.h.
	network(name, [epoch, epochs, committee], chain, genesisTime, validatorsRoot) {
		const forks = FORKS.map((fork, i) => {
			const key = i === 0 ? 'GENESIS' : fork.toUpperCase();
			return [i === 0 ? 0 : chain[`${key}_FORK_EPOCH`], chain[`${key}_FORK_VERSION`]];
		}).filter(([at]) => Number.isFinite(at));
		const title = Buffer.alloc(32);
		title.write(name);
		const sizes = [epoch, epochs, committee, chain.SECONDS_PER_SLOT].map(u32);
		const list = forks.flatMap(([at, version]) => [u64(at), Buffer.from(version)]);
		const never = Buffer.alloc(8, 0xff);
		this.ask('network', name, Buffer.from([1]), title, ...sizes, u64(genesisTime), validatorsRoot, Buffer.from([forks.length]), ...list, never);
		this.time = (slot) => genesisTime + slot * chain.SECONDS_PER_SLOT;
	}

	start(what, fork, time, blockRoot, body) {
		this.ask('start', what, Buffer.from([FORKS.indexOf(fork)]), u64(time), blockRoot, body);
	}

	update(what, kind, fork, time, body, keep = false) {
		this.ask(keep ? 'keep' : 'try', what, Buffer.from([kind, FORKS.indexOf(fork)]), u64(time), body);
	}
}

// Bytes changed at random.
function spoil(input) {
	let out = Buffer.from(input);
	for (let n = 1 + below(2); n > 0; n--) {
		// Half of the changes hit what is no list of keys: the slots, the headers, the branches, the signature.
		const at = odds(50) && out.length > 600 ? pick([below(300), out.length - 1 - below(300)]) : below(out.length);
		switch (below(8)) {
		case 0: out[at] = below(256); break;
		case 1: out = out.subarray(0, at + 1); break;
		case 2: out = Buffer.concat([out, bytes(1 + below(4))]); break;
		case 3: out.fill(0, at, Math.min(out.length, at + 32)); break;
		default: out[at] ^= 1 << below(8);
		}
		out = Buffer.from(out);
	}
	return out;
}

// The forged chain.

const minimal = new Part('minimal');
const setting = devnet({ genesisTime: BEGUN, forks: SCHEDULE });
const periodOf = (slot) => Math.floor(slot / SLOTS_PER_PERIOD);
const seed = `differential ${seedText}`;
const chain = await startAnvil(['--timestamp', String(BEGUN)]);
for (let slot = 1; slot < PERIODS * SLOTS_PER_PERIOD; slot++)
	if (slot % SLOTS_PER_EPOCH === 0 || odds(60)) await chain.mine(BEGUN + slot);
const forged = async (change) => {
	const forge = new Forge(chain.url, setting, { seed });
	change?.(forge.committees, forge.committees.of.bind(forge.committees));
	return forge.follow();
};
const honest = await forged();
const forkAt = (slot) => honest.config.getForkName(slot);

// What a committee could put beside the honest chain: another one after it; one whose sum is not its keys'; one with a
// key that is none.
const other = new Forge(chain.url, setting, { seed: `${seed}, beside it` }).committees;
const liars = [];
for (const change of [
	(own, period) => other.of(period),
	(own, period) => ({ ...own, ssz: { ...own.ssz, aggregatePubkey: other.of(period).ssz.aggregatePubkey } }),
	(own) => ({ ...own, ssz: { ...own.ssz, pubkeys: own.ssz.pubkeys.with(below(32), Buffer.from([0xc0, ...Buffer.alloc(47)])) } }),
]) {
	const from = 2 + below(PERIODS - 3);
	liars.push(await forged((committees, of) => {
		const changed = new Map();
		committees.of = (period) => {
			if (period < from) return of(period);
			if (!changed.has(period)) changed.set(period, change(of(period), period));
			return changed.get(period);
		};
	}));
}
await chain.stop();

const typeOf = (kind, fork) => sszTypesFor(fork)[CONTAINER[kind]];
const make = { 1: (forge, block) => forge.update(block), 2: (forge, block) => forge.finalityUpdate(block), 3: (forge, block) => forge.optimisticUpdate(block) };
const rootOf = (update) => ssz.phase0.BeaconBlockHeader.hashTreeRoot(update.attestedHeader.beacon);
// sign: by so many, or by those of a function, of a period's committee, at a slot.
function sign(update, { slot = update.signatureSlot, period = periodOf(slot), by = 32 } = {}) {
	update.signatureSlot = slot;
	update.syncAggregate = honest.committees.sign(period, honest.signingRoot(rootOf(update), slot), by);
}
const drop = (update, fork, ...names) => {
	const none = typeOf(KIND.update, fork).defaultValue();
	for (const name of names) if (name in update) update[name] = none[name];
};
const wrongSlots = (slot) => [slot - 2, slot - 1, slot + 1, slot + below(16), slot + SLOTS_PER_PERIOD, slot - SLOTS_PER_PERIOD, 0, 2 ** 40];

// What is done to an update; each is told what it may look at.
const CHANGES = {
	nothing: () => {},
	'other signers': ({ update }) => {
		const many = pick([0, 1, 10, 20, 21, 22, 31]);
		const first = below(32);
		sign(update, { by: (idx) => (idx - first + 32) % 32 < many });
	},
	'another slot of the signature': ({ update }) => (update.signatureSlot = Math.max(0, pick(wrongSlots(update.signatureSlot)))),
	'signed at another slot': ({ update }) => sign(update, { slot: Math.max(1, pick(wrongSlots(update.signatureSlot).slice(0, 6))) }),
	'signed by another committee': ({ update }) => sign(update, { period: Math.max(0, periodOf(update.signatureSlot) + pick([-1, 1, 2])) }),
	'parts of another update': ({ update, another }) => {
		for (let n = 1 + below(2); n > 0; n--) {
			const name = pick(Object.keys(update).filter((key) => key !== 'signatureSlot'));
			if (name in another) update[name] = another[name];
		}
		if (odds(50)) sign(update);
	},
	'no finality': ({ update, fork }) => drop(update, fork, ...pick([['finalizedHeader', 'finalityBranch'], ['finalizedHeader'], ['finalityBranch']])),
	'no committee': ({ update, fork }) => drop(update, fork, ...pick([['nextSyncCommittee', 'nextSyncCommitteeBranch'], ['nextSyncCommittee'], ['nextSyncCommitteeBranch']])),
	'nearly no finality': ({ update, fork }) => {
		if (!update.finalizedHeader) return;
		const { beacon } = update.finalizedHeader;
		drop(update, fork, 'finalityBranch');
		update.finalizedHeader = { ...update.finalizedHeader, beacon: { ...beacon, bodyRoot: new Uint8Array(32) } };
		if (odds(50)) update.finalizedHeader = { ...typeOf(1, fork).defaultValue().finalizedHeader, beacon: update.finalizedHeader.beacon };
	},
	'nearly no committee': ({ update, fork }) => {
		if (!update.nextSyncCommittee) return;
		drop(update, fork, 'nextSyncCommitteeBranch');
		const { pubkeys, aggregatePubkey } = update.nextSyncCommittee;
		update.nextSyncCommittee = { aggregatePubkey, pubkeys: pubkeys.with(0, new Uint8Array(48)) };
	},
	'finality at slot 0': ({ update }) => {
		if (update.finalizedHeader) update.finalizedHeader = { ...update.finalizedHeader, beacon: { ...update.finalizedHeader.beacon, slot: 0 } };
	},
	'another payload': ({ update }) => {
		const name = pick(['attestedHeader', 'finalizedHeader']);
		const header = update[name];
		if (header) update[name] = { ...header, execution: { ...header.execution, blockNumber: header.execution.blockNumber + 1 } };
	},
};

function question(forge, block, kind, change, all) {
	const fork = forkAt(block.slot);
	const changed = pick(all.filter((b) => forkAt(b.slot) === fork));
	const update = { ...make[kind](forge, block) };
	CHANGES[change]({ update, fork, another: make[kind](honest, changed) });
	const claimed = change === 'nothing' && odds(10) ? pick(FORKS.slice(1)) : fork;
	let body;
	try {
		// A form that lacks something is what others would send, too.
		body = Buffer.from(typeOf(kind, odds(50) ? claimed : fork).serialize(update));
	} catch {
		body = Buffer.from(typeOf(kind, fork).serialize(update));
	}
	const raw = change === 'nothing' && odds(60);
	const late = odds(90) ? below(100) : -2 - below(20);
	const signedAt = Math.min(update.signatureSlot, PERIODS * SLOTS_PER_PERIOD);
	const what = `${forge === honest ? 'honest' : 'beside'} ${CONTAINER[kind]}, slot ${block.slot}: ${raw ? 'bytes' : change}${claimed === fork ? '' : `, claimed as ${claimed}`}`;
	minimal.update(what, kind, claimed, minimal.time(signedAt) + late, raw ? spoil(body) : body);
}

function honestly(block, kind) {
	const type = typeOf(kind, forkAt(block.slot));
	const { signatureSlot } = block.signed;
	minimal.update(`kept ${CONTAINER[kind]}, slot ${block.slot}`, kind, forkAt(block.slot), minimal.time(signatureSlot), type.serialize(make[kind](honest, block)), true);
}

function bootstraps(block) {
	const fork = forkAt(block.slot);
	const type = sszTypesFor(fork).LightClientBootstrap;
	const body = Buffer.from(type.serialize(honest.bootstrap(block)));
	const time = minimal.time(block.slot) + below(50);
	for (let n = 0; n < 30; n++) minimal.start('bootstrap: bytes', fork, time, block.root, spoil(body));
	minimal.start('bootstrap: another block', fork, time, pick(honest.blocks).root, body);
	minimal.start('bootstrap: in the future', fork, time - 60, block.root, body);
	minimal.start('bootstrap', fork, time, block.root, body);
}

// A walk over the periods: each is learned by one honest update, and at every stand other updates are tried.
function walk(num) {
	const all = honest.blocks.filter((block) => block.final);
	const checkpoint = pick(all.filter((block) => periodOf(block.slot) < 2 && block.slot % SLOTS_PER_EPOCH === 0));
	const from = periodOf(checkpoint.slot);
	bootstraps(checkpoint);
	const tries = Math.ceil(num / (PERIODS - from) / 2.5);
	const attempt = (period) => {
		for (let n = 0; n < tries; n++) {
			const forge = odds(75) ? honest : pick(liars);
			const near = forge.blocks.filter((b) => b.final && periodOf(b.slot) >= period - 1 && periodOf(b.slot) <= period + (odds(80) ? 1 : 3));
			question(forge, pick(near), pick([1, 1, 2, 3]), odds(40) ? 'nothing' : pick(Object.keys(CHANGES)), all);
		}
	};
	for (let period = from; period < PERIODS; period++) {
		const within = all.filter((b) => periodOf(b.slot) === period && b.slot > checkpoint.slot);
		const teaching = within.filter((b) => periodOf(b.final.slot) === period && periodOf(b.signed.signatureSlot) === period);
		if (teaching.length === 0) break;
		// What attests in this period and finalizes in the one before it teaches nobody.
		const early = within.filter((b) => periodOf(b.final.slot) < period);
		if (early.length > 0) {
			minimal.ask('remember', 'remember');
			if (odds(70)) honestly(pick(teaching), KIND.finality);
			honestly(pick(early), KIND.update);
			attempt(period);
			minimal.ask('back', 'back');
		}
		honestly(pick(teaching), KIND.update);
		attempt(period);
		honestly(pick(teaching), KIND.finality);
	}
}

minimal.network('forge', [8, 8, 32], setting.config, BEGUN, setting.genesisValidatorsRoot);
for (let n = 0; n < rounds; n += 500) walk(Math.min(500, rounds - n));

// Mainnet's own.

const mainnet = new Part('mainnet');
const real = path.join(vectors, '03-eth-lc-real/mainnet');
if (existsSync(real)) {
	const { genesisTime, genesisValidatorsRoot } = genesisData.mainnet;
	mainnet.network('mainnet', [32, 256, 512], networksChainConfig.mainnet, genesisTime, fromHex(genesisValidatorsRoot));
	const updates = readdirSync(path.join(real, 'updates')).sort();
	const slotOf = (file) => Number(/slot_(\d+)/.exec(file)[1]);
	const forkOf = (slot) => FORKS.findLast((fork, i) => i > 0 && slot >= 32 * networksChainConfig.mainnet[`${fork.toUpperCase()}_FORK_EPOCH`]);
	const first = readdirSync(path.join(real, 'bootstraps')).find((file) => file.includes('period_1347'));
	const bootstrap = readFileSync(path.join(real, 'bootstraps', first));
	// The header stands behind its offset and the rest of the fixed part.
	const header = bootstrap.subarray(bootstrap.readUInt32LE(0));
	const blockRoot = ssz.phase0.BeaconBlockHeader.hashTreeRoot(ssz.phase0.BeaconBlockHeader.deserialize(header.subarray(0, 112)));
	mainnet.start('mainnet bootstrap', forkOf(slotOf(first)), mainnet.time(slotOf(first)), blockRoot, bootstrap);
	for (const file of updates) {
		const body = readFileSync(path.join(real, 'updates', file));
		const [slot, time] = [slotOf(file), mainnet.time(slotOf(file) + 64)];
		for (let n = 0; n < Math.min(40, rounds / 100); n++) mainnet.update(`${file}: bytes`, KIND.update, forkOf(slot), time, spoil(body));
		mainnet.update(file, KIND.update, forkOf(slot), time, body, true);
	}
} else console.log('mainnet: skipped, DEROT_VECTORS names no folder with 03-eth-lc-real');

// Both, side by side.

const RULES = {
	two_thirds: 'Lodestar takes what one member signed, as the specification has it; here it takes two thirds',
	version: 'Lodestar reads the form that was claimed; here it must be that of the attested slot',
	past: 'Lodestar starts at a block of the future',
	near: 'Lodestar keeps two committees, whatever is final; here they are those of the final period and the next',
	taught: 'Lodestar learns the next committee from what is final in the period before, too; the specification does not',
	empty: 'Lodestar calls a part empty by one of its fields; here, as in the specification, it is the default',
	same_next: 'Lodestar does not compare the next committee with the one that is known; the specification does',
	sum: 'Lodestar takes a committee whose keys are none, or not those of its aggregate',
	conflict: 'what contradicts something final: here it halts, Lodestar takes the later',
};

const counts = {};
const rules = {};
let differences = 0;
for (const part of [minimal, mainnet]) {
	if (part.questions.length === 0) continue;
	const asked = part.questions.map(({ kind, input }) => [ASK[kind], input]);
	const ours = answers(program, [], asked);
	const judge = path.join(root, 'tests/lodestar/client/judge.mjs');
	const theirs = answers(path.resolve(root, node), [judge], asked, { LODESTAR_PRESET: part.preset });
	for (const [i, { kind, what }] of part.questions.entries()) {
		if (!['start', 'try', 'keep'].includes(kind)) continue;
		const said = JSON.parse(theirs[i]);
		const [word, ...rest] = ours[i].split(' ');
		const count = ((counts[part.preset] ??= {})[kind === 'keep' ? 'kept' : kind] ??= { inputs: 0, taken: 0, refused: 0, by_rule: 0 });
		count.inputs++;
		const broken = said.ok ? Object.keys(said.facts).filter((fact) => !said.facts[fact]) : [];
		// A committee is looked at when it is learned, and not before.
		const lax = word === 'ok' && broken.some((fact) => fact !== 'sum');
		const same = word === 'ok' && said.ok && !lax && rest.slice(0, 3).join(' ') === said.state;
		const rule = said.ok && (word === 'conflict' ? 'conflict' : word === 'no' && broken[0]);
		if (rule) rules[RULES[rule]] = (rules[RULES[rule]] ?? 0) + 1;
		if (same) count.taken++;
		else if (word === 'no' && !said.ok) count.refused++;
		else if (rule) count.by_rule++;
		else if (++differences <= 5) console.error(`${part.preset} ${i}, ${what}\n  ours ${ours[i]}\n  peer ${theirs[i]}`);
	}
}
for (const [preset, kinds] of Object.entries(counts))
	for (const [kind, { inputs, taken, refused, by_rule }] of Object.entries(kinds))
		console.log(`${preset}, ${kind}: ${inputs} inputs, ${taken} taken by both, ${refused} refused by both, ${by_rule} by rule`);
end(seedText, rules, differences);
