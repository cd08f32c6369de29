import type { ShellName } from '../own-options.ts';

/**
 * The shells' part of completion. What is kept is read without Node: `stat` sees whether it still holds,
 * `awk` reads the table. In doubt, and for functions of tasks, Node is asked.
 *
 * Words of the line are only ever compared and handed on as arguments; nothing of them is evaluated.
 */

/** Rule for rule what `answer.ts` does. Ends with 3 where Node has to be asked. */
const AWK = String.raw`
BEGIN {
  FS = "\t"; count = ARGC - 2
  for (i = 1; i <= count; i++) { word[i] = ARGV[i + 1]; ARGV[i + 1] = "" }
  ARGC = 2
}
$1 == "W" || $1 == "w" { find[$2] = $3; kind[++rows] = $1; name[rows] = $2; about[rows] = $4; next }
$1 == "N" { kind[++rows] = "W"; name[rows] = $2; next }
$1 == "F" || $1 == "f" { id = $2 " " $3; takes[id] = $4; values[id] = $5; key[id] = $7; known[id] = 1
  if ($1 == "F") { offer[++flags] = $3; of[flags] = $2; says[flags] = $6 }; next }
$1 == "B" { n = ++bares[$2]; bare[$2, n] = $3; must[$2, n] = $4; fills[$2, n] = $5 }
function flag_of(spelling) {
  if ((task " " spelling) in known) return task " " spelling
  if (("- " spelling) in known) return "- " spelling
  return ""
}
function next_bare(  i) {
  for (i = 1; i <= bares[task]; i++) if (!(bare[task, i] in given)) return i
  return 0
}
function begins(text, with) { return substr(text, 1, length(with)) == with }
function tell(list, with, before,  i, n, parts) {
  if (list == "@files") { print ":files"; return }
  if (list == "@own") exit 3
  n = split(list, parts, "\037")
  for (i = 1; i <= n; i++) if (begins(parts[i], with)) print before parts[i] "\t"
}
END {
  task = "-"; typed = word[count]; pending = ""
  for (w = 1; w < count; w++) {
    text = word[w]
    if (pending != "") { pending = ""; continue }
    if (text == "--") { print ":files"; exit 0 }
    if (length(text) > 1 && substr(text, 1, 1) == "-") {
      at = index(text, "="); id = flag_of(at ? substr(text, 1, at - 1) : text)
      if (id == "- --directory" || id == "- -C" || id == "- --file" || id == "- -f") exit 3
      if (id != "") { given[key[id]] = 1; if (takes[id] == "word" && !at) pending = id }
      continue
    }
    n = next_bare()
    if (n && (must[task, n] != "" || !(text in find))) given[bare[task, n]] = 1
    else if (text in find) { task = find[text]; split("", given) }
  }
  if (pending != "") { tell(values[pending], typed, ""); exit 0 }
  at = index(typed, "=")
  if (substr(typed, 1, 2) == "--" && at > 1) {
    id = flag_of(substr(typed, 1, at - 1))
    if (id != "" && takes[id] != "") tell(values[id], substr(typed, at + 1), substr(typed, 1, at))
    exit 0
  }
  if (substr(typed, 1, 1) == "-") {
    for (i = 1; i <= flags; i++) if ((of[i] == task || of[i] == "-") && begins(offer[i], typed)) print offer[i] "\t" says[i]
    exit 0
  }
  n = next_bare()
  if (n) { tell(fills[task, n], typed, ""); if (must[task, n] != "") exit 0 }
  for (i = 1; i <= rows; i++) if (kind[i] == "W" && begins(name[i], typed)) print name[i] "\t" about[i]
}
`.trim();

/** For sh, bash and zsh alike. The first argument is the program, the last the word that is being typed. */
const ANSWER = `
__taskwright_holds() {
  local kept=$1 each stamps='' end='
'
  set --
  while IFS= read -r each; do [ -e "$each" ] && return 1; done <"$kept/absent"
  while IFS= read -r each; do set -- "$@" "$each"; done <"$kept/files"
  while IFS= read -r each; do stamps=$stamps$each$end; done <"$kept/stamps"
  [ "$(stat -L -c '%.9Y %.9Z %s %i' -- "$@" 2>/dev/null)$end" = "$stamps" ]
}
__taskwright_answer() {
  local program=$1 folder=$PWD kept='' ending
  shift
  while [ -n "$folder" ]; do
    for ending in ts mts js mjs; do
      if [ -e "$folder/tasks.config.$ending" ]; then kept=$folder/.tasks/cache/completion; break 2; fi
    done
    [ "$folder" = "\${HOME-}" ] && break
    folder=\${folder%/*}
  done
  if [ -z "\${TASKS_CACHE_DIR-}" ] && [ -n "$kept" ] && [ -O "$kept/table" ] && [ -e "$kept/stamps" ] && __taskwright_holds "$kept"; then
    LC_ALL=C awk '${AWK}' "$kept/table" "$@" && return
  fi
  [ -n "$kept" ] && [ -x "$folder/node_modules/.bin/$program" ] && program=$folder/node_modules/.bin/$program
  command "$program" __complete "$@" 2>/dev/null
}
`.trim();

const BASH = `
# taskwright: completion for bash. In ~/.bashrc:  eval "$(tasks --completion bash)"
${ANSWER}
__taskwright_bash() {
  local program=$1 rest=\${COMP_LINE:0:COMP_POINT} words=() word line value about
  # Bash parts words at ":" and "=" too: those without a blank between them belong together.
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD + 1}"; do
    if [[ \${#words[@]} -eq 0 || $rest == [[:space:]]* ]]; then words+=(''); rest=\${rest#"\${rest%%[![:space:]]*}"}; fi
    [[ $rest == "$word"* ]] || word=$rest
    words[\${#words[@]}-1]+=$word
    rest=\${rest#"$word"}
  done
  local typed=\${words[\${#words[@]}-1]} cut=''
  [[ $typed == *=* && $COMP_WORDBREAKS == *=* ]] && cut=\${typed%%=*}=
  [[ $typed == *:* && $COMP_WORDBREAKS == *:* ]] && cut=\${typed%:*}:
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "\${typed#"$cut"}")
      continue
    fi
    value=\${line%%$'\\t'*}
    printf -v value %q "\${value#"$cut"}"
    COMPREPLY+=("$value")
  done < <(__taskwright_answer "$program" "\${words[@]:1}")
}
__taskwright_bash_tasks() { __taskwright_bash tasks; }
__taskwright_bash_taskwright() { __taskwright_bash taskwright; }
complete -F __taskwright_bash_tasks tasks
complete -F __taskwright_bash_taskwright taskwright
`.trimStart();

const ZSH = `
#compdef tasks taskwright
# taskwright: completion for zsh. In ~/.zshrc, after compinit:  eval "$(tasks --completion zsh)"
${ANSWER}
__taskwright_zsh() {
  local program=$1 line value about
  local -a values shown typed
  typed=("\${(@Q)words[2,CURRENT-1]}" "$PREFIX")
  local -i files=0
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; continue; fi
    value=\${line%%$'\\t'*}
    about=\${line#*$'\\t'}
    values+=("$value")
    shown+=("$value\${about:+  -- $about}")
  done < <(emulate sh; __taskwright_answer "$program" "\${typed[@]}")
  (( files )) && _files
  (( $#values )) && compadd -l -d shown -a values
}
__taskwright_zsh_tasks() { __taskwright_zsh tasks; }
__taskwright_zsh_taskwright() { __taskwright_zsh taskwright; }
compdef __taskwright_zsh_tasks tasks
compdef __taskwright_zsh_taskwright taskwright
`.trimStart();

const FISH = `
# taskwright: completion for fish. In ~/.config/fish/config.fish:  tasks --completion fish | source
set -g __taskwright_sh '${`${ANSWER}\n__taskwright_answer "$@"`.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'
function __taskwright_fish
  set -l typed (commandline -ct)
  set -l words (commandline -opc)
  for line in (command sh -c $__taskwright_sh sh $argv[1] $words[2..] "$typed")
    if test "$line" = :files
      __fish_complete_path "$typed"
    else
      printf '%s\\n' $line
    end
  end
end
for program in tasks taskwright
  complete -c $program -f -a "(__taskwright_fish $program)"
end
`.trimStart();

const POWERSHELL = `
# taskwright: completion for PowerShell. In $PROFILE:  tasks --completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName tasks, taskwright -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $program = Split-Path -Leaf $commandAst.CommandElements[0].Extent.Text
  if ($program -notin 'tasks', 'taskwright', 'tasks.cmd', 'taskwright.cmd') { return }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
  & $program __complete @words "$wordToComplete" 2>$null | ForEach-Object {
    if ($_ -eq ':files') { return }
    $value, $about = $_ -split "\`t", 2
    if (-not $about) { $about = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
  }
}
`.trimStart();

const SCRIPTS: Readonly<Record<ShellName, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };

export const completionScript = (shell: ShellName): string => SCRIPTS[shell];
