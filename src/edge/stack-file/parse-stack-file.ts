/** The stack file: YAML text → a complete Stack, or everything that is wrong with it, each at its place. */
import type { ClientSpec, FilePlace, IssuerSpec, ServiceSpec, Stack } from '../../core/stack/stack.ts';
import { checkFallbacks, checkPlaces, checkPossible, checkProvable } from './cross-check.ts';
import { checkKeys, type Named, presentKeys, readEach } from './keys-shape.ts';
import type { KindSettings, ServiceDraft } from './service-shape.ts';
import { childPlace, type Place, type Reading } from './shape.ts';
import { sourceExcerpt } from './source-excerpt.ts';
import { printable, type Span, type StackProblem } from './stack-problem.ts';
import { INTERNAL, SECTIONS_WANTED, STANDARD, sections } from './stack-shape.ts';
import { directoryOf } from './text-forms.ts';
import { readYamlTree } from './yaml-tree.ts';

export type ParsedStackFile =
  | { readonly kind: 'stack'; readonly stack: Stack }
  | { readonly kind: 'problems'; readonly problems: readonly StackProblem[] };

/** `path`: of the file, absolute; relative paths in it start from its directory. Never throws for what is in the text. */
export function parseStackFile(text: string, path: string, kinds: KindSettings): ParsedStackFile {
  const { root, problems: broken, problemAt } = readYamlTree(text);
  if (root === null) return { kind: 'problems', problems: broken };
  const problems = [...broken];
  const top: Place = { path: '', tree: root, label: { start: 0, end: 0 } };
  const reading: Reading = {
    directory: directoryOf(path),
    names: { issuer: [INTERNAL, ...namesIn(top, 'issuers')], service: namesIn(top, 'services') },
    report: (span, where, what, nearest) => problems.push(problemAt(span, where, what, nearest)),
  };
  const placeOf = (span: Span): FilePlace => {
    const { line, column } = problemAt(span, '', '');
    return { file: path, line, column };
  };
  const stack = readStack(top, kinds, reading, placeOf);
  if (stack !== null && problems.length === 0) return { kind: 'stack', stack };
  return { kind: 'problems', problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** What may be referred to, even while it is wrong itself. */
function namesIn(top: Place, section: 'issuers' | 'services'): readonly string[] {
  const tree = childPlace(top, section)?.tree;
  return tree?.kind === 'map'
    ? tree.entries.map(({ key }) => key).filter((key) => key !== INTERNAL || section === 'services')
    : [];
}

/** null: something is wrong, and was reported. */
function readStack(
  top: Place,
  kinds: KindSettings,
  reading: Reading,
  placeOf: (span: Span) => FilePlace,
): Stack | null {
  const present = presentKeys(top, reading, SECTIONS_WANTED);
  if (present === null) return null;
  const fields = sections(kinds);
  const found = readEach(
    fields,
    checkKeys(top, present, Object.keys(fields), reading, () => null),
    reading,
  );
  const [named, clients] = [found.issuers?.value ?? [], found.clients?.value ?? []];
  const issuers = new Map<string, IssuerSpec>([
    [INTERNAL, { kind: 'internal' }],
    ...rightOnes(named).map(({ name, value }) => [name, value] as const),
  ]);
  const defaults = found.defaults?.value ?? STANDARD;
  const members = rightOnes(found.services?.value ?? []).map(({ name, place, value }) => {
    const service = completed(name, placeOf(place.label), value, defaults);
    const spec = issuers.get(service.issuer);
    const asked = [service.issuer, ...(spec?.kind === 'acme' ? spec.fallback : [])];
    checkProvable(service.names, asked, issuers, place, reading);
    checkPossible(service, kinds[service.kind], place, reading);
    return { name, place, service };
  });
  checkFallbacks(named, reading);
  checkPlaces(members, rightOnes(clients), kinds, reading);
  if (found.stack === null || found.authority === null) return null;
  return {
    name: found.stack.value,
    authority: found.authority.value,
    issuers: Object.fromEntries(issuers),
    services: members.map(({ service }) => service),
    clients: rightOnes(clients).map(
      ({ name, place, value }): ClientSpec => ({
        name,
        place: placeOf(place.label),
        ...value,
        lifetimeSeconds: defaults.lifetime,
        key: defaults.key,
      }),
    ),
  };
}

function rightOnes<T>(
  members: readonly Named<T>[],
): readonly { readonly name: string; readonly place: Place; readonly value: T }[] {
  return members.flatMap(({ name, place, found }) => (found === null ? [] : [{ name, place, value: found.value }]));
}

type Defaults = Pick<ServiceSpec, 'issuer' | 'key' | 'tls'> & { readonly lifetime: number };

function completed(name: string, place: FilePlace, draft: ServiceDraft, defaults: Defaults): ServiceSpec {
  return {
    name,
    place,
    ...draft,
    issuer: draft.issuer ?? defaults.issuer,
    lifetimeSeconds: draft.lifetimeSeconds ?? defaults.lifetime,
    key: draft.key ?? defaults.key,
    tls: draft.tls ?? defaults.tls,
  };
}

const MOST_SHOWN = 100;

/** For a terminal: place, what is wrong and what was meant; below it the line with a caret. `path` as the person wrote it. */
export function formatStackProblems(problems: readonly StackProblem[], text: string, path: string): string {
  const lines = text.split(/\r?\n/);
  const shown = problems.slice(0, MOST_SHOWN).flatMap((problem) => {
    const { line, column, what, nearest } = problem;
    const where = problem.path === '' ? '' : `${problem.path}: `;
    const meant = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    const excerpt = sourceExcerpt(lines, problem).map((one) => `    ${one}`);
    return [printable(`${path}:${line}:${column}: ${where}${what}${meant}`), ...excerpt];
  });
  const more = problems.length - MOST_SHOWN;
  return [...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n');
}
