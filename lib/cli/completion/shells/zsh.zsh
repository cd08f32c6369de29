#compdef tasks taskwright
# In ~/.zshrc, after compinit:  eval "$(tasks --completion zsh)"
# Or as a file that is named _tasks, in a folder of $fpath.
#
# Words of the line are only ever compared, and handed on as arguments; nothing of them is evaluated.

__taskwright_zsh() {
  local program=${service:-tasks} row value about
  local -i files=0
  local -a typed shown
  typed=("${(@Q)words[2,CURRENT - 1]}" "${(Q)PREFIX}")
  while IFS= read -r row; do
    if [[ $row == :files* ]]; then files=1; continue; fi
    value=${row%%$'\t'*} about=${row#*$'\t'}
    if [[ $PREFIX == --*=* ]]; then value=${value#*=}; fi
    shown+=("${${value//\\/\\\\}//:/\\:}${about:+:$about}")
  done < <(command $program __complete "${typed[@]}" 2>/dev/null)
  if [[ $PREFIX == --*=* ]]; then compset -P 1 '*='; fi
  if (( files )); then _files; fi
  if (( $#shown )); then _describe -V -t values value shown; fi
}

if [[ ${funcstack[*]} == _tasks* ]]; then
  # As a file of $fpath, called for the first time.
  __taskwright_zsh "$@"
elif (( ${+functions[compdef]} )); then
  compdef __taskwright_zsh tasks taskwright
else
  print -ru2 -- 'completion for zsh needs `autoload -Uz compinit && compinit` before it'
fi
