# SPDX-License-Identifier: Apache-2.0
#
# random.awk: NUM breakages picked blindly by SEED from the sources it is given: an operator turned, a condition or a
# return put the other way, a call left out. One a line: file, line, column, old, new, with tabs between them.

BEGIN {
	n = 0
	add(" < ", " <= "); add(" <= ", " < "); add(" > ", " >= "); add(" >= ", " > ")
	add(" == ", " != "); add(" != ", " == "); add(" && ", " || "); add(" || ", " && ")
	add(" + 1", " + 0"); add(" - 1", " - 0")
	add("return true;", "return false;"); add("return false;", "return true;")
	add("= true;", "= false;"); add("= false;", "= true;")
	add("if (!", "if ("); add(" + ", " - "); add(" - ", " + ")
	# A condition that never holds: a skipped check.
	add("if (", "if (0 && ")
}
function add(from, to) { old[++n] = from; new[n] = to }

FNR == 1 { comment = 0 }
{
	line = $0
	# What is no code: comments, the preprocessor, texts, assertions, the loops' own counting.
	if (comment) { if (line ~ /\*\//) comment = 0; next }
	if (line ~ /^[ \t]*\/\*/) { if (line !~ /\*\//) comment = 1; next }
	if (line ~ /^#/ || line ~ /DR_ASSERT|for \(/ || line ~ /^[a-z].*[(]/) next
	gsub(/\\"/, "__", line)
	while (match(line, /"[^"]*"/)) {
		blank = sprintf("%" RLENGTH "s", "")
		gsub(/ /, "_", blank)
		line = substr(line, 1, RSTART - 1) blank substr(line, RSTART + RLENGTH)
	}
	if (match(line, /\/\*/)) line = substr(line, 1, RSTART - 1)
	for (i = 1; i <= n; i++) {
		from = 1
		while ((at = index(substr(line, from), old[i])) > 0) {
			where[++num] = FILENAME "\t" FNR "\t" (from + at - 1) "\t" old[i] "\t" new[i]
			from += at
		}
	}
}

END {
	x = seed + 1
	for (k = 0; k < 10; k++) x = x * 16807 % 2147483647
	print num " places" >"/dev/stderr"
	for (k = 0; k < want && k < num;) {
		x = x * 16807 % 2147483647
		i = 1 + x % num
		if (i in taken) continue
		taken[i] = 1
		k++
		print where[i]
	}
}
