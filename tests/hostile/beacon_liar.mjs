// SPDX-License-Identifier: Apache-2.0
//
// A beacon node that lies: it serves a forged chain (../nodes/forge.mjs), and does at any time what it is told.
//
//     const liar = await startBeaconLiar(beacon);      // what has a `forge`
//     liar.attack = row;               // of attacks_beacon.mjs; null: honest
//     await liar.stop();
//
// Several at once: liar.attacks, as a proxy has them. Each changes what the one before it says.

import { answerOf } from '../nodes/forge_api.mjs';
import { Acting, Server } from './proxy.mjs';

class BeaconLiar extends Server {
	json = false; // it answers in JSON, whatever it is asked for: some honest ones do
	paths = new Set(); // what it was asked for

	constructor(source) {
		super();
		this.target = source;
	}

	get forge() {
		return this.target.forge;
	}

	set attack(row) {
		this.lies = 0;
		this.attacks = row ? [new Acting(this, row, 0)] : [];
	}

	#told(kind, value, block) {
		return this.attacks.reduce((before, acting) => {
			const said = acting.row.tells?.(acting, kind, before, block) ?? before;
			if (said !== before) acting.count();
			return said;
		}, value);
	}

	async serve({ path, accept }, res) {
		this.paths.add(path.split('?')[0]);
		// Who breaks HTTP's rules, or JSON's, answers in JSON.
		const json = this.json || this.attacks.some(({ row }) => row.http || row.json);
		let reply = answerOf(this.forge, path, json ? 'application/json' : accept, (...what) => this.#told(...what));
		for (const acting of this.attacks) {
			const before = reply;
			reply = (await acting.row.rest?.(acting, path, before)) ?? before;
			if (reply !== before) acting.count();
		}
		const { status, headers, body } = reply;
		if (!this.mistreats(res, () => [body.toString(), []])) res.end(body, { status: `${status} Said`, ...headers });
	}
}

export const startBeaconLiar = (source) => new BeaconLiar(source).start();
