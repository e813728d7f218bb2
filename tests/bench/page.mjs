// SPDX-License-Identifier: Apache-2.0
//
// page.mjs [FOLDER]: from FOLDER's bench.json, bench-run.json and bench-sweep.json (default: the build folder), the
// plots in docs/plots and what stands between the marks of docs/performance.md. Everything else there is written by hand.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const from = process.argv[2] ?? resolve(root, process.env.DEROT_BUILD ?? 'build');
const read = (name) => JSON.parse(readFileSync(join(from, name), 'utf8'));
const rows = read('bench.json');
const run = read('bench-run.json');
const sweeps = read('bench-sweep.json');
const plots = join(root, 'docs/plots');
mkdirSync(plots, { recursive: true });

// The colours of a series stay with its kind, in every plot; each has one for paper and one for a dark screen.
const COLOURS = [
	['derot, avx2', 'c1'],
	['derot, portable', 'c2'],
	['derot, store opened', 'c2'],
	['of it', 'c2'],
	['derot', 'c1'],
	['@noble', 'c4'],
	['', 'c3'],
];
const colour = (name) => COLOURS.find(([start]) => name.startsWith(start) || (start === '@noble' && name.includes(start)))[1];
const LIGHT = { page: '#fcfcfb', ink: '#1a1a19', soft: '#5f5e59', line: '#e3e2dd', axis: '#a9a8a1', c: ['#1f6fd0', '#0b8f63', '#c65a11', '#a13d8f'] };
const DARK = { page: '#1a1a19', ink: '#f2f1ec', soft: '#b4b3ab', line: '#353430', axis: '#75746d', c: ['#62a8f7', '#3fc795', '#f2935a', '#da86cb'] };
// Without variables: not every program that shows a picture knows them.
const paint = (p) =>
	`text { fill: ${p.soft}; } .page { fill: ${p.page}; } .title, .value { fill: ${p.ink}; } .grid { stroke: ${p.line}; } .axis { stroke: ${p.axis}; } .wish { stroke: ${p.soft}; } circle { stroke: ${p.page}; }` +
	p.c.map((c, i) => ` path.c${i + 1} { stroke: ${c}; } circle.c${i + 1}, rect.c${i + 1}, text.c${i + 1} { fill: ${c}; }`).join('');
const STYLE = `
	text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; } .title { font-size: 16px; font-weight: 600; } text.name { font-weight: 600; }
	path.series { fill: none; stroke-width: 2; stroke-linejoin: round; } circle { stroke-width: 1.5; } .wish { stroke-dasharray: 5 4; }
	${paint(LIGHT)}
	@media (prefers-color-scheme: dark) { ${paint(DARK)} }`;

const escape = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const fixed = (x) => Number(x.toFixed(1));
const tag = (name, attributes, content) => {
	const list = Object.entries(attributes).map(([k, v]) => ` ${k}="${typeof v === 'number' ? fixed(v) : v}"`);
	return `<${name}${list.join('')}${content === undefined ? '/>' : `>${content}</${name}>`}`;
};
const words = (x, y, text, attributes = {}) => tag('text', { x, y, ...attributes }, escape(text));
const svg = (width, height, title, body) =>
	`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">\n` +
	`<!-- SPDX-License-Identifier: Apache-2.0; made by tests/bench/page.mjs -->\n<style>${STYLE}\n</style>\n` +
	`${tag('rect', { class: 'page', width, height, rx: 6 })}\n${words(20, 30, title, { class: 'title' })}\n${body.join('\n')}\n</svg>\n`;

const short = (x) => {
	if (x >= 1e6) return `${Number((x / 1e6).toPrecision(3))} M`;
	if (x >= 1e4) return `${Number((x / 1e3).toPrecision(3))} k`;
	return String(Number(x.toPrecision(3)));
};

// A scale: where a value stands between a and b, and the values that are written at it.
function scale(values, a, b, log) {
	let [low, high] = [Math.min(...values), Math.max(...values)];
	if (log) {
		[low, high] = [low / 1.2, high * 1.2];
		const ticks = [];
		const steps = high / low > 200 ? [1] : high / low > 20 ? [1, 3] : [1, 2, 5];
		for (let ten = 10 ** Math.floor(Math.log10(low)); ten <= high; ten *= 10)
			ticks.push(...steps.map((m) => Number((m * ten).toPrecision(3))).filter((t) => t >= low && t <= high));
		return { at: (v) => a + ((b - a) * Math.log(v / low)) / Math.log(high / low), ticks };
	}
	const raw = high / 5;
	const unit = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 2.5, 5, 10].map((m) => m * unit).find((s) => s >= raw);
	high = Math.ceil(high / step) * step;
	return { at: (v) => a + ((b - a) * v) / high, ticks: Array.from({ length: Math.round(high / step) + 1 }, (_, i) => i * step) };
}

// Labels beside the lines' ends, pushed apart where the ends are close.
function apart(labels, least) {
	labels.sort((p, q) => p.y - q.y);
	for (let i = 1; i < labels.length; i++) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + least);
	return labels;
}

function lines(name, title, { log_x = false, log_y = false, wish } = {}) {
	const { x, y, series } = sweeps[name];
	const [width, height, left, right, top, bottom] = [760, 400, 74, 210, 62, 58];
	const points = Object.values(series).flat();
	const sx = scale(points.map((p) => p[0]), left, width - right, log_x);
	const sy = scale([...points.map((p) => p[1]), ...(wish ? [wish.at] : [])], height - bottom, top, log_y);
	const body = [];
	for (const t of sy.ticks) {
		body.push(tag('line', { class: 'grid', x1: left, x2: width - right, y1: sy.at(t), y2: sy.at(t) }));
		body.push(words(left - 9, sy.at(t) + 4, short(t), { 'text-anchor': 'end' }));
	}
	for (const t of sx.ticks) {
		body.push(tag('line', { class: 'axis', x1: sx.at(t), x2: sx.at(t), y1: height - bottom, y2: height - bottom + 5 }));
		body.push(words(sx.at(t), height - bottom + 21, short(t), { 'text-anchor': 'middle' }));
	}
	body.push(tag('line', { class: 'axis', x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
	body.push(words(left, height - 14, log_x ? `${x} (logarithmic)` : x));
	body.push(words(20, 50, log_y ? `${y} (logarithmic)` : y));
	const labels = [];
	if (wish) {
		body.push(tag('line', { class: 'wish', x1: left, x2: width - right, y1: sy.at(wish.at), y2: sy.at(wish.at) }));
		labels.push({ y: sy.at(wish.at) + 4, text: wish.name, kind: '' });
	}
	for (const [what, list] of Object.entries(series)) {
		const c = colour(what);
		const at = list.map(([px, py]) => [fixed(sx.at(px)), fixed(sy.at(py))]);
		body.push(tag('path', { class: `series ${c}`, d: at.map(([px, py], i) => `${i ? 'L' : 'M'}${px} ${py}`).join(' ') }));
		for (const [i, [cx, cy]] of at.entries()) body.push(tag('circle', { class: c, cx, cy, r: 4 }, `<title>${escape(what)}: ${list[i][1]} at ${list[i][0]}</title>`));
		labels.push({ y: at.at(-1)[1] + 4, text: what, kind: `name ${c}` });
	}
	for (const { y: ly, text, kind } of apart(labels, 17)) body.push(words(width - right + 12, ly, text, kind ? { class: kind } : {}));
	writeFileSync(join(plots, `${name}.svg`), svg(width, height, title, body));
}

// How many times better than the peer: one bar a row, on a scale of powers of ten.
function ratios() {
	const list = rows.filter((r) => r.ratio !== null);
	const [width, left, right, top, each] = [960, 470, 90, 76, 25];
	const height = top + list.length * each + 30;
	const s = scale([1, ...list.map((r) => r.ratio)], left, width - right, true);
	const body = [words(20, 52, 'times better than the peer on the same bytes (logarithmic)')];
	for (const t of s.ticks) {
		body.push(tag('line', { class: 'grid', x1: s.at(t), x2: s.at(t), y1: top - 4, y2: height - 28 }));
		body.push(words(s.at(t), height - 10, `${short(t)}×`, { 'text-anchor': 'middle' }));
	}
	for (const [i, r] of list.entries()) {
		const y = top + i * each;
		const wide = Math.max(s.at(r.ratio) - left, 2);
		// Where several peers did the same, whom it is held against.
		const again = list.some((other) => other !== r && other.name === r.name);
		const whole = again ? `${r.name}: ${r.peer_name.split(',')[0]}` : r.name;
		const name = whole.length > 62 ? `${whole.slice(0, 61)}…` : whole;
		body.push(words(left - 10, y + 14, name, { 'text-anchor': 'end' }));
		body.push(tag('rect', { class: `bar ${/avx2|avx512/.test(r.name) ? 'c1' : 'c2'}`, x: left, y: y + 2, width: wide, height: each - 8, rx: 3 }, `<title>${escape(`${r.name}: against ${r.peer_name}`)}</title>`));
		body.push(words(left + wide + 7, y + 15, `${short(r.ratio)}×`, { class: 'value' }));
	}
	writeFileSync(join(plots, 'ratios.svg'), svg(width, height, 'derot beside the packages that users would otherwise take', body));
}

lines('blocks', 'Replay: time against the number of blocks', { log_x: true, log_y: true });
lines('receipts', 'Replay: time of a block against its receipts', { log_x: true, log_y: true });
lines('events', 'Replay: time of a block of 200 receipts against how many have events');
lines('ledger', 'Ledger: time to verify it again against its length', { log_x: true, log_y: true, wish: { at: 0.6, name: 'target for 1 M: 0.6 s' } });
lines('memory', 'Replay: memory against the number of blocks', { log_x: true, log_y: true, wish: { at: 32, name: 'target: 32 MiB' } });
lines('start', 'Start: time against the history that is folded again');
ratios();

const cell = (x) => (x === null ? '' : typeof x === 'number' ? short(x) : x);
const table = [
	'| task | unit | derot | peer | | target | | memory, MiB | the peer |',
	'|---|---|--:|--:|--:|--:|---|--:|---|',
	...rows.map((r) => {
		const met = r.met === null ? '' : r.met ? 'met' : '**missed**';
		const memory = r.memory_kib === null ? '' : (r.memory_kib / 1024).toFixed(1);
		return `| ${[r.name, r.unit, cell(r.derot), cell(r.peer), r.ratio === null ? '' : `${short(r.ratio)}×`, cell(r.target), met, memory, r.peer_name ?? ''].join(' | ')} |`;
	}),
].join('\n');
const m = run.machine;
const yes = (flag) => (flag ? 'yes' : 'no');
const machine = [
	'| processor | AVX2 | AVX-512 | SHA | cores | memory | kernel | compiler | Node.js | load before and after |',
	'|---|---|---|---|---|---|---|---|---|---|',
	`| ${m.cpu} | ${yes(m.avx2)} | ${yes(m.avx512)} | ${yes(m.sha_ni)} | ${m.cores} | ${(m.memory_mib / 1024).toFixed(0)} GiB | ${m.kernel} | ${m.compiler} | ${m.node} | ${m.load_before[0]}, ${m.load_after[0]} |`,
].join('\n');
const spoiled = ['| task | derot | the peer |', '|---|---|---|', ...run.tampered.map((t) => `| ${t.name} | ${t.derot} | ${t.peer ?? ''} |`)].join('\n');

const page = join(root, 'docs/performance.md');
let text = readFileSync(page, 'utf8');
for (const [mark, filled] of Object.entries({ machine, table, spoiled }))
	text = text.replace(new RegExp(`(<!-- ${mark} -->\n)[^]*?(<!-- end -->)`), (_, a, b) => `${a}${filled}\n${b}`);
writeFileSync(page, text);
