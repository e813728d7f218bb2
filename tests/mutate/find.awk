# SPDX-License-Identifier: Apache-2.0
#
# find.awk: reads the list of breakages and finds each row's place in the sources.
#
#   mode=check    TAP: every row is whole, and its old line is found exactly once
#   mode=list     id, file, program and case of every row, tab between them; ids: only these (words)
#   mode=apply    the text of the row's file with the breakage in it; ids: the one row
#   mode=words    id, file, what goes wrong and who catches it: the list to read

function complain(why) {
	broken[num] = broken[num] (broken[num] == "" ? "" : "; ") why
}

FNR == 1 { num = 0 }
/^#/ || /^[ \t]*$/ { next }
/^[a-z0-9]/ {
	num++
	id[num] = $1; file[num] = $2; inside[num] = $3
	if (NF < 2 || NF > 3) complain("a row begins with an id, a file, and perhaps a function")
	if ($1 in seen) complain("this id is there twice")
	seen[$1] = 1
	next
}
/^- / { if (num in old) complain("two old lines"); old[num] = substr($0, 3); next }
/^[+] / { if (num in new) complain("two new lines"); new[num] = substr($0, 3); next }
/^[+]$/ { if (num in new) complain("two new lines"); new[num] = ""; next }
/^! / { why[num] = why[num] (num in why ? " " : "") substr($0, 3); next }
/^= / { test[num] = $2; case_[num] = $3; if (NF != 3) complain("= has a program and a case"); next }
{ complain("what is this: " $0) }

# The lines of a file, once read.
function load(path,    n, line) {
	if (path in lines) return
	n = 0
	while ((getline line < path) > 0) text[path, ++n] = line
	close(path)
	lines[path] = n
}

# The only line of row i's file, or of its function there, in which the old text stands, and stands once; 0 if it
# is none or several.
function place(i,    path, k, at, on, found, rest, name) {
	path = file[i]
	name = inside[i] "("
	on = inside[i] == ""
	found = 0
	load(path)
	for (k = 1; k <= lines[path]; k++) {
		if (inside[i] != "" && text[path, k] ~ /^[a-z]/ && text[path, k] !~ /;$/ && at = index(text[path, k], name))
			if (substr(text[path, k], at - 1, 1) !~ /[a-z0-9_]/) on = 1
		if (inside[i] != "" && text[path, k] == "}") on = 0
		if (!on || !(at = index(text[path, k], old[i]))) continue
		rest = substr(text[path, k], at + 1)
		if (found || index(rest, old[i])) return 0
		found = k
	}
	return found
}

function is_wanted(i) { return ids == "" || index(" " ids " ", " " id[i] " ") > 0 }

END {
	bad = 0
	if (mode == "check") print "1.." num
	for (i = 1; i <= num; i++) {
		if (!is_wanted(i)) continue
		shown++
		if (broken[i] == "" && (!(i in old) || !(i in new) || !(i in why) || !(i in test)))
			broken[i] = "a row has -, +, ! and ="
		if (broken[i] == "" && old[i] == new[i]) broken[i] = "old and new are the same"
		at = broken[i] == "" ? place(i) : 0
		if (at == 0 && broken[i] == "") {
			load(file[i])
			broken[i] = lines[file[i]] == 0 ? "there is no such file" : "the old text is not found exactly once"
		}
		if (broken[i] != "") bad = 1
		if (mode == "check") {
			print (broken[i] == "" ? "ok " : "not ok ") i " - " id[i]
			if (broken[i] != "") print "#   " file[i] ": " broken[i]
		} else if (broken[i] != "") {
			print id[i] ": " broken[i] >"/dev/stderr"
		} else if (mode == "list") {
			print id[i] "\t" file[i] "\t" test[i] "\t" case_[i]
		} else if (mode == "words") {
			print id[i] "\n    " file[i] ":" at "\n    " why[i] "\n    caught by " test[i] ", " case_[i]
		} else if (mode == "apply") {
			for (k = 1; k <= lines[file[i]]; k++) {
				line = text[file[i], k]
				if (k == at) {
					from = index(line, old[i])
					line = substr(line, 1, from - 1) new[i] substr(line, from + length(old[i]))
				}
				print line
			}
		}
	}
	if (shown == 0) {
		print "no such row" >"/dev/stderr"
		bad = 1
	}
	exit bad
}
