// SPDX-License-Identifier: Apache-2.0
//
// What is expected of derot when an endpoint attacks: a row's `state` while no other endpoint is there, and the entry
// that must be in its journal. Beside an honest endpoint every attack ends in one state: it goes on, to the same ledger.

// No final block was proven in this life: no key is answered.
export const SEALED = 'sealed';
// The cursor stands below the block that is attacked.
export const STANDS = 'stands';
// What is left honest is enough.
export const GOES_ON = 'goes on';

const entry = (kind) => (words) => ({ kind, words });
export const lie = entry('lie');
export const aside = entry('endpoint');
// Not had from this endpoint: in the journal with these words.
export const lacks = entry('unavailable');

// Proven by the core itself.
export const NOT_REBUILT = lie(/^proof: receipts do not rebuild the block's receiptsRoot/);
export const NOT_ROLLED = lie(/^proof: the log list does not roll up to the contract's proven count and hash/);
export const NOT_PROVEN = lie(/^proof: trie (node|proof)/);
export const NOT_ITS_NUMBER = lie(/^proof: a header's number is not its parent's plus one/);
// Seen by the watch: its server is set aside, and not asked for a while.
export const NOT_ITS_HASH = aside(/^set aside: a header that does not have the hash asked for/);
export const NO_REPLY = aside(/^set aside: answered with what is no reply to the request/);
export const TOO_LARGE = aside(/^set aside: answered with too much/);
export const TOO_SLOW = aside(/^set aside: did not finish its answer in time/);
export const BROKEN_OFF = aside(/^set aside: could not be reached, or broke the connection/);
export const HTTP_ERROR = aside(/^set aside: answered with an HTTP error or redirect/);
export const LIMITED = aside(/^set aside: limits how often it may be asked/);
export const NO_CHAIN = aside(/^set aside: does not tell its chain id and genesis/);
export const WRONG_CHAIN = aside(/^on a wrong chain: has another/);
// Nothing is said: it is no worse than honest, or what it says of itself is not read.
export const NOTHING = null;
