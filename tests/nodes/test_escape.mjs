// SPDX-License-Identifier: Apache-2.0
//
// A right that no event granted cannot be had: not by a flag, a file, an edited profile, a message at the socket, an
// environment variable, an edited or rolled-back row of the database, a copied data directory, or a sealed root that
// is moved to another chain. Each is tried on copies of a node that does hold a root and does answer.

import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { label } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { deploy } from './derot.mjs';
import { EXIT, HARDWARE, PROFILE, build, derotCli, eventually, profileDigest } from './run.mjs';
import { APP, NOTICE, Story } from './story.mjs';

const USAGE = 64;
const EVIL = 'evil-v1'; // a version that nobody ever announced
const db = (kms) => new DatabaseSync(join(kms.data, 'derot.db'));
let chain, story, kms, key, old;

before(async () => {
	chain = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(Math.floor(Date.now() / 1000) - 1200)]);
	story = await Story.found(chain);
	kms = await story.kms({ max_staleness: 100000 }).start();
	await story.root(kms);
	await story.registerApp();
	await story.announce('mail-v1');
	await story.pass(NOTICE.app);
	await story.final(kms);
	({ key } = await kms.derive(APP, 'mail-v1'));
	assert.match(key, /^0x[0-9a-f]{64}/);
	await kms.stop();
	old = kms.copy(); // the directory as it is now, for later
	await up();
});
after(async () => {
	await kms?.stop();
	await chain?.stop();
});

// up, down: the node that copies are made of runs, or does not.
async function up() {
	if (kms.code !== undefined) await kms.start();
	await kms.until((s) => !s.sealed && s.generation_ours);
}
async function down() {
	if (kms.code === undefined) await kms.stop();
}

// nothing: whatever was done, this running node answers nothing that was not granted.
async function nothing(node, ...flags) {
	const answer = await node.derive(APP, EVIL, ...flags);
	assert.equal(answer.verdict, 'deny', JSON.stringify(answer));
	assert.equal(answer.key ?? answer.box, undefined);
	return answer.reason;
}

// refuses: this node does not even start, in words that match.
async function refuses(node, why) {
	await node.start({ wait: false });
	const code = await node.ended();
	assert.ok(Number.isInteger(code) && code !== EXIT.good, `exit code ${code}: ${node.err}`);
	assert.match(node.err, why);
	return code;
}

// refusesOrDenies: it does not start, or it starts and answers `denied` only.
async function refusesOrDenies(node, what, denied = nothing) {
	await node.start({ wait: false });
	const ended = await eventually(`${what}: an end or an answer`, async () => {
		if (node.code !== undefined) return { code: node.code };
		const status = await node.status();
		return status && !/no complete final block/.test(status.why ?? '') && { status };
	});
	if (ended.code !== undefined) {
		assert.notEqual(ended.code, EXIT.good, `${what}: ${node.err}`);
		return `ended: ${node.err.replace(/\s+/g, ' ')}`;
	}
	const reason = await denied(node);
	await node.stop();
	return reason;
}

test('a flag', async () => {
	await up();
	const service = ['--service', label('s')];
	const purposes = [
		...['seal', 'sign', 'tls'].map((name) => [name]),
		...['storage', 'cluster'].map((name) => [name, ...service]),
		['contract', ...service, '--contract', label('c')],
	];
	for (const [purpose, ...more] of purposes) assert.equal(await nothing(kms, '--purpose', purpose, ...more), 'app-measurement');
	const back = ['--from', 'mail-v1', '--root-before'];
	const evil = [['--from', 'mail-v1'], ['--from', EVIL], back, ['--before', ...service], ['--confidence', '5'], ['--prove']];
	for (const flags of [...evil, ['--recipient', label('me')]])
		await nothing(kms, ...flags);
	// The granted version itself: no flag brings what no handover, overlap or generation gives.
	const granted = [['--from', EVIL], back, ['--before'], ['--before', ...service], ['--confidence', '5'], ['--purpose', 'storage']];
	for (const flags of granted)
		assert.equal((await kms.derive(APP, 'mail-v1', ...flags)).verdict, 'deny', flags.join(' '));
	for (const flag of ['--force', '--unseal', '--allow', '--no-verify', '--insecure', '--yes', '--skip-lease', '--dev']) {
		const asked = ['keys', 'derive', '--app', APP, '--measurement', EVIL, ...HARDWARE, '-c', kms.config, flag];
		for (const args of [asked, ['run', '-c', kms.config, flag], ['status', '-c', kms.config, flag]])
			assert.equal((await derotCli(args)).code, USAGE, `${args[0]} ${flag}`);
		for (const program of ['derot-core', 'derot-watch']) {
			const done = spawnSync(join(build, program), [flag], { timeout: 10000, input: '' });
			assert.ok(done.signal === null && done.status !== 0 && done.status !== null, `${program} ${flag}: ${done.status} ${done.signal}`);
		}
	}
});

test('a file: keys of the configuration, files beside the store, another sealing key', async () => {
	await down();
	const text = readFileSync(kms.config, 'utf8');
	for (const line of ['force: true', 'unseal: true', 'allow:\n  - "' + label(EVIL) + '"', 'development: true', 'proof: none'])
		assert.equal((await kms.copy().runs(text + line + '\n')).code, EXIT.error, line);
	for (const [from, to] of [['proof: quorum', 'proof: none'], ['quorum: 1', 'quorum: 0'], ['max_staleness: 100000', 'max_staleness: -1']])
		assert.equal((await kms.copy().runs(text.replace(from, to))).code, EXIT.error, to);

	const strewn = kms.copy();
	for (const name of ['unsealed', 'allow', 'root-1', 'override.yaml', 'derot.db-override', 'force'])
		writeFileSync(join(strewn.data, name), label(EVIL));
	assert.equal(await refusesOrDenies(strewn, 'files in the data directory'), 'app-measurement');

	const other = kms.copy();
	writeFileSync(join(other.folder, 'key'), Buffer.alloc(32, 7), { mode: 0o600 });
	await refuses(other, /sealed under another key file/);
	const cut = kms.copy();
	writeFileSync(join(cut.folder, 'key'), readFileSync(join(cut.folder, 'key')).subarray(0, 31), { mode: 0o600 });
	await refuses(cut, /key file: expected 32 bytes/);
	const none = kms.copy();
	rmSync(join(none.folder, 'key'));
	await refuses(none, /key file: there is none/);
});

test('an edited profile is another profile, which the council never set', async () => {
	const profile = readFileSync(PROFILE, 'utf8');
	const edits = {
		'a revocation that grants': (t) =>
			t.replace(/measurement\.(allow|revoke)/g, (_, what) => `measurement.${what === 'allow' ? 'revoke' : 'allow'}`),
		'an event less': (t) => t.replace(/ {2}- event: AppSuspended.*\n.*\n/, ''),
		'another grace': (t) => t.replace(/exposure_grace: \d+/, 'exposure_grace: 1'),
	};
	await down();
	for (const [what, edit] of Object.entries(edits)) {
		const text = edit(profile);
		assert.notEqual(text, profile, what);
		for (const fresh of [false, true]) {
			const node = kms.copy();
			if (fresh) rmSync(node.data, { recursive: true });
			const path = join(node.folder, 'profile.yaml');
			writeFileSync(path, text);
			const configure = node.configure.bind(node);
			node.configure = async (options) => {
				await configure(options);
				writeFileSync(node.config, readFileSync(node.config, 'utf8').replace(PROFILE, path));
			};
			const answered = async (n) => {
				assert.equal((await n.derive(APP, 'mail-v1')).verdict, 'deny');
				return nothing(n);
			};
			assert.match(await refusesOrDenies(node, what, answered), fresh ? /^profile$|^ended: .*profile/ : /^ended: .*profile/, what);
		}
	}
});

const STATUS_GET = 0x501;
const KEY_GET = 0x502;
const CHECKPOINT_GET = 0x50a;
const RESEAL = 0x50c; // does what it says, to whoever owns the node: nothing is granted by it
const STATUS = 0x206;
const KEY = 0x601;
const PARCEL = 0x607;
const CHECKPOINT = 0x60a;
// Messages at the socket: u32 length of what follows, u16 type, payload.
const message = (type, payload = Buffer.alloc(0)) => {
	const head = Buffer.alloc(6);
	head.writeUInt32BE(payload.length + 2);
	head.writeUInt16BE(type, 4);
	return Buffer.concat([head, payload]);
};

// says: sends bytes to the core's socket, and asks for the status after them: every message that came back before
// that, or before the core closed. With `silence_ms` nothing more is said, and it waits that long.
function says(node, bytes, silence_ms) {
	return new Promise((done, failed) => {
		const socket = createConnection(join(node.data, 'core.sock'));
		const messages = [];
		let got = Buffer.alloc(0);
		let timer = setTimeout(() => failed(new Error('the core is silent')), 10000);
		socket.on('error', () => {});
		socket.on('connect', () => {
			socket.write(silence_ms ? bytes : Buffer.concat([bytes, message(STATUS_GET)]));
			if (silence_ms) {
				clearTimeout(timer);
				timer = setTimeout(() => socket.destroy(), silence_ms);
			}
		});
		socket.on('data', (chunk) => {
			got = Buffer.concat([got, chunk]);
			while (got.length >= 6 && got.length >= 4 + got.readUInt32BE()) {
				const len = got.readUInt32BE();
				messages.push({ type: got.readUInt16BE(4), payload: got.subarray(6, 4 + len) });
				got = got.subarray(4 + len);
				if (messages.at(-1).type === STATUS) socket.destroy();
			}
		});
		socket.on('close', () => {
			clearTimeout(timer);
			done(messages);
		});
	});
}

// keyRequest: a request as governance/decide.h lays it out.
function keyRequest(measurement, changes = {}) {
	const word = (x) => Buffer.from(x.slice(2).padStart(64, '0'), 'hex');
	const zero = Buffer.alloc(32);
	const o = { purpose: 1, back: 0, root_back: 0, has_from: 0, from: zero, recipient: zero, tail: Buffer.alloc(0), ...changes };
	return Buffer.concat([
		...[word(label(APP)), word(label(measurement)), zero, zero],
		Buffer.from([o.purpose, o.back, o.root_back, o.has_from]),
		...[o.from, o.recipient, word(label('tdx')), word(label('fam-good')), word(label('rack7'))],
		...[Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]), Buffer.from([1, 0]), o.tail],
	]);
}

test('a message at the socket, of each type, well and badly formed', async () => {
	await up();
	const before = await kms.status();
	const secret = Buffer.from(key.slice(2), 'hex');
	// The same bytes that are answered for the granted version are refused for the other.
	const good = await says(kms, message(KEY_GET, keyRequest('mail-v1')));
	assert.equal(good[0]?.type, KEY);
	assert.ok(good[0].payload.includes(secret), 'the request is well formed');
	const evil = await says(kms, message(KEY_GET, keyRequest(EVIL)));
	assert.equal(evil[0]?.type, KEY);
	assert.equal(evil[0].payload[0], 0, 'deny');
	const from = Buffer.alloc(32, 1);
	const changes = [
		...[{ purpose: 0 }, { purpose: 7 }, { back: 1 }, { back: 255 }, { root_back: 1 }, { tail: Buffer.alloc(1) }],
		...[{ has_from: 1, from }, { from }, { has_from: 2 }, { has_from: 1, from, root_back: 1 }],
	];
	for (const change of changes)
		for (const { type, payload } of await says(kms, message(KEY_GET, keyRequest('mail-v1', change)))) {
			assert.equal(payload.includes(secret), false, JSON.stringify(change));
			assert.ok(type !== KEY || payload[0] === 0, JSON.stringify(change));
		}
	// An answer that somebody says to the core; and whatever the supervisor, the watcher or serve may say, said here.
	const types = [];
	for (const high of [1, 2, 3, 4, 5, 6, 7, 0xff]) for (let low = 0; low <= 0x0d; low++) types.push((high << 8) | low);
	const payloads = [
		Buffer.alloc(0),
		Buffer.alloc(1),
		Buffer.alloc(8),
		Buffer.concat([Buffer.alloc(7), Buffer.from([1]), Buffer.from(story.kms2.slice(2), 'hex')]),
		keyRequest(EVIL),
		good[0].payload,
		Buffer.alloc(4000, 0xff),
	];
	for (let i = 0; i < types.length; i += 8)
		await Promise.all(
			types.slice(i, i + 8).filter((type) => type !== RESEAL).map(async (type) => {
				for (const payload of payloads)
					for (const got of await says(kms, message(type, payload))) {
						assert.equal(got.payload.includes(secret), false, `a key for type ${type.toString(16)}`);
						assert.ok(got.type !== KEY || got.payload[0] === 0, `an answer to ${type.toString(16)}`);
						assert.notEqual(got.type, PARCEL, `a parcel for ${type.toString(16)}`);
					}
			}),
		);
	// Lengths that lie.
	const cut = message(KEY_GET, keyRequest('mail-v1')).subarray(0, 100);
	for (const bytes of [Buffer.alloc(6, 0xff), Buffer.from('00000000', 'hex'), Buffer.from('000000010502', 'hex'), cut])
		for (const got of await says(kms, bytes, 50)) assert.notEqual(got.type, KEY);
	const now = await kms.status();
	assert.equal(now.ledger_root, before.ledger_root);
	assert.equal(now.state_digest, before.state_digest);
	assert.equal(now.sealed, false);
	assert.equal(await nothing(kms), 'app-measurement');
	assert.equal((await kms.derive(APP, 'mail-v1')).key, key);
});

test('an environment variable', async () => {
	const values = { TZ: 'UTC+24', WATCHDOG_USEC: '1000000' };
	const names = new Set([
		...['DEROT_FORCE', 'DEROT_UNSEAL', 'DEROT_ALLOW', 'DEROT_DEV', 'DEROT_PROFILE', 'DEROT_NODE', 'DEROT_PROOF', 'DEROT_NOW'],
		...['DEROT_MAX_STALENESS', 'DEROT_DATA_DIR', 'DEROT_KEY_FILE', 'DEROT_CONFIG', 'DEBUG', 'SQLITE_TMPDIR', 'TZ'],
		...['SOURCE_DATE_EPOCH', 'NOTIFY_SOCKET', 'WATCHDOG_USEC'],
	]);
	// And every word of the programs that looks like a name of one.
	for (const program of ['derot', 'derot-core', 'derot-watch'])
		for (const [name] of readFileSync(join(build, program), 'latin1').matchAll(/\bDEROT_[A-Z_]{2,}\b/g)) names.add(name);
	await down();
	const node = kms.copy();
	const kept = { ...process.env };
	for (const name of names) if (kept[name] === undefined) process.env[name] = values[name] ?? label(EVIL);
	try {
		assert.equal(await refusesOrDenies(node, 'with variables'), 'app-measurement');
		const deaf = kms.copy({ endpoints: ['http://127.0.0.1:9'] });
		await deaf.start();
		assert.equal((await deaf.derive(APP, 'mail-v1')).reason, 'sealed');
		await deaf.stop();
	} finally {
		for (const name of names) if (kept[name] === undefined) delete process.env[name];
	}
});

test('an edited row, of each table', async () => {
	await down();
	const blob = (bytes) => Buffer.from(bytes);
	const flip = (bytes, at) => {
		const out = blob(bytes);
		out[at < 0 ? out.length + at : at] ^= 1;
		return out;
	};
	// Writes `to` wherever `from` stands.
	const write = (bytes, from, to) => {
		const out = blob(bytes);
		for (let at = out.indexOf(from); at >= 0; at = out.indexOf(from, at + 1)) to.copy(out, at);
		return out;
	};
	const mail = Buffer.from(label('mail-v1').slice(2), 'hex');
	const evil = Buffer.from(label(EVIL).slice(2), 'hex');
	const each = (d, table, id, column, edit) => {
		for (const row of d.prepare(`SELECT ${id} AS id, ${column} AS v FROM ${table}`).all())
			d.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${id} = ?`).run(edit(row.v), row.id);
	};
	const last = (d, table, id, column, edit) => {
		const row = d.prepare(`SELECT ${id} AS id, ${column} AS v FROM ${table} ORDER BY ${id} DESC LIMIT 1`).get();
		assert.ok(row, table);
		d.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${id} = ?`).run(edit(row.v), row.id);
	};
	const edits = {
		'meta: every value': (d) => each(d, 'meta', 'key', 'value', (v) => flip(v, -1)),
		'meta: nothing left': (d) => d.exec('DELETE FROM meta'),
		'evidence: the version that was announced is another': (d) => each(d, 'evidence', 'seq', 'frame', (v) => write(v, mail, evil)),
		'evidence: the last frame': (d) => last(d, 'evidence', 'seq', 'frame', (v) => flip(v, -1)),
		'evidence: one frame less': (d) => d.exec('DELETE FROM evidence WHERE seq = (SELECT max(seq) / 2 FROM evidence)'),
		'ledger: the change says another version': (d) => each(d, 'ledger', 'idx', 'leaf', (v) => write(v, mail, evil)),
		'ledger: the last leaf hash': (d) => last(d, 'ledger', 'idx', 'leaf_hash', (v) => flip(v, 0)),
		'ledger: one entry less': (d) => d.exec('DELETE FROM ledger WHERE idx = (SELECT max(idx) FROM ledger)'),
		'journal: the last leaf': (d) => last(d, 'journal', 'idx', 'leaf', (v) => flip(v, -1)),
		'journal: half of it gone': (d) => d.exec('DELETE FROM journal WHERE idx > (SELECT max(idx) / 2 FROM journal)'),
		'ledger_node: an inner node': (d) => last(d, 'ledger_node', 'seq', 'hash', (v) => flip(v, 0)),
		'journal_node: an inner node': (d) => last(d, 'journal_node', 'seq', 'hash', (v) => flip(v, 0)),
		'quarantine: a refused frame that was never sent': (d) =>
			d.prepare('INSERT INTO quarantine(reason, source, type, len, payload) VALUES(?, 0, 3, 32, ?)').run('allow', evil),
		'roots: the sealed root': (d) => last(d, 'roots', 'generation', 'sealed', (v) => flip(v, -1)),
		"roots: the node's own keys as a generation": (d) =>
			d.exec('UPDATE roots SET sealed = (SELECT sealed FROM roots WHERE generation = 0) WHERE generation = 1'),
		'roots: the same as another generation': (d) => d.exec('INSERT INTO roots(generation, sealed) SELECT 2, sealed FROM roots WHERE generation = 1'),
		'certificates: one that was never issued': (d) =>
			d.prepare('INSERT INTO certificates(seq, generation, app, sum, der) VALUES(999, 1, ?, ?, ?)').run(evil, evil, evil),
	};
	const tables = db(kms).prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
	for (const { name } of tables) assert.ok(Object.keys(edits).some((what) => what.startsWith(name + ':')), `no edit of ${name}`);
	const told = {};
	for (const [what, edit] of Object.entries(edits)) {
		const node = kms.copy();
		const d = db(node);
		edit(d);
		d.close();
		told[what] = await refusesOrDenies(node, what);
	}
	for (const what of Object.keys(edits).filter((name) => /^(evidence|meta|ledger|ledger_node|journal|journal_node|roots):/.test(name)))
		assert.match(told[what], /^ended: /, `${what}: ${told[what]}`);
});

test('a data directory that was rolled back: a heartbeat on chain, a checkpoint that a peer kept', async () => {
	await up();
	const drawn = await eventually('a nonce', async () => (await kms.cli('keys', 'node')).json?.nonce);
	await story.derot.send(story.kms1, 'heartbeat', [drawn]);
	await story.final(kms);
	const note = (await says(kms, message(CHECKPOINT_GET, Buffer.from([1]))))[0];
	assert.equal(note?.type, CHECKPOINT);
	const text = note.payload.subarray(4);
	assert.match(text.toString(), /^derot|\n— /u);
	await down();

	const back = old.copy(); // knows nothing of the heartbeat's journal
	await back.start();
	const status = await back.until((s) => s.sealed && /rolled back, or is a copy/.test(s.why), 'sealed by the heartbeat');
	assert.match(status.why, /register the node anew/);
	assert.equal((await back.derive(APP, 'mail-v1')).reason, 'sealed');
	await back.stop();

	const path = join(kms.folder, 'checkpoint');
	writeFileSync(path, text);
	const withCheckpoint = (node) => {
		const configure = node.configure.bind(node);
		node.configure = async (options) => {
			await configure(options);
			writeFileSync(node.config, readFileSync(node.config, 'utf8') + `checkpoints:\n  - ${path}\n`);
		};
		return node;
	};
	await refuses(withCheckpoint(old.copy()), /rolled back/);
	const forged = Buffer.from(text.toString().replace(/\n\d+\n/, '\n1\n'));
	writeFileSync(path, forged);
	await refuses(withCheckpoint(old.copy()), /checkpoint/);
	writeFileSync(path, text);
	const newest = withCheckpoint(kms.copy());
	await newest.start();
	await newest.until((s) => !s.sealed && s.generation_ours, 'the newest directory is good');
	assert.equal((await newest.derive(APP, 'mail-v1')).key, key);
	await newest.stop();
});

test('a copied data directory: another node, another contract', async () => {
	await down();
	const silent = async (node) => {
		const answer = await node.derive(APP, 'mail-v1');
		assert.equal(answer.verdict, 'deny', JSON.stringify(answer));
		assert.equal(answer.key, undefined);
		return answer.reason;
	};
	const another = await kms.copy({ node: story.kms2 }).start();
	await another.until((s) => !s.sealed);
	assert.equal(await silent(another), 'node', 'nobody has registered it');
	await story.register(another, 2);
	await story.final(another);
	assert.equal(await silent(another), 'root-share', 'it holds the root, and no share was granted to it');
	const asked = await another.cli('keys', 'share', '--to', story.kms1, '-o', join(another.folder, 'parcel'));
	assert.equal(asked.code, EXIT.sealed, 'nor does it hand it on');
	await another.stop();
	// The same contract once more on the same chain, with the same council: its keys are others'.
	const twin = await deploy(chain, {
		founders: [story.alice, story.bob, story.carol],
		guardians: [story.grace],
		quorum: 2,
		period: 3600,
		notices: Object.values(NOTICE),
		profile: await profileDigest(),
	});
	const other = kms.copy();
	other.derot = twin;
	assert.match(await refusesOrDenies(other, 'another contract', silent), /belongs to another contract/);
});

test('a sealed root on another chain: where everything else was granted too', async () => {
	const far = await startAnvil(['--slots-in-an-epoch', '1', '--chain-id', '4242', '--timestamp', String(Math.floor(Date.now() / 1000) - 1200)]);
	try {
		const there = await Story.found(far);
		assert.equal(there.derot.address, story.derot.address, 'the same address: only the chain differs');
		const node = there.kms({ max_staleness: 100000 });
		// Under one sealing key, so that nothing but what the seal is bound to is in the way.
		cpSync(join(kms.folder, 'key'), join(node.folder, 'key'));
		await node.start();
		await there.root(node);
		await there.registerApp();
		await there.announce('mail-v1');
		await there.pass(NOTICE.app);
		await there.final(node);
		const own = (await node.derive(APP, 'mail-v1')).key;
		assert.notEqual(own, key);
		await node.stop();
		await down();
		// The root as a row; all roots; the whole store under this chain's identity; the whole store.
		const sealed = db(kms).prepare('SELECT sealed FROM roots WHERE generation = 1').get().sealed;
		const moves = {
			'the row': (d) => d.prepare('UPDATE roots SET sealed = ? WHERE generation = 1').run(sealed),
			'the row, as a generation to come': (d) => d.prepare('INSERT INTO roots(generation, sealed) VALUES(2, ?)').run(sealed),
			'all roots': (d) => {
				d.exec(`ATTACH '${join(kms.data, 'derot.db')}' AS other; DELETE FROM roots; INSERT INTO roots SELECT * FROM other.roots`);
			},
			'the store, under this identity': (d) => {
				const identity = d.prepare("SELECT value FROM meta WHERE key = 'identity'").get().value;
				d.exec(`ATTACH '${join(kms.data, 'derot.db')}' AS other`);
				for (const { name } of d.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all())
					d.exec(`DELETE FROM main.${name}; INSERT INTO main.${name} SELECT * FROM other.${name}`);
				d.prepare("UPDATE meta SET value = ? WHERE key = 'identity'").run(identity);
			},
		};
		for (const [what, move] of Object.entries(moves)) {
			const thief = node.copy();
			const d = db(thief);
			move(d);
			d.close();
			const answer = async (n) => {
				const got = await n.derive(APP, 'mail-v1');
				assert.equal(got.verdict, 'deny', JSON.stringify(got));
				return got.reason;
			};
			const why = what.startsWith('the store') ? /a stored frame of type \d+ is refused now/ : /it does not open: sealed for another chain/;
			assert.match(await refusesOrDenies(thief, what, answer), why, what);
		}
		const moved = node.copy();
		rmSync(moved.data, { recursive: true });
		cpSync(kms.data, moved.data, { recursive: true });
		await refuses(moved, /belongs to another chain id/);
	} finally {
		await far.stop();
	}
});
