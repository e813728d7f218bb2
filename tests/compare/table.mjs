// SPDX-License-Identifier: Apache-2.0
//
// A table as text, in columns that align, or as Markdown: rows of cells, the first row the heads.

export function markdown([heads, ...rows]) {
	const line = (cells) => `| ${cells.join(' | ')} |`;
	return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

export function text(rows) {
	const plain = rows.map((cells) => cells.map((cell) => cell.replaceAll('`', '')));
	const widths = plain[0].map((_, idx) => Math.max(...plain.map((cells) => cells[idx].length)));
	const line = (cells) => cells.map((cell, idx) => cell.padEnd(widths[idx])).join('  ').trimEnd();
	const [heads, ...body] = plain.map(line);
	return [heads, widths.map((width) => '-'.repeat(width)).join('  '), ...body].join('\n');
}
