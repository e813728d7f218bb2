// SPDX-License-Identifier: Apache-2.0
//
// The profile of our own contract must say what the contract does. Compared, in both directions: events
// with the ABI (types, and so topic0) and with the table of actions in governance/action.h (every argument
// of an action exactly once); code_hash with keccak256 of the runtime code; slot numbers with the
// compiler's storage layout.
//
//     tests/nodes/node_modules/node/bin/node tests/check/profile.mjs
//
// Exit 1 and one line per difference.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compile } from '../../governance/contracts/build.mjs';

const root = new URL('../../', import.meta.url);
const { keccak256 } = createRequire(new URL('tests/nodes/package.json', root))('js-sha3');
const text = (path) => readFileSync(new URL(path, root), 'utf8');

const problems = [];
const expect = (ok, what) => ok || problems.push(what);

// The profile uses a small part of YAML: `key: value` lines, and two lists of two-line items.
function readProfile(source) {
	const profile = { events: [], slots: [] };
	let list = null;
	for (const [idx, raw] of source.split('\n').entries()) {
		const line = raw.replace(/^\s*#.*$/, '').trimEnd();
		if (!line) continue;
		const [, dash, key, value] = line.match(/^( {2}- | {4}|)([a-z_]+):(?: (\S.*))?$/) ?? [];
		if (!key) throw new Error(`derot-v1.yaml:${idx + 1}: not understood: ${raw}`);
		if (dash === '' && value === undefined) list = profile[key];
		else if (dash === '') profile[key] = value;
		else if (dash === '  - ') list.push({ [key]: value });
		else list.at(-1)[key] = value;
	}
	return profile;
}

// Action name → its enum constant; what the constants carry is read from the header's comments.
const actions = {
	'council.member_set': 'MEMBER_SET',
	'council.member_remove': 'MEMBER_REMOVE',
	'council.quorum_set': 'QUORUM_SET',
	'council.notice_set': 'NOTICE_SET',
	'council.guardian_add': 'GUARDIAN_ADD',
	'council.guardian_remove': 'GUARDIAN_REMOVE',
	'council.constitute': 'CONSTITUTE',
	'proposal.create': 'PROPOSE',
	'proposal.vote': 'VOTE',
	'proposal.cancel': 'CANCEL',
	'proposal.execute': 'EXECUTE',
};
const enumOf = (name) => actions[name] ?? name.toUpperCase().replaceAll('.', '_');

function readActions(header) {
	const out = {};
	for (const [, name, args] of header.matchAll(/DR_ACTION_([A-Z_]+) = \d+,[ \t]*(?:\/\* (.*?) \*\/)?/g)) {
		if (name === 'NONE') continue;
		const fields = (args ?? '').replace('arg0 … arg7', 'arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7');
		out[name] = fields ? fields.split(', ') : [];
	}
	return out;
}

const profile = readProfile(text('governance/profiles/derot-v1.yaml'));
const { abi, runtime, layout } = compile();

// Events.
const inAbi = new Map();
for (const item of abi.filter((i) => i.type === 'event')) {
	expect(!item.anonymous && item.inputs.every((i) => !i.indexed), `${item.name}: anonymous or indexed in the ABI`);
	inAbi.set(item.name, `${item.name}(${item.inputs.map((i) => i.type).join(',')})`);
}
const carried = readActions(text('governance/action.h'));
const seen = new Set();
const topics = new Set();
for (const { event, action } of profile.events) {
	const [, name, list] = event.match(/^(\w+)\((.*)\)$/);
	const params = list.split(', ').map((p) => p.split(' '));
	const signature = `${name}(${params.map(([type]) => type).join(',')})`;
	expect(signature === inAbi.get(name), `${name}: the profile says ${signature}, the ABI ${inAbi.get(name)}`);
	expect(!topics.has(keccak256(signature)), `${name}: declared twice`);
	topics.add(keccak256(signature));
	inAbi.delete(name);

	const wanted = carried[enumOf(action)];
	expect(wanted, `${name}: governance/action.h has no ${enumOf(action)} (${action})`);
	if (!wanted) continue;
	expect(!seen.has(action), `${action}: two events`);
	seen.add(action);
	const common = params.map(([, field]) => field).filter((f) => ['proposal', 'by', 'due'].includes(f));
	expect(new Set(common).size === common.length, `${name}: a common field twice`);
	let fields = params.map(([, field]) => field).filter((f) => !['proposal', 'by', 'due', '_'].includes(f));
	const array = params.at(-1)[1] === 'args' ? Number(params.at(-1)[0].match(/^bytes32\[(\d+)\]$/)?.[1]) : 0;
	if (array) fields = [...fields.slice(0, -1), ...wanted.slice(fields.length - 1, fields.length - 1 + array)];
	expect(
		fields.join() === wanted.join(),
		`${name}: fills ${fields.join(', ') || 'nothing'}; ${action} carries ${wanted.join(', ') || 'nothing'}`,
	);
}
for (const name of inAbi.keys()) expect(false, `${name}: in the ABI, not in the profile`);
for (const name of Object.keys(carried))
	expect(
		[...seen].some((a) => enumOf(a) === name),
		`DR_ACTION_${name}: no event of the profile means it`,
	);

// Code.
const hash = '0x' + keccak256(Buffer.from(runtime, 'hex'));
expect(profile.code_hash === hash, `code_hash: the profile says ${profile.code_hash}, the code ${hash}`);
expect(
	text('governance/contracts/DeRoT.runtime.bin').trim() === runtime,
	'DeRoT.runtime.bin: not what DeRoT.sol compiles to',
);

// Slots: the variable behind each kind, and its type.
const variables = {
	measurement: ['measurementDue', 'mapping(bytes32 => uint64)'],
	'app.measurement': ['appMeasurementDue', 'mapping(bytes32 => mapping(bytes32 => uint64))'],
	hardware: ['hardware', 'mapping(uint8 => mapping(bytes32 => uint64))'],
	root: ['rootPublished', 'mapping(uint64 => bytes32)'],
	suspended: ['suspended', 'mapping(bytes32 => uint64)'],
};
function expectSlot(what, slot, variable, type) {
	const entry = layout.storage.find((s) => s.label === variable);
	const found = `${variable} is in ${entry?.slot} as ${layout.types[entry?.type]?.label}`;
	const right = entry && entry.offset === 0 && entry.slot === slot && layout.types[entry.type].label === type;
	expect(right, `${what}: the profile says slot ${slot}; ${found}`);
}
expectSlot('count_slot', profile.count_slot, 'eventCount', 'uint256');
expectSlot('acc_slot', profile.acc_slot, 'acc', 'bytes32');
for (const { kind, slot } of profile.slots) {
	expect(variables[kind], `slots: unknown or doubled kind ${kind}`);
	if (variables[kind]) expectSlot(kind, slot, ...variables[kind]);
	delete variables[kind];
}
for (const kind of Object.keys(variables)) expect(false, `slots: no ${kind}`);

for (const p of problems) console.error(`profile: ${p}`);
console.log(`profile: ${profile.events.length} events, ${profile.slots.length} slots, code hash ${hash}`);
process.exit(problems.length ? 1 : 0);
