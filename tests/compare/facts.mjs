// SPDX-License-Identifier: Apache-2.0
//
// The comparison: every client is asked about one chain through a server that hides something, or nothing, and what it
// said is held against the truth.
//
//     const { columns, rows, broken, times, errors } = await compare();
//     rows[0]      // {who, asked, cells}: a cell for each column
//     errors       // what clients complained of: a line each
//     broken       // what should hold, whatever the table says, and did not: a line each

import { label, selectorOf } from '../nodes/abi.mjs';
import { abi } from '../nodes/derot.mjs';
import { serveForge } from '../nodes/forge_api.mjs';
import { version } from '../nodes/packages.mjs';
import { EXIT, derotCli } from '../nodes/run.mjs';
import { APP } from '../nodes/story.mjs';
import { startClient } from './ask.mjs';
import { askDerot, askRecord, askUnsigned } from './client_derot.mjs';
import { startLiar } from './liar.mjs';
import { LEAKY, World } from './world.mjs';

// How long derot may try to record what is hidden.
const RECORD_MS = 5000;
// How often the chain is brought up to the clock.
const RENEW_MS = 3000;
const PEERS = ['viem', 'ethers', 'helios'];

// What the server does: a depth of liar.mjs, and which transactions it hides. Each has its block to itself: beside another
// event, Helios would fetch the block's receipts for that one's sake, and meet the deeper lies. The leak is hidden as deep
// as goes without touching the state, where nothing is left of it.
const SITUATIONS = [
	{ name: 'nothing hidden' },
	{ name: 'a revocation: in the logs', depth: 'logs', hides: 'revocation' },
	{ name: 'and receipts', depth: 'receipts', hides: 'revocation' },
	{ name: 'and block', depth: 'block', hides: 'revocation' },
	{ name: 'and state', depth: 'state', hides: 'revocation' },
	{ name: 'the leak', depth: 'block', hides: 'leak' },
];

const CLIENTS = [
	{ who: 'viem', asked: '`getContractEvents`', cell: (s) => counted(s, s.viem.events) },
	{ who: 'viem', asked: '`watchContractEvent`', cell: (s) => counted(s, s.viem.watched) },
	{ who: 'viem', asked: 'suspended? `readContract`', cell: (s) => state(s, s.viem.suspended) },
	{ who: 'ethers', asked: '`queryFilter`', cell: (s) => counted(s, s.ethers.events) },
	{ who: 'ethers', asked: 'suspended? by call', cell: (s) => state(s, s.ethers.suspended) },
	{ who: 'Helios', asked: '`eth_getLogs`', cell: (s) => counted(s, s.helios.events) },
	{ who: 'Helios', asked: 'the receipts of every block', cell: (s) => counted(s, s.helios.receipts) },
	{ who: 'Helios', asked: 'suspended? `eth_call`', cell: (s) => state(s, s.helios.suspended) },
	{ who: 'derot', asked: '`run`, proof consensus, that server alone', cell: (s) => stood(s, s.derot.alone) },
	{ who: 'derot', asked: '… an honest one added', cell: (s) => stood(s, s.derot.beside) },
];

const failed = ({ at }) => (at === undefined ? 'error' : `error at ${at}`);
const known = (s, events) => s.world.events.filter(({ id, place }) => events.includes(id) || events.includes(place)).length;
const counted = (s, events) => (events.error ? failed(events) : `${known(s, events)} of ${s.world.events.length}`);

// Current state: is the application suspended whose suspension is hidden; does anything show at the leaky one.
function state(s, suspended) {
	if (suspended.error) return failed(suspended);
	const [mail, wiki] = suspended;
	if (s.hides === 'leak') return wiki ? 'yes' : 'no trace';
	return mail ? 'yes' : 'no';
}

function stood(s, told) {
	if (told.final >= s.world.end) return counted(s, told.events);
	return `stops before ${told.final + 1}, ${told.sealed && told.exit === EXIT.sealed ? 'sealed' : 'open'}`;
}

const aboutOf = (world, url) => ({
	url,
	...world.proof(),
	address: world.derot.address,
	birth: world.derot.birth,
	abi,
	suspended: selectorOf(abi.find((item) => item.type === 'function' && item.name === 'suspended')),
	apps: [label(APP), label(LEAKY)],
});

// through: asks by way of a server that hides what it does in this situation; `lied`: did it have to.
async function through(world, { depth, hides }, put) {
	const liar = await startLiar(world.chain.url);
	liar.hide(depth, world[hides]);
	try {
		const said = await put(liar.url);
		return Object.assign(said, { lied: liar.lies > 0 });
	} finally {
		await liar.stop();
	}
}

// One client after the other, through all situations.
async function askPeers(world, situations) {
	for (const name of PEERS) {
		const client = await startClient(name);
		try {
			for (const s of situations) {
				s[name] = await through(world, s, (url) => client.ask(aboutOf(world, url)));
				s[name].start_ms = client.start_ms;
			}
		} finally {
			client.stop();
		}
	}
}

// Who verifies refuses a beacon chain whose signatures are over something else.
async function askForged(world) {
	const { forge } = world;
	const other = (message) => ({ ...message, syncAggregate: forge.sign(new Uint8Array(32), message.signatureSlot) });
	const server = await serveForge(forge, (kind, message) => (message.syncAggregate ? other(message) : message));
	const proof = { ...world.proof(), beacon: server.url };
	const client = await startClient('helios');
	try {
		const helios = await client.ask({ ...aboutOf(world, world.chain.url), ...proof });
		return { helios, derot: await askUnsigned(world.derot, { url: world.chain.url, ...proof }) };
	} finally {
		client.stop();
		await server.stop();
	}
}

// What must hold beside the table: the setup is fair, the lies were told, and derot's run says what it met.
function check(situations, world, forged, recorded) {
	const broken = [];
	const must = (s, what, holds) => holds || broken.push(`${s.name}: ${what}`);
	const all = world.events.length;
	const honest = situations[0].derot.beside.ledger;
	for (const s of situations) {
		const hidden = s.hides ? world[s.hides] : [];
		for (const name of PEERS) must(s, `${name} was lied to, and only where something is hidden`, s[name].lied === hidden.length > 0);
		if (hidden.length === 0)
			for (const events of [s.viem.events, s.viem.watched, s.ethers.events, s.helios.events, s.helios.receipts, s.derot.alone.events])
				must(s, 'every client tells of everything', events.length === all && known(s, events) === all);
		const { alone, beside } = s.derot;
		must(s, 'derot, beside an honest server: everything', known(s, beside.events) === all && beside.suspended && beside.exit === EXIT.good);
		must(s, 'derot, beside an honest server: the same ledger', beside.ledger === honest);
		must(s, 'derot names the stealthy deployer', beside.findings.includes('stealthy-deployer') && beside.verify === EXIT.findings);
		if (alone.final >= world.end) continue;
		const before = world.events.filter((event) => event.block < hidden[0].block);
		must(s, 'derot alone: everything before the hidden block', alone.final === hidden[0].block - 1 && known(s, alone.events) === before.length);
		must(s, 'derot alone: and nothing else', alone.events.length === before.length);
		must(s, 'derot alone: sealed, exit 2', alone.sealed && alone.exit === EXIT.sealed);
		must(s, 'derot alone: the journal names the server', alone.journal.length > 0);
		const lies = alone.journal.filter((entry) => entry.kind === 'lie').map((entry) => entry.hash);
		must(s, 'derot alone: the journal names the block', lies.includes(hidden[0].blockHash));
	}
	if (forged.derot >= world.end) broken.push('derot does not refuse forged signatures');
	if (!/signature/.test(forged.helios.events.error)) broken.push('Helios does not refuse forged signatures: the beacon chain was no test of it');
	const [honestly, hiding] = recorded;
	if (honestly.code !== EXIT.good || honestly.replay !== EXIT.findings || honestly.events !== all) broken.push('derot record, honest server: not the whole recording');
	if (hiding.code === EXIT.good || hiding.final >= world.revocation[0].block) broken.push('derot record, lying server: it got past what is hidden');
	return broken;
}

// What the clients said where they failed: for whoever wonders why a table differs.
function complaints(situations) {
	const of = (s, name) => Object.entries(s[name]).filter(([, said]) => said?.error).map(([what, { error }]) => `${s.name}: ${name}: ${what}: ${error}`);
	return situations.flatMap((s) => PEERS.flatMap((name) => of(s, name)));
}

async function versions() {
	const derot = JSON.parse((await derotCli(['version', '--format', 'json'])).out).version;
	return { viem: version('viem'), ethers: version('ethers'), Helios: version('@a16z/helios'), derot };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

// How long a client took: to load its packages (once); to be made and to know the chain's head; to answer all that it was
// asked. The medians of the situations; of derot's, those that it got through.
function timesOf(name, situations) {
	const said = situations.map((s) => (name === 'derot' ? s.derot.alone : s[name])).filter((told) => !told.held);
	const of = (what) => median(said.map((told) => told[what]));
	return { name, load_ms: of('start_ms'), connect_ms: of('connect_ms'), wall_ms: of('wall_ms') };
}

export async function compare() {
	const world = await World.build();
	const renewing = setInterval(() => world.renew().catch(() => {}), RENEW_MS);
	const recorded = [];
	let forged;
	const situations = SITUATIONS.map((situation) => ({ ...situation, world }));
	try {
		const rest = [...situations];
		const askRuns = async () => {
			for (let s; (s = rest.shift()); )
				s.derot = await through(world, s, (url) => {
					const last = s.hides && world[s.hides][0].block - 1;
					return askDerot(world.derot, { url, honest: world.chain.url, last, end: world.end, ...world.proof() });
				});
		};
		const peers = async () => {
			await askPeers(world, situations);
			forged = await askForged(world);
		};
		const records = async () => {
			for (const [s, limit_ms] of [[situations[0]], [situations[2], RECORD_MS]])
				recorded.push(await through(world, s, (url) => askRecord(world.derot, { url, end: world.end, ...world.proof() }, limit_ms)));
		};
		await Promise.all([peers(), askRuns(), askRuns().then(records)]);
	} finally {
		clearInterval(renewing);
		await world.stop();
	}
	const named = await versions();
	const rows = CLIENTS.map(({ who, asked, cell }) => ({ who: `${who} ${named[who]}`, asked, cells: situations.map(cell) }));
	const times = [...PEERS, 'derot'].map((name) => timesOf(name, situations));
	return { columns: SITUATIONS.map((s) => s.name), rows, broken: check(situations, world, forged, recorded), times, errors: complaints(situations) };
}
