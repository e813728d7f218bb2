// SPDX-License-Identifier: Apache-2.0
//
// The story that the live tests share: a council of three (two carry), a guardian, a deployer, a KMS node that
// registers, is allowed and ordered to make the first root, which derot makes and the node's account publishes.
//
// Notices are long against the run of a test and are passed by moving the chain's clock, never by waiting.

import { strict as assert } from 'node:assert';
import { ACTION, deploy } from './derot.mjs';
import { label } from './abi.mjs';
import { EXIT, Kms, eventually, finalHeight, profileDigest } from './run.mjs';

export const NOTICE = { council: 20, measurement: 30, root: 40, profile: 60, app: 50 };
export const BUILD = label('kms-v1');
export const APP = 'mail';
export const SERVICE = 'mailbox';

export class Story {
	// found: the contract on a running chain. options: finality, the tag that is read as final; or beacon, the chain over
	// it that says what is (beacon.mjs); notice, instead of NOTICE.
	static async found(chain, options = {}) {
		const story = new Story();
		[story.alice, story.bob, story.carol, story.grace, story.dave, story.mallory, story.kms1, story.kms2] = chain.accounts;
		story.chain = chain;
		story.tag = options.finality;
		story.beacon = options.beacon;
		story.notice = options.notice ?? NOTICE;
		story.derot = await deploy(chain, {
			founders: [story.alice, story.bob, story.carol],
			guardians: [story.grace],
			quorum: 2,
			period: 3600,
			notices: Object.values(story.notice),
			profile: await profileDigest(),
		});
		return story;
	}

	// kms: a node that follows this contract.
	kms(options = {}) {
		const proof = this.beacon ? { consensus: this.beacon.consensus() } : { finality: this.tag };
		return new Kms(this.derot, { endpoints: [this.chain.url], node: this.kms1, ...proof, ...options });
	}

	council(action, ...args) {
		return this.derot.decide([this.alice, this.bob], action, args);
	}

	// pass: `seconds` go by on the chain, in as few blocks as it can be.
	async pass(seconds) {
		if (this.beacon) return this.beacon.to((await this.beacon.slot()) + seconds);
		await this.chain.mine((await this.chain.time()) + seconds);
	}

	// settle: mines until the newest block is final; returns its number.
	async settle() {
		if (this.beacon) return this.beacon.settle();
		const height = await this.chain.height();
		for (let i = 0; i < 200 && (await finalHeight(this.chain, this.tag)) < height; i++) await this.chain.mine();
		assert.ok((await finalHeight(this.chain, this.tag)) >= height, 'the chain does not finalize');
		return height;
	}

	// final: everything that happened is final on the chain, and kms has taken it.
	async final(kms) {
		return kms.reaches(await this.settle());
	}

	// register: kms1, or the node of a running kms with the key that roots are encrypted to; on machine number `rack`.
	async register(kms, rack = 1) {
		const enc = kms ? (await kms.cli('keys', 'node')).json.enc_key : label('kms1-enc');
		const words = [1, BUILD, enc, label('tdx'), label('fam-good'), 7, label(`rack${rack}`)];
		await this.derot.send(kms?.options.node ?? this.kms1, 'registerNode', words, 1000n * 10n ** 9n);
	}

	async allowBuild() {
		await this.council(ACTION.measurementAllow, BUILD);
		await this.pass(this.notice.measurement);
	}

	async rotate(generation = 1, node = this.kms1) {
		await this.council(ACTION.rootRotate, generation, node, (await this.chain.time()) + 1200);
		await this.pass(this.notice.root);
	}

	// publish: sends the calldata of derot keys public from the node's account.
	async publish(kms, generation = 1) {
		const { json } = await eventually('the root to be made', async () => {
			const answer = await kms.cli('keys', 'public', '--generation', String(generation));
			return answer.code === EXIT.good && answer;
		});
		assert.equal(json.to, this.derot.address);
		assert.equal(json.from, kms.options.node);
		await this.chain.send({ from: json.from, to: json.to, data: json.data });
		return json;
	}

	// root: register, allow, rotate, publish; kms holds the active generation when this returns.
	async root(kms) {
		await this.register(kms);
		await this.allowBuild();
		await this.rotate();
		await this.final(kms);
		await this.publish(kms);
		await this.final(kms);
		await kms.until((s) => s.generation === 1 && s.generation_ours && !s.sealed, 'the active generation');
	}

	async registerApp(app = APP, notice = this.notice.app) {
		await this.derot.send(this.dave, 'registerApp', [label(app), label(`nonce of ${app}`), notice, 3]);
	}

	async announce(measurement, app = APP) {
		await this.derot.send(this.dave, 'announce', [label(app), label(measurement)]);
	}
}
