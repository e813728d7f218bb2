// SPDX-License-Identifier: Apache-2.0
//
// What each process may ask of the kernel, live: it asks for nothing that is not on its list, and dies when somebody
// who has taken it over does; the others are ended, who died of what is said, and all begin again, sealed. And the
// supervisor: one in a data directory, gone with its children, heard by a service manager.

import { strict as assert } from 'node:assert';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startAnvil } from './chain.mjs';
import { EXIT, Kms, build, eventually, folder } from './run.mjs';
import { APP, Story } from './story.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CORE = 'derot-core';
const WATCH = 'derot-watch';
const SERVE = 'derot-serve';
const PROGRAMS = [CORE, WATCH, SERVE];

const has = (tool, arg = '--version') => spawnSync(tool, [arg]).status === 0;
const listed = (program) => execFileSync(join(build, program), ['--calls'], { encoding: 'utf8' });
const confined = !/^# Confined here: nothing/m.test(listed(CORE));
const skip = !confined ? 'a build with a sanitizer is not confined' : !has('gcc') ? 'no gcc' : false;

// [program, what it tries, what becomes of it: killed, or what the call returns]
const ERRNO = { EACCES: -13, EFAULT: -14, ENOSYS: -38 };
const TRIES = [
	[CORE, 'getpid', (pid) => pid],
	[CORE, 'socket-inet'],
	[CORE, 'socket-unix'],
	[CORE, 'connect'],
	[CORE, 'execve'],
	[CORE, 'fork'],
	[CORE, 'vfork'],
	[CORE, 'clone3'],
	[CORE, 'ptrace'],
	[CORE, 'process_vm_readv'],
	[CORE, 'kill'],
	[CORE, 'mount'],
	[CORE, 'bpf'],
	[CORE, 'io_uring_setup'],
	[CORE, 'memfd_create'],
	[CORE, 'unshare'],
	[CORE, 'setuid'],
	[CORE, 'mmap-code'],
	[CORE, 'fcntl-owner'],
	[CORE, 'fcntl-signal'],
	[WATCH, 'getpid', (pid) => pid],
	[WATCH, 'open-to-read', () => ERRNO.EFAULT],
	[WATCH, 'socket-unix', () => ERRNO.EACCES],
	[WATCH, 'clone3', () => ERRNO.ENOSYS],
	[WATCH, 'mmap-code', () => ERRNO.EACCES],
	[WATCH, 'open-to-write'],
	[WATCH, 'socket-raw'],
	[WATCH, 'listen'],
	[WATCH, 'execve'],
	[WATCH, 'fork'],
	[WATCH, 'kill'],
	[WATCH, 'ptrace'],
	[WATCH, 'process_vm_readv'],
	[WATCH, 'socketpair-dgram'],
	[WATCH, 'socket-netlink-audit'],
	[WATCH, 'fcntl-owner'],
	[SERVE, 'getpid', (pid) => pid],
	[SERVE, 'open-to-read', () => ERRNO.EACCES],
	[SERVE, 'socket-inet'],
	[SERVE, 'socket-unix'],
	[SERVE, 'connect'],
	[SERVE, 'execve'],
	[SERVE, 'fork'],
	[SERVE, 'kill'],
	[SERVE, 'mmap-code'],
	[SERVE, 'fcntl-owner'],
	[SERVE, 'sendto-fastopen'],
	[SERVE, 'sendmsg-fastopen'],
	[SERVE, 'setsockopt-filter'],
];

// tool: one of the C files beside this one, compiled.
function tool(name) {
	const path = join(folder(), name);
	execFileSync('gcc', ['-std=c17', '-D_GNU_SOURCE', '-o', path, join(root, 'tests/nodes', name + '.c')]);
	return path;
}

const names = (program) =>
	new Set(listed(program).split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split('\t')[0]));

for (const program of PROGRAMS)
	test(`${program} by hand says who starts it`, () => {
		const args = { [CORE]: [], [WATCH]: ['derot.yaml'], [SERVE]: ['127.0.0.1:1'] }[program];
		const { status, stderr } = spawnSync(join(build, program), args, { encoding: 'utf8', timeout: 5000 });
		assert.equal(status, 1);
		assert.match(stderr, /file descriptor 3 is not the channel/);
	});

for (const program of PROGRAMS)
	test(`${program} --calls: each call has a reason, and none of those that lead out is there`, () => {
		const lines = listed(program).trim().split('\n');
		assert.match(lines.shift(), new RegExp(`^# ${program}: `));
		for (const line of lines.filter((l) => !l.startsWith('#'))) assert.match(line, /^[a-z0-9_]+\t[^\t]*\t[^\t]{3,}$/);
		const allowed = lines.map((l) => l.split('\t')).filter(([, only]) => !/refused$/.test(only ?? ''));
		const none = ['execve', 'execveat', 'fork', 'vfork', 'clone3', 'ptrace', 'process_vm_readv', 'process_vm_writev',
			'kill', 'tkill', 'bpf', 'mount', 'io_uring_setup', 'memfd_create', 'pidfd_getfd', 'userfaultfd', 'setns',
			'unshare', 'chroot', 'prctl', 'seccomp', 'init_module', 'kexec_load', 'reboot', 'keyctl', 'perf_event_open'];
		if (program !== WATCH) none.push('socket', 'socketpair', 'connect', 'clone');
		if (program !== CORE) none.push('listen', 'unlink', 'rename', 'ftruncate', 'mkdir');
		if (program === SERVE) none.push('openat', 'open', 'bind');
		if (program === CORE) none.push('sendto', 'sendmsg', 'sendmmsg', 'recvfrom', 'recvmsg');
		assert.deepEqual(allowed.map(([name]) => name).filter((name) => none.includes(name)), []);
	});

test('a standard stream that is closed is not the next file that is opened', async () => {
	const fifo = join(folder(), 'recording');
	execFileSync('mkfifo', [fifo]);
	const child = spawn('sh', ['-c', 'exec "$0" replay "$1" <&- >&-', join(build, 'derot'), fifo], { stdio: ['ignore', 'ignore', 'ignore'] });
	try {
		for (const fd of [0, 1])
			await eventually(`descriptor ${fd}`, () => {
				try {
					return /derot$/.test(readlinkSync(`/proc/${child.pid}/exe`)) && readlinkSync(`/proc/${child.pid}/fd/${fd}`) === '/dev/null';
				} catch {
					return false;
				}
			});
	} finally {
		child.kill('SIGKILL');
	}
});

describe('live', { skip }, () => {
	let chain, story, kms, inject, serve;
	before(async () => {
		inject = tool('inject');
		serve = `unix:${join(folder(), 'http')}`;
		chain = await startAnvil(['--slots-in-an-epoch', '1']);
		story = await Story.found(chain);
		kms = story.kms({ serve });
		await kms.start();
		await story.final(kms);
	});
	after(async () => {
		await kms?.stop();
		await chain?.stop();
	});

	const tries = (pid, call) => {
		const done = spawnSync(inject, [String(pid), call], { encoding: 'utf8' });
		return { code: done.status, said: done.stdout.trim(), err: done.stderr.trim() };
	};
	// statusOf: what the kernel says of a process; nothing of one that is gone.
	const statusOf = (pid) => {
		try {
			return readFileSync(`/proc/${pid}/status`, 'utf8');
		} catch {
			return '';
		}
	};
	// child: the pid of one that has entered its sandbox.
	const child = (name) =>
		eventually(name, () => {
			const pid = kms.children()[name];
			return pid && /^Seccomp:\t2$/m.test(statusOf(pid)) && pid;
		});
	// A process that is between two waits is tried again.
	const inject_into = (name, call) =>
		eventually(`${call} in ${name}`, async () => {
			const pid = await child(name);
			const done = tries(pid, call);
			return done.code !== 2 && { pid, ...done };
		});

	test('all three are confined, and gain no privileges', async () => {
		await Promise.all(PROGRAMS.map(child));
		const children = kms.children();
		assert.deepEqual(Object.keys(children).sort(), [...PROGRAMS].sort());
		for (const [name, pid] of Object.entries(children)) {
			const status = readFileSync(`/proc/${pid}/status`, 'utf8');
			assert.match(status, /^Seccomp:\t2$/m, name);
			assert.match(status, /^NoNewPrivs:\t1$/m, name);
		}
	});

	for (const [name, call, expected] of TRIES)
		test(`${name} tries ${call}: ${expected ? 'it lives' : 'killed'}`, async (t) => {
			if (kms.code !== undefined) await kms.start();
			const { pid, code, said, err } = await inject_into(name, call);
			if (code === 77) return t.skip(err);
			if (expected) {
				assert.equal(said, `returned ${expected(pid)}`);
				await sleep(50);
				assert.equal(kms.children()[name], pid);
				return;
			}
			try {
				assert.equal(said, 'killed SIGSYS', err);
				await eventually('a word about it', () => /starting again/.test(kms.err));
				assert.match(kms.err, new RegExp(`${name} was killed by SIGSYS: it tried a call that is not on its list`));
				assert.ok(!Object.values(kms.children()).includes(pid));
			} finally {
				await kms.stop(); // the next begins with the shortest wait
			}
		});

	test('after a death all begin again, sealed until something final is proven', async (t) => {
		if (kms.code !== undefined) await kms.start();
		await kms.until((s) => !s.sealed);
		const was = kms.children();
		const starts = (await kms.journal()).filter((n) => n.kind === 'start').length;
		if ((await inject_into(WATCH, 'execve')).code === 77) return t.skip('not allowed to trace');
		await eventually('a new life', () => {
			const now = kms.children();
			return PROGRAMS.every((name) => now[name] && now[name] !== was[name]);
		});
		await kms.until((s) => !s.sealed);
		const notes = await kms.journal();
		const last = notes.findLastIndex((n) => n.kind === 'start');
		assert.equal(notes.filter((n) => n.kind === 'start').length, starts + 1);
		assert.match(notes.slice(last).find((n) => n.kind === 'lease').detail, /^sealed: no complete final block/);
	});

	test('the wait doubles', async () => {
		await kms.stop();
		await kms.start();
		for (const seconds of [1, 2]) {
			kms.err = '';
			process.kill(await child(CORE), 'SIGKILL');
			await eventually('a word', () => /starting again in (\d+) s/.test(kms.err));
			assert.match(kms.err, new RegExp(`derot-core was killed by SIGKILL; .*\n.*starting again in ${seconds} s, sealed`));
			await eventually('a new life', () => kms.children()[CORE], 10000);
			await kms.until((s) => s !== undefined);
		}
		assert.equal(await kms.stop(), EXIT.good);
	});

	test('a process that is stopped does not keep the others from ending', async () => {
		await kms.start();
		process.kill(await child(WATCH), 'SIGSTOP');
		const start = Date.now();
		assert.equal(await kms.stop(), EXIT.good);
		assert.ok(Date.now() - start < 6000);
	});

	test('a supervisor that is killed takes its children along', async () => {
		await kms.start();
		const pids = Object.values(kms.children());
		assert.equal(await kms.stop('SIGKILL'), 'SIGKILL');
		await eventually('their end', () => pids.every((pid) => /^(?:$|[^]*\nState:\tZ)/.test(statusOf(pid))), 5000);
		const notes = await kms.start().then(() => kms.journal());
		assert.ok(notes.length > 0);
	});

	test('one in a data directory', async () => {
		if (kms.code !== undefined) await kms.start();
		await kms.until((s) => !s.sealed);
		const other = new Kms(story.derot, { ...kms.options, serve: undefined });
		other.data = kms.data;
		await other.configure();
		const text = readFileSync(other.config, 'utf8').replace('data_dir: data', `data_dir: ${kms.data}`);
		const { code, err } = await other.runs(text);
		assert.equal(code, EXIT.error);
		assert.match(err, /another derot-core runs in it/);
		assert.equal((await kms.status()).sealed, false);
	});

	test('nothing is called that is not listed', { skip: !has('strace', '-V') && 'no strace' }, async (t) => {
		if (kms.code !== undefined) await kms.start();
		await kms.stop();
		const log = join(folder(), 'trace');
		// A name to look up, one that there is not, and a server that speaks no TLS.
		const { port } = new URL(chain.url);
		const endpoints = [`http://localhost:${port}`, 'http://nowhere.invalid:8545', `https://localhost:${port}`];
		await kms.configure({ endpoints });
		const run = [join(build, 'derot'), 'run', '-c', kms.config];
		const traced = spawn('strace', ['-f', '-qq', '-s', '64', '-o', log, ...run], { stdio: 'ignore' });
		const ended = new Promise((done) => traced.once('exit', done));
		const up = await eventually('derot under strace', () => kms.status(), 20000).catch(() => undefined);
		if (!up) {
			traced.kill('SIGKILL');
			return t.skip('strace may not trace here');
		}
		await eventually('unsealed', async () => (await kms.status())?.sealed === false);
		await eventually('all were asked', async () => (await kms.status()).endpoints.every((e) => ['good', 'aside'].includes(e.state)));
		await kms.derive(APP, 'mail-v1');
		await kms.cli('keys', 'reseal');
		await kms.verify();
		await http(kms.options.serve.slice('unix:'.length), '/v1/status');
		// strace hands its own SIGTERM on to nobody.
		const supervisor = readFileSync(`/proc/${traced.pid}/task/${traced.pid}/children`, 'utf8').trim();
		process.kill(Number(supervisor), 'SIGTERM');
		await ended;
		const seen = calls_after_entry(readFileSync(log, 'utf8'));
		for (const program of PROGRAMS) {
			assert.ok(seen[program]?.size > 5, `${program} was seen: ${[...(seen[program] ?? [])]}`);
			const list = names(program);
			assert.deepEqual([...seen[program]].filter((call) => !list.has(call)), [], program);
		}
	});
});

// http: one request over a unix socket; the status line.
async function http(socket, path) {
	const { request } = await import('node:http');
	return new Promise((done) => {
		const asked = request({ socketPath: socket, path, headers: { host: 'localhost' } }, (reply) => reply.resume().on('end', () => done(reply.statusCode)));
		asked.on('error', () => done(undefined)).end();
	});
}

// The calls of each program after its filter was taken, its threads' too, from what strace -f wrote.
function calls_after_entry(text) {
	const program = {};
	const entered = new Set();
	const seen = {};
	const pending = {};
	for (const line of text.split('\n')) {
		const [, pid, call, rest] = line.match(/^(\d+) +([a-z0-9_]+)\((.*)$/) ?? [];
		const [, old, finished, end] = line.match(/^(\d+) +<\.\.\. ([a-z0-9_]+) resumed>(.*)$/) ?? [];
		if (call && entered.has(pid)) (seen[program[pid]] ??= new Set()).add(call);
		const who = pid ?? old;
		const what = call ?? finished;
		if (!what) continue;
		const whole = call ? rest : (pending[old] ?? '') + end;
		if (call) pending[pid] = rest;
		const result = whole.match(/\) += (-?\d+)/)?.[1];
		if (result === undefined) continue;
		if (what === 'execve' && result === '0') program[who] = whole.match(/"([^"]*)"/)?.[1].split('/').pop();
		if (what === 'seccomp' && /SECCOMP_SET_MODE_FILTER, .*\{len=/.test(whole) && result === '0') entered.add(who);
		if (/^clone/.test(what) && result > 0 && entered.has(who)) {
			entered.add(result);
			program[result] = program[who];
		}
	}
	return seen;
}

describe('a service manager', { skip }, () => {
	let chain, story, kms, manager, heard;
	before(async () => {
		chain = await startAnvil(['--slots-in-an-epoch', '1']);
		story = await Story.found(chain);
		const path = join(folder(), 'notify');
		manager = spawn(tool('notified'), [path], { stdio: ['ignore', 'pipe', 'inherit'] });
		heard = [];
		manager.stdout.setEncoding('utf8').on('data', (text) => heard.push(...text.split('\n').filter(Boolean)));
		await eventually('the manager', () => heard.includes('listening'));
		kms = story.kms();
		Object.assign(process.env, { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' });
		await kms.start();
		delete process.env.NOTIFY_SOCKET;
		delete process.env.WATCHDOG_USEC;
	});
	after(async () => {
		await kms?.stop();
		manager?.kill('SIGKILL');
		await chain?.stop();
	});
	const fed = () => heard.filter((line) => line === 'WATCHDOG=1').length;

	test('hears that it is ready, and what was proven', async () => {
		await story.final(kms);
		await eventually('READY=1', () => heard.includes('READY=1'));
		const { final } = await kms.status();
		await eventually('STATUS', () => heard.includes(`STATUS=final block ${final} is proven`));
	});
	test('its watchdog is fed by steps that were verified, and by nothing else', async () => {
		await sleep(500);
		const idle = fed();
		await sleep(1000);
		assert.equal(fed(), idle);
		for (let i = 0; i < 5; i++) {
			await story.final(kms);
			await sleep(250);
		}
		await eventually('a feeding', () => fed() > idle);
		assert.ok(fed() <= idle + 12, `fed ${fed() - idle} times`);
	});
	test('the processes below do not know it', () => {
		for (const pid of Object.values(kms.children()))
			assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /NOTIFY_SOCKET|WATCHDOG/);
	});
	test('hears of a death, and of the end', async () => {
		process.kill(kms.children()[CORE], 'SIGKILL');
		await eventually('a death', () => heard.includes('STATUS=starting again in 1 s, sealed'));
		await eventually('a new life', () => kms.children()[CORE]);
		assert.equal(await kms.stop(), EXIT.good);
		await eventually('the end', () => heard.includes('STOPPING=1'));
		assert.equal(heard.filter((line) => line.startsWith('READY=1')).length >= 1, true);
	});
});
