/**
 * Completion scripts. All three walk the words that are there already to a place in the tree of commands ("cert
 * issue"), passing over the values of options, and offer what that place has.
 */
import type { CommandShape, OptionShape, Shell, ValueShape } from '../cli/completion.ts';

export function completionScript(shell: Shell, program: CommandShape): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](placesOf(program, ''));
}

interface Place {
  /** "" at the program, "cert issue" below. */
  readonly path: string;
  readonly shape: CommandShape;
}

function placesOf(shape: CommandShape, path: string): Place[] {
  return [
    { path, shape },
    ...shape.commands.flatMap((inner) => placesOf(inner, path === '' ? inner.name : `${path} ${inner.name}`)),
  ];
}

function bashScript(places: readonly Place[]): string {
  return `# fullchain: completion for bash
# Install: fullchain completion bash > /etc/bash_completion.d/fullchain      (or ~/.local/share/bash-completion/completions/fullchain)
# Try:     source <(fullchain completion bash)

${posixTables(places, ({ shape }) => [
  `subcommands=${quote(shape.commands.map(({ name }) => name).join(' '))}`,
  `flags=${quote(shape.options.flatMap(({ flags }) => flags).join(' '))}`,
  `operand=${quote(valueWord(shape.operand))}`,
])}

_fullchain() {
  local current=\${COMP_WORDS[COMP_CWORD]} place='' word i
  local subcommands='' flags='' operand='' value=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    value=''
    if [[ $word == -* ]]; then
      _fullchain_value "$place:$word"
      [[ -z $value ]] && continue
      # readline makes three words of --option=value
      [[ \${COMP_WORDS[i + 1]} == '=' ]] && ((i++))
      ((i++))
    else
      _fullchain_at "$place"
      [[ " $subcommands " == *" $word "* ]] && place="\${place:+$place }$word"
    fi
  done
  # Behind the loop, value is set if the value of an option is what is being written.
  ((i > COMP_CWORD)) || value=''
  [[ $current == '=' ]] && current=''
  _fullchain_at "$place"
  if [[ -z $value ]]; then
    if [[ $current == -* ]]; then
      COMPREPLY=($(compgen -W "$flags" -- "$current"))
      return
    fi
    if [[ -n $subcommands ]]; then
      COMPREPLY=($(compgen -W "$subcommands" -- "$current"))
      return
    fi
    value=$operand
  fi
  case $value in
    file | directory)
      compopt -o filenames 2>/dev/null
      local IFS=$'\\n'
      [[ $value == file ]] && COMPREPLY=($(compgen -f -- "$current")) || COMPREPLY=($(compgen -d -- "$current"))
      ;;
    choice:*) COMPREPLY=($(compgen -W "\${value#choice:}" -- "$current")) ;;
  esac
}

complete -F _fullchain fullchain
`;
}

function zshScript(places: readonly Place[]): string {
  return `#compdef fullchain
# fullchain: completion for zsh
# Install: fullchain completion zsh > "\${fpath[1]}/_fullchain"      (before compinit runs)
# Try:     source <(fullchain completion zsh)

${posixTables(places, ({ shape }) => [
  `subcommands=(${shape.commands.map(({ name, description }) => quote(`${name}:${description}`)).join(' ')})`,
  `flags=(${shape.options.flatMap(({ flags, description }) => flags.map((flag) => quote(`${flag}:${description}`))).join(' ')})`,
  `operand=${quote(valueWord(shape.operand))}`,
])}

_fullchain() {
  local -a subcommands flags
  local place='' word='' value='' operand='' current=\${words[CURRENT]} i
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    value=''
    if [[ $word == -*=* ]]; then
      continue
    elif [[ $word == -* ]]; then
      _fullchain_value "$place:$word"
      [[ -n $value ]] && ((i++))
    else
      _fullchain_at "$place"
      (( \${subcommands[(I)$word:*]} )) && place="\${place:+$place }$word"
    fi
  done
  # Behind the loop, value is set if the value of an option is what is being written.
  (( i > CURRENT )) || value=''
  if [[ $current == --*=* ]]; then
    _fullchain_value "$place:\${current%%=*}"
    compset -P '*='
  fi
  _fullchain_at "$place"
  if [[ -z $value ]]; then
    if [[ $current == -* ]]; then
      _describe -o option flags
      return
    fi
    if (( \${#subcommands} )); then
      _describe command subcommands
      return
    fi
    value=$operand
  fi
  case $value in
    file) _files ;;
    directory) _files -/ ;;
    choice:*) compadd -- \${=value#choice:} ;;
    free) _message value ;;
  esac
}

if [[ \${funcstack[1]} == _fullchain ]]; then
  _fullchain "$@"
else
  compdef _fullchain fullchain
fi
`;
}

/** The two tables that bash and zsh share: what is at a place, and which options take what value. */
function posixTables(places: readonly Place[], assignments: (place: Place) => readonly string[]): string {
  const at = places.map(
    (place) =>
      `    ${quote(place.path)})\n${assignments(place)
        .map((line) => `      ${line}\n`)
        .join('')}      ;;`,
  );
  const values = places.flatMap(({ path, shape }) =>
    shape.options.flatMap((option) =>
      option.value === null
        ? []
        : [
            `    ${option.flags.map((flag) => quote(`${path}:${flag}`)).join(' | ')}) value=${quote(valueWord(option.value))} ;;`,
          ],
    ),
  );
  return `_fullchain_at() {
  case "$1" in
${at.join('\n')}
  esac
}

_fullchain_value() {
  case "$1" in
${values.join('\n')}
  esac
}`;
}

function fishScript(places: readonly Place[]): string {
  const steps = places.flatMap(({ path, shape }) => [
    ...shape.commands.map(
      ({ name }) =>
        `            case ${fishQuote(`${path}:${name}`)}\n                set place ${fishQuote(path === '' ? name : `${path} ${name}`)}`,
    ),
    ...shape.options
      .filter(({ value }) => value !== null)
      .map(
        ({ flags }) =>
          `            case ${flags.map((flag) => fishQuote(`${path}:${flag}`)).join(' ')}\n                set skip 1`,
      ),
  ]);
  const lines = places.flatMap(({ path, shape }) => {
    const condition = `-n ${fishQuote(`__fullchain_at ${fishQuote(path)}`)}`;
    return [
      ...shape.commands.map(
        ({ name, description }) => `complete -c fullchain ${condition} -a ${name} -d ${fishQuote(description)}`,
      ),
      ...(shape.operand === null ? [] : [`complete -c fullchain ${condition} ${fishValue(shape.operand)}`]),
      ...shape.options.map((option) => `complete -c fullchain ${condition} ${fishOption(option)}`),
    ];
  });
  return `# fullchain: completion for fish
# Install: fullchain completion fish > ~/.config/fish/completions/fullchain.fish
# Try:     fullchain completion fish | source

function __fullchain_at
    set -l place ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$place:$word"
${steps.join('\n')}
        end
    end
    test "$place" = "$argv[1]"
end

complete -c fullchain -f
${lines.join('\n')}
`;
}

function fishOption({ flags, description, value }: OptionShape): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
  const takes = value === null ? '' : value.kind === 'file' ? ' -r -F' : ` -x ${fishValue(value)}`;
  return `${names}${takes.trimEnd()} -d ${fishQuote(description)}`;
}

function fishValue({ kind, choices }: ValueShape): string {
  switch (kind) {
    case 'file':
      return '-F';
    case 'directory':
      return "-a '(__fish_complete_directories)'";
    case 'choice':
      return `-a ${fishQuote(choices.join(' '))}`;
    case 'free':
      return '';
  }
}

/** "file", "directory", "free", "choice:a b"; "" for nothing. */
function valueWord(value: ValueShape | null): string {
  if (value === null) return '';
  return value.kind === 'choice' ? `choice:${value.choices.join(' ')}` : value.kind;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
