/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct dr_command commands[] = {
	{ "run", dr_cmd_run, "run -c derot.yaml",
	  "follow the chain live: supervise watch and core, answer key requests",
	  "Prints every change, finding and journal entry as it is made. SIGTERM stops it in good order.\n" },
	{ "record", dr_cmd_record, "record -c derot.yaml --to N -o F [--journal]",
	  "fetch and write evidence until block N is final",
	  "F holds what the core accepted, byte for byte; F.anchor.yaml beside it says what it is to be held "
	  "against.\n" },
	{ "replay", dr_cmd_replay, "replay F [--anchor A] [--until N] [--ask REQUESTS] [--journal]",
	  "verify evidence offline, fold it, print every change",
	  "Without --anchor the recorder's own claims are taken: self-consistent only, exit 6. --ask prints what "
	  "the\n"
	  "key requests of a file are answered after each change.\n" },
	{ "status", dr_cmd_status, "status -c derot.yaml", "head, final, proof, lag, lease, sealed or not, and why",
	  "Exit 2 while sealed.\n" },
	{ "audit", dr_cmd_audit,
	  "audit log    -c derot.yaml [--journal] [--first I] [-n NUM]\n"
	  "audit show   -c derot.yaml [--journal] I\n"
	  "audit verify -c derot.yaml\n"
	  "audit export -c derot.yaml -o F",
	  "rotation and authorization history of a node, and whether it is what the chain says",
	  "verify hashes every entry again and makes the ledger anew from the node's own evidence. Exit 5: "
	  "findings.\n" },
	{ "keys", dr_cmd_keys,
	  "keys init        -c derot.yaml [--argon2-mib N]\n"
	  "keys node        -c derot.yaml [--measurement M --tee T --family F --svn N --device D]\n"
	  "keys public      -c derot.yaml [--generation G]\n"
	  "keys publish     -c derot.yaml [--generation G] [--account-key FILE [TERMS]]\n"
	  "keys heartbeat   -c derot.yaml [--account-key FILE [TERMS]]\n"
	  "keys share       -c derot.yaml --to NODE [--generation G] -o FILE|--socket PATH\n"
	  "keys accept      -c derot.yaml FILE|--socket PATH\n"
	  "keys derive      -c derot.yaml --app A --measurement M --tee T --family F --device D [--svn N]\n"
	  "                       [--purpose P] [--service S] [--contract X] [--from M] [--before] [--root-before]\n"
	  "                       [--confidence L] [--advisory ID]... [--recipient KEY|--recipient-file F] "
	  "[--prove]\n"
	  "keys certificate -c derot.yaml [--generation G] [--app A]\n"
	  "keys reseal      -c derot.yaml\n"
	  " TERMS: [--tx-nonce N] [--gas N] [--max-fee WEI|--max-fee-gwei N] [--priority-fee WEI]",
	  "key file, the node's keys, root generations and their way to other nodes, key requests",
	  "publish and heartbeat print the transaction that the node's account has to send, and sign it if they\n"
	  "are given the account's key; they send nothing. share and accept carry a root generation to a node that\n"
	  "the council gave it to. derive prints a key only while the chain grants it, and checks that the\n"
	  "published root gives no other. Exit 2: denied, or not there yet; 3: a key that is not what it claims.\n" },
	{ "fixture", dr_cmd_fixture,
	  "fixture make SCENARIO -o F [--anvil PROGRAM] [--contract BIN] [--profile P]\n"
	  "fixture lint SCENARIO F [--print]",
	  "play a scenario on a real node and record it; hold a recording against its scenario", NULL },
	{ "verify", dr_cmd_verify,
	  "verify evm-header   [--rule ethereum] BLOCK.json\n"
	  "verify evm-receipts [--rule ethereum] BLOCK.json RECEIPTS.json\n"
	  "verify evm-logs     [--rule ethereum] BLOCK.json RECEIPTS.json LOGS.json [--address A]... [--topic0 "
	  "T]...\n"
	  "verify evm-proof    [--rule ethereum] BLOCK.json PROOF.json\n"
	  "verify beacon       --network NAME | --spec SPEC.json --genesis GENESIS.json   --checkpoint ROOT [--now "
	  "UNIX]\n"
	  "                          BOOTSTRAP [UPDATES...] [FINALITY]\n"
	  "verify bls          --message HEX --signature HEX PUBKEYS.json",
	  "check one proof, in the very shapes servers answer",
	  "A file holds a JSON-RPC reply or its result; - is standard input. Nothing is believed but the block's\n"
	  "hash: compare the hash that is printed with one you trust.\n\n"
	  "beacon: NAME is mainnet, sepolia, holesky or hoodi; SPEC and GENESIS are a beacon node's own answers to\n"
	  "/eth/v1/config/spec and /eth/v1/beacon/genesis. ROOT is the block root you trust. Files are taken in the\n"
	  "order given, the bootstrap first, each as a node answers it: JSON (also a list, as of /updates), or SSZ, "
	  "one\n"
	  "container or the length-prefixed framing of /updates. Which it is follows from the content, not from the\n"
	  "name: JSON has no zero byte among its first eight; what a JSON object is, its members say (header:\n"
	  "bootstrap, next_sync_committee: update, finalized_header: finality update, attested_header: optimistic\n"
	  "update), what SSZ is, its first offset (below Capella: its length). An update that is valid and adds\n"
	  "nothing is told so and does no harm; one that is refused ends it: exit 3, with the rule that it breaks.\n"
	  "Exit 4: two updates hold and contradict each other. --now is the clock to judge by; without it, the\n"
	  "system's.\n\n"
	  "bls: did the holders of all these keys sign the message together (BLS12-381, proof of possession)? A "
	  "list\n"
	  "of hex strings, or {\"pubkeys\":[...]}. Exit 3: no, and why not.\n" },
	{ "config", dr_cmd_config,
	  "config check -c derot.yaml\n"
	  "config print -c derot.yaml\n"
	  "config template mainnet|sepolia|holesky|hoodi|custom",
	  "check a configuration, print what it means, or one to begin with",
	  "print shows every value with its default, and the profile's digest; never a URL. template prints a\n"
	  "derot.yaml for proof consensus on that network (custom: any other beacon chain), in which what only you\n"
	  "know is to be filled in.\n" },
	{ "doctor", dr_cmd_doctor, "doctor [-c derot.yaml]", "look for what would keep derot from running",
	  "Checks programs, clock, configuration, directories and endpoints; changes nothing. Exit 1 if something is "
	  "bad.\n" },
	{ "version", dr_cmd_version, "version [--digest]", "version; --digest adds the SHA-256 of the executables",
	  NULL },
};

#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct dr_command *find(const char *name)
{
	for (size_t i = 0; i < NUM_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static void print_usage(FILE *to, const struct dr_command *c)
{
	const char *line = c->usage;
	const char *lead = "usage: ";

	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		/* A line that begins with a blank goes on, or explains: no form of its own. */
		fprintf(to, "%s%s%.*s\n", lead, *line == ' ' ? "" : "derot ", (int)len, line);
		lead = "       ";
		line += len + (line[len] == '\n');
	}
}

static void print_commands(FILE *to)
{
	fputs("usage: derot COMMAND [ARGUMENTS] [--format table|json|ndjson]\n\n", to);
	for (size_t i = 0; i < NUM_COMMANDS; i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].what);
	fputs("  help      this list, or the usage of one command\n\n"
	      "exit codes: 0 good, 1 error, 2 sealed or stale, 3 proof invalid, 4 conflict with a final block,\n"
	      "            5 findings, 6 unanchored, 64 usage\n",
	      to);
}

static void print_help(FILE *to, const struct dr_command *c)
{
	print_usage(to, c);
	fprintf(to, "\n%s\n", c->what);
	if (c->help != NULL)
		fprintf(to, "\n%s", c->help);
}

int dr_cli_usage(struct dr_cli *cli, const char *message, const char *arg)
{
	FILE *err = cli->out.err;

	fprintf(err, "derot%s%s: %s", cli->command != NULL ? " " : "", cli->command != NULL ? cli->command->name : "",
		message);
	if (arg != NULL) {
		fputs(": ", err);
		dr_out_text(err, arg);
	}
	fputc('\n', err);
	if (cli->command != NULL)
		print_usage(err, cli->command);
	else
		fputs("try: derot help\n", err);
	return DR_EXIT_USAGE;
}

/* One option at argv[*i]: NULL if that is no option of the table; *value is what "=" gave, or NULL. */
static const struct dr_opt *match(const char *arg, const struct dr_opt *opts, size_t num_opts, const char **value)
{
	*value = NULL;
	for (size_t k = 0; k < num_opts; k++) {
		size_t len = strlen(opts[k].name);

		if (arg[1] != '-') {
			if (opts[k].letter != 0 && arg[1] == opts[k].letter) {
				*value = arg[2] != '\0' ? arg + 2 : NULL;
				return &opts[k];
			}
		} else if (strncmp(arg + 2, opts[k].name, len) == 0 &&
			   (arg[2 + len] == '\0' || arg[2 + len] == '=')) {
			*value = arg[2 + len] == '=' ? arg + 3 + len : NULL;
			return &opts[k];
		}
	}
	return NULL;
}

int dr_cli_options(struct dr_cli *cli, int *argc, char **argv, const struct dr_opt *opts, size_t num_opts)
{
	int kept = 1;
	bool options = true;

	for (int i = 1; i < *argc; i++) {
		const char *value;
		const struct dr_opt *opt;

		if (!options || argv[i][0] != '-' || argv[i][1] == '\0') { /* a lone "-" is standard input */
			argv[kept++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			options = false;
			continue;
		}
		opt = match(argv[i], opts, num_opts, &value);
		if (opt == NULL)
			return dr_cli_usage(cli, "unknown option", argv[i]);
		if (opt->kind == DR_OPT_FLAG) {
			if (value != NULL)
				return dr_cli_usage(cli, "this option takes no value", argv[i]);
			*(bool *)opt->to = true;
			continue;
		}
		if (value == NULL && i + 1 == *argc)
			return dr_cli_usage(cli, "this option needs a value", argv[i]);
		if (value == NULL)
			value = argv[++i];
		if (opt->kind == DR_OPT_LIST) {
			struct dr_opt_list *list = opt->to;

			if (list->num == DR_OPT_LIST_MAX)
				return dr_cli_usage(cli, "too many values for this option", opt->name);
			list->values[list->num++] = value;
		} else {
			const char **to = opt->to;

			if (*to != NULL)
				return dr_cli_usage(cli, "this option is given twice", opt->name);
			*to = value;
		}
	}
	*argc = kept;
	return DR_EXIT_OK;
}

/* Takes --format and --help, which every command has, out of argv[1, *argc). */
static int common_options(struct dr_cli *cli, int *argc, char **argv, bool *help)
{
	int kept = 1;
	bool options = true;

	for (int i = 1; i < *argc; i++) {
		const char *format = NULL;

		if (strcmp(argv[i], "--") == 0)
			options = false;
		if (options && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			*help = true;
			continue;
		}
		if (options && strncmp(argv[i], "--format=", 9) == 0)
			format = argv[i] + 9;
		else if (options && strcmp(argv[i], "--format") == 0)
			format = i + 1 < *argc ? argv[++i] : "";
		if (format == NULL) {
			argv[kept++] = argv[i];
			continue;
		}
		if (!dr_format_parse(&cli->out.format, format))
			return dr_cli_usage(cli, "--format must be table, json or ndjson, not", format);
	}
	*argc = kept;
	return DR_EXIT_OK;
}

void dr_cli_self(char *folder, size_t cap)
{
	ssize_t len = readlink("/proc/self/exe", folder, cap - 1);
	char *slash;

	folder[len > 0 ? len : 0] = '\0';
	slash = strrchr(folder, '/');
	if (slash == NULL)
		snprintf(folder, cap, ".");
	else
		*slash = '\0';
}

/* `--format F` before the command means the same as after it. */
static void front_options_last(int argc, char **argv)
{
	while (argc > 2 && strncmp(argv[1], "--format", 8) == 0) {
		const int num = argv[1][8] == '=' || argc < 4 ? 1 : 2;
		char *moved[2] = { argv[1], argv[2] };

		memmove(argv + 1, argv + 1 + num, (size_t)(argc - 1 - num) * sizeof(*argv));
		memcpy(argv + argc - num, moved, (size_t)num * sizeof(*argv));
		if (strcmp(argv[1], moved[0]) == 0)
			return; /* given twice: the command's own check says so */
	}
}

static int run(struct dr_cli *cli, int argc, char **argv, FILE *out)
{
	bool help = false;

	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		if (argc == 2) {
			print_commands(out);
			return DR_EXIT_OK;
		}
		cli->command = find(argv[2]);
		if (cli->command == NULL)
			return dr_cli_usage(cli, "unknown command", argv[2]);
		print_help(out, cli->command);
		return DR_EXIT_OK;
	}
	front_options_last(argc, argv);
	cli->command = find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	if (cli->command == NULL)
		return dr_cli_usage(cli, "unknown command", argv[1]);
	argc--;
	argv++;
	const int code = common_options(cli, &argc, argv, &help);

	if (code != DR_EXIT_OK)
		return code;
	if (help) {
		print_help(out, cli->command);
		return DR_EXIT_OK;
	}
	return cli->command->run(cli, argc, argv);
}

int dr_cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct dr_cli cli = { .command = NULL };

	dr_out_init(&cli.out, out, err);
	if (argc < 2) {
		print_commands(err);
		return DR_EXIT_USAGE;
	}
	const int code = run(&cli, argc, argv, out);

	const bool lost = ferror(out) != 0; /* by an earlier write, whose reason is no longer known */

	if (fflush(out) == 0 && !lost)
		return code;
	fprintf(err, "derot: the output could not be written: %s\n", lost ? "some of it was lost" : strerror(errno));
	/* What a full disk or a closed pipe cut short was not shown, whatever was found. */
	return code == DR_EXIT_OK || code == DR_EXIT_FINDINGS || code == DR_EXIT_UNANCHORED ? DR_EXIT_ERROR : code;
}
