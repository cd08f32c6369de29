# In ~/.bashrc:  eval "$(tasks --completion bash)"
#
# Words of the line are only ever compared, and handed on as arguments; nothing of them is evaluated.

# The words of $1 in line, without their quotes; the quote that is still open in quote.
__taskwright_words() {
  local rest=$1 word='' char next is_word=0 at
  line=() quote=''
  for (( at = 0; at < ${#rest}; at++ )); do
    char=${rest:at:1} next=${rest:at + 1:1}
    if [[ -n $quote && $char == "$quote" ]]; then
      quote=''
    elif [[ $quote == '"' && $char == '\' && $next == [\\\"\$\`] ]]; then
      word+=$next at=$(( at + 1 ))
    elif [[ -n $quote ]]; then
      word+=$char
    elif [[ $char == [[:blank:]] ]]; then
      if (( is_word )); then line+=("$word"); fi
      word='' is_word=0
      continue
    elif [[ $char == [\'\"] ]]; then
      quote=$char
    elif [[ $char == '\' ]]; then
      word+=$next at=$(( at + 1 ))
    else
      word+=$char
    fi
    is_word=1
  done
  line+=("$word")
}

# $1 in quoted, as it has to be typed where quote is open.
__taskwright_quote() {
  local char at
  case $quote in
    "'") quoted=${1//\'/\'\\\'\'} ;;
    '"')
      quoted=''
      for (( at = 0; at < ${#1}; at++ )); do
        char=${1:at:1}
        if [[ $char == [\\\"\$\`] ]]; then quoted+='\'; fi
        quoted+=$char
      done
      ;;
    *) printf -v quoted %q "$1" ;;
  esac
}

__taskwright_bash() {
  local row value quote='' quoted='' typed cut='' before IFS=$' \t\n'
  local -a line=()
  COMPREPLY=()
  __taskwright_words "${COMP_LINE:0:COMP_POINT}"
  typed=${line[${#line[@]} - 1]}
  # Bash replaces less than a word where that holds an equals sign or a colon.
  if [[ -z $quote ]]; then
    value=$typed
    while [[ -n $value && $COMP_WORDBREAKS != *"${value:${#value} - 1}"* ]]; do value=${value%?}; done
    if [[ $value == *[=:] ]]; then cut=$value; fi
  fi
  while IFS= read -r row; do
    if [[ $row == :files* ]]; then
      before=${row#:files}
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "${typed#"$before"}")
      continue
    fi
    value=${row%%$'\t'*}
    __taskwright_quote "${value#"$cut"}"
    COMPREPLY+=("$quoted")
  done < <(command "${1##*/}" __complete "${line[@]:1}" 2>/dev/null)
  return 0
}

complete -F __taskwright_bash tasks taskwright
