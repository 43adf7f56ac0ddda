import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Argument, Command, Option } from 'commander';
import { type Shell, shapeOf } from '../cli/completion.ts';
import { completionScript } from './completion.ts';

/** Like ours in everything that completion knows about. */
function program(): Command {
  const root = new Command('fullchain')
    .version('1')
    .configureHelp({ showGlobalOptions: true })
    .option('--state <dir>', 'it’s a directory')
    .option('--json', 'JSON');
  const cert = root.command('cert').description('Single certificates: all of them');
  cert
    .command('issue')
    .argument('<names...>')
    .option('--cert <file>', 'where')
    .option('--lifetime <duration>', 'how long');
  cert
    .command('verify')
    .argument('<target>')
    .option('--ca <file>', "roots; with 'quotes' and $dollars and `ticks`")
    .addOption(new Option('--purpose <purpose>', 'which').choices(['server', 'client', 'any']));
  root.command('ca').command('init');
  root.command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']));
  root.command('secret', { hidden: true });
  return root;
}

function isInstalled(shell: Shell): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

const needs = (shell: Shell) => (isInstalled(shell) ? {} : { skip: `${shell} is not installed` });

/** A directory with the script, and two files and a folder to be completed. */
function workplace(t: TestContext, shell: Shell): string {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-completion-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'script'), completionScript(shell, shapeOf(program())));
  writeFileSync(join(directory, 'leaf.crt'), '');
  writeFileSync(join(directory, 'leaf one.key'), '');
  mkdirSync(join(directory, 'lead'));
  return directory;
}

/** Line so far → what is offered. The last word is the one being written. */
const CASES: readonly [string, readonly string[]][] = [
  ['ce', ['cert']],
  ['', ['ca', 'cert', 'completion']],
  ['c', ['ca', 'cert', 'completion']],
  ['cert ', ['issue', 'verify']],
  ['--state /srv/ca ce', ['cert']],
  ['--json cert v', ['verify']],
  ['--state cert ce', ['cert']],
  ['cert --', ['--help', '--json', '--state']],
  ['cert verify --', ['--ca', '--help', '--json', '--purpose', '--state']],
  ['cert verify --ca leaf.crt --pu', ['--purpose']],
  ['cert verify --purpose ', ['any', 'client', 'server']],
  ['cert verify --purpose s', ['server']],
  ['cert verify leaf', ['leaf one.key', 'leaf.crt']],
  ['cert verify --ca leaf.', ['leaf.crt']],
  ['cert issue --lifetime ', []],
  ['completion ', ['bash', 'fish', 'zsh']],
  ['secre', []],
];

test('bash completes commands, options, their values and files', needs('bash'), (t) => {
  const directory = workplace(t, 'bash');
  assert.equal(spawnSync('bash', ['-n', 'script'], { cwd: directory }).stderr.toString(), '');
  const ask = (...words: string[]): string[] => {
    const code = `source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fullchain; printf "%s\\n" "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', code, 'bash', 'fullchain', ...words], {
      cwd: directory,
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  };
  for (const [line, offered] of CASES)
    assert.deepEqual(
      ask(...line.split(' ')).filter((word) => word !== '-h'),
      offered,
      line,
    );
  // readline makes words of their own of "=".
  assert.deepEqual(ask('cert', 'verify', '--purpose', '='), ['any', 'client', 'server']);
  assert.deepEqual(ask('cert', 'verify', '--purpose', '=', 'c'), ['client']);
  assert.deepEqual(ask('--state', '=', '/srv', 'ce'), ['cert']);
  assert.deepEqual(ask('--state', 'lea'), ['lead']);
});

test('fish completes commands, options, their values and files', needs('fish'), (t) => {
  const directory = workplace(t, 'fish');
  assert.equal(spawnSync('fish', ['-n', 'script'], { cwd: directory }).stderr.toString(), '');
  for (const [line, offered] of [...CASES, ['cert verify --purpose=c', ['--purpose=client']]] as const) {
    const { stdout } = spawnSync('fish', ['-c', 'source ./script; complete -C $argv[1]', `fullchain ${line}`], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, HOME: directory },
    });
    // Spaces come quoted, descriptions after a tab.
    const words = stdout
      .split('\n')
      .filter((text) => text !== '')
      .map((text) =>
        text
          .split('\t', 1)[0]
          ?.replace(/\\ /g, ' ')
          .replace(/^'(.*)'$/, '$1'),
      )
      .sort();
    assert.deepEqual(words, offered, line);
  }
});

test('zsh accepts the script, and its tables are those of bash', needs('zsh'), (t) => {
  const directory = workplace(t, 'zsh');
  assert.equal(spawnSync('zsh', ['-n', 'script'], { cwd: directory }).stderr.toString(), '');
  const code = `compdef() { :; }; source ./script; _fullchain_at 'cert verify'; _fullchain_value 'cert verify:--purpose'
    print -l -- \${flags%%:*} "$operand" "$value"; _fullchain_at ''; print -l -- $subcommands`;
  const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', code], { cwd: directory, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.deepEqual(stdout.trim().split('\n'), [
    ...['--ca', '--purpose', '--help', '-h', '--state', '--json', 'file', 'choice:server client any'],
    ...['cert:Single certificates: all of them', 'ca:', 'completion:'],
  ]);
});

test('each script says first how to install it', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const)
    assert.match(
      completionScript(shell, shapeOf(program())).split('\n').slice(0, 3).join('\n'),
      /# Install: fullchain completion/,
    );
});
