// SPDX-License-Identifier: Apache-2.0
//
// A client of a running core's own socket (kms-bridge/proto.h): what the command line asks, without a process for
// each question. One question at a time.
//
//     const client = await Client.open(join(data, 'core.sock'));
//     await client.status();                  // {final, head, sealed, why, ledger_size, ledger_root, …}
//     await client.key({ app, measurement }); // {allow, deny}; at proof consensus also withheld: allowed, and no key leaves
//     await client.leaves(from);              // hashes of the ledger's leaves

import { connect } from 'node:net';

const STATUS_GET = 0x0501;
const KEY_GET = 0x0502;
const LOG_GET = 0x0503;
const STATUS = 0x0206;
const KEY = 0x0601;
const LOG_ENTRY = 0x0602;
const LOG_END = 0x0603;
const ERROR = 0x0605;
// What comes of an allow at proof consensus.
const WITHHELD = /keys of this proof go to an attested recipient only/;
const PURPOSE_SEAL = 1;
const ALLOW = 1;

class Fields {
	constructor(bytes) {
		this.bytes = bytes;
		this.at = 0;
	}
	take(n) {
		this.at += n;
		return this.bytes.subarray(this.at - n, this.at);
	}
	u8 = () => this.take(1)[0];
	u16 = () => this.take(2).readUInt16BE();
	u32 = () => this.take(4).readUInt32BE();
	u64 = () => Number(this.take(8).readBigUInt64BE());
	hash = () => '0x' + this.take(32).toString('hex');
	text = () => this.take(this.u16()).toString('utf8');
}

// In the order of code_status_report (kms-bridge/proto_msg.c).
function statusOf(bytes) {
	const f = new Fields(bytes);
	const s = { chain_id: f.u64(), contract: f.take(20), proof: f.u8(), k: f.u16(), n: f.u16() };
	s.beacon = { network: f.text(), checkpoint: f.hash(), from: f.text(), aged_by: f.text(), ready: f.u8(), aged: f.u8() };
	Object.assign(s.beacon, { checkpoint_slot: f.u64(), final_slot: f.u64(), head_slot: f.u64(), period: f.u64(), period_now: f.u64() });
	Object.assign(s.beacon, { final_root: f.hash(), participation: f.u32(), committee: f.u32(), age: f.take(8) });
	s.start = f.u64();
	Object.assign(s, { anchored: f.u8(), has_final: f.u8(), final: f.u64(), final_time: f.u64(), final_hash: f.hash() });
	Object.assign(s, { target: f.u64(), head: f.u64(), head_time: f.u64(), heads: f.u32(), sealed: f.u8() === 1 });
	Object.assign(s, { halted: f.u8() === 1, why: f.text(), lease_left_s: f.u64(), ledger_size: f.u64() });
	Object.assign(s, { journal_size: f.u64(), ledger_root: f.hash(), journal_root: f.hash(), state_digest: f.hash() });
	Object.assign(s, { profile_digest: f.hash(), generation: f.u64(), ours: f.u8(), holding: f.u8(), deadline: f.u64() });
	Object.assign(s, { heartbeat: f.u8(), heartbeat_age: f.take(8), divergences: f.u32(), findings: f.u32() });
	Object.assign(s, { kept: f.u64(), refused: f.u64(), torn: f.u8(), endpoints: [] });
	for (let left = f.u16(); left > 0; left--)
		s.endpoints.push({ name: f.text(), state: f.u8(), lies: f.u32(), final: f.u64(), reason: f.text() });
	if (f.at !== bytes.length) throw new Error('a status of another form: see kms-bridge/proto_msg.c');
	return s;
}

const text32 = (text) => Buffer.concat([Buffer.from(text), Buffer.alloc(32)]).subarray(0, 32);

// request: as dr_request_encode (governance/decide.c) writes it, for the sealing key, on the hardware of HARDWARE
// (run.mjs).
function requestOf({ app, measurement }) {
	const svn = Buffer.alloc(8);
	svn.writeBigUInt64BE(7n);
	const none = Buffer.alloc(32);
	const [tee, family, device] = ['tdx', 'fam-good', 'rack7'].map(text32);
	const [back, rootBack, from, confidence, advisories] = [0, 0, 0, 1, 0];
	return Buffer.concat([
		...[text32(app), text32(measurement), none, none],
		...[Buffer.from([PURPOSE_SEAL, back, rootBack, from]), none, none],
		...[tee, family, device, svn, Buffer.from([confidence, advisories])],
	]);
}

export class Client {
	#socket;
	#rest = Buffer.alloc(0);
	#takes = null;
	#fails = null;
	#turn = Promise.resolve();

	static open(path) {
		return new Promise((resolve, reject) => {
			const client = new Client();
			const socket = (client.#socket = connect(path));
			socket.unref();
			socket.once('connect', () => resolve(client));
			socket.once('error', reject);
			socket.once('close', () => client.#fails?.(new Error('the core closed its socket')));
			socket.on('data', (chunk) => client.#read(chunk));
		});
	}

	close() {
		this.#socket.destroy();
	}

	#read(chunk) {
		this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
		while (this.#rest.length >= 4) {
			const len = this.#rest.readUInt32BE();
			if (this.#rest.length < 4 + len) return;
			const [type, payload] = [this.#rest.readUInt16BE(4), this.#rest.subarray(6, 4 + len)];
			this.#rest = this.#rest.subarray(4 + len);
			this.#takes?.(type, payload);
		}
	}

	// One question; `take` gets every message of its answer and returns true at the last.
	#ask(type, payload, take) {
		const asked = this.#turn.then(() => new Promise((resolve, reject) => {
			if (this.#socket.destroyed) throw new Error('the core closed its socket');
			this.#fails = reject;
			this.#takes = (got, bytes) => {
				const last = take(got, bytes);
				if (!last) return;
				this.#takes = this.#fails = null;
				resolve(last.value);
			};
			const head = Buffer.alloc(6);
			head.writeUInt32BE(2 + payload.length);
			head.writeUInt16BE(type, 4);
			this.#socket.write(Buffer.concat([head, payload]));
		}));
		this.#turn = asked.catch(() => undefined);
		return asked;
	}

	status() {
		return this.#ask(STATUS_GET, Buffer.alloc(0), (type, bytes) => {
			if (type !== STATUS) throw new Error(`message ${type} for a status`);
			return { value: statusOf(bytes) };
		});
	}

	key(request) {
		return this.#ask(KEY_GET, requestOf(request), (type, bytes) => {
			if (type === ERROR && WITHHELD.test(bytes.toString('latin1'))) return { value: { allow: true, deny: 0, withheld: true } };
			if (type !== KEY) throw new Error(`message ${type} for a key: ${bytes.subarray(4).toString()}`);
			return { value: { allow: bytes[0] === ALLOW, deny: bytes[1] } };
		});
	}

	leaves(first = 0) {
		const query = Buffer.alloc(17);
		query.writeBigUInt64BE(BigInt(first), 1);
		const found = [];
		return this.#ask(LOG_GET, query, (type, bytes) => {
			if (type === LOG_ENTRY) found.push('0x' + bytes.toString('hex', 8, 40));
			else if (type === LOG_END) return { value: found };
			else throw new Error(`message ${type} for a log`);
		});
	}
}
