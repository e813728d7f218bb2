// SPDX-License-Identifier: Apache-2.0
//
// Every attack that an endpoint can play, as rows by family. A row is
//
//     { name, threat, how, way, journal, state, … }
//
// threat: its number in reference/threats.md; how: `call` changes one call's reply ({result} or {error}), `http`
// answers the whole request in its own way (false: in the usual way); way: the completeness way that it is aimed at.

import { BLOCKS } from './attacks_blocks.mjs';
import { EVENTS } from './attacks_events.mjs';
import { HTTP } from './attacks_http.mjs';
import { STATE } from './attacks_state.mjs';

export const ATTACKS = [...EVENTS, ...BLOCKS, ...STATE, ...HTTP];
export const byName = (name) => {
	const attack = ATTACKS.find((a) => a.name === name);
	if (!attack) throw new Error(`no attack is called ${name}`);
	return attack;
};
