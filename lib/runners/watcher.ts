import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/**
 * Ends what we started when we are killed in a way that lets us do nothing any more (SIGKILL, a crash of
 * Node itself; R24).
 *
 * One small shell at the other end of a pipe. The system closes the pipe when we die, however we die; the
 * shell then ends the groups it was told of and was not told to forget. Other ways were no better: a
 * parent-death signal reaches only direct children and cannot be set from Node, a control group needs
 * rights, a second Node costs forty times as much.
 *
 *   reading ──"bye"──► over: all is as it should be
 *      │
 *      └──end of the pipe──► SIGTERM to all ──gone, or a moment──► SIGKILL to what is left ──► over
 *
 * It never ends a stranger who was given an id again: finished groups are forgotten at once, and a leader
 * must still have the start time that it had when it was told of.
 */
export interface Watcher {
  /** Watch over a group, or a process that leads none. */
  begin(pid: number, leadsGroup: boolean): void;
  /** It is over: its id may be another's from now on. */
  forget(pid: number): void;
  /** How the terminal was set, to be set again. */
  rememberTerminal(settings: string): void;
  /** Nothing is left to watch over. */
  dismiss(): void;
}

/**
 * Descriptor 3 is the terminal, where there is one. `$1` is the mark that what we start inherits.
 *
 * - `begun` says when a process began, in clock ticks; nothing where there is no /proc. Another that was given the
 *   same id began at another time.
 * - `targets` is what is left of all that we were told of; `below` a process and all below it.
 * - At the end the rest may take as long as it takes to look, but never hang on a terminal that is gone; and one that
 *   was being started as we died shows its mark a moment later.
 */
const SCRIPT = `
trap '' INT TERM HUP QUIT TSTP
told=' ' settings=

begun() {
  start=
  read -r line 2>/dev/null </proc/$1/stat || return 0
  line=\${line##*) }
  set -- $line
  start=\${20}
}

forget() {
  case $told in *" $1="*)
    head=\${told%%" $1="*} tail=\${told#*" $1="}
    told="$head \${tail#* }"
  esac
}

while read -r verb what rest; do
  case $verb in
  group) begun "$what"; told="$told$what=g$start " ;;
  single) begun "$what"; told="$told$what=p$start " ;;
  forget) forget "$what" ;;
  terminal) settings=$what ;;
  bye) exit 0 ;;
  esac
done

marked() {
  [ -r /proc/self/environ ] || return 0
  grep -laF -- "$1" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do echo "$pid"; done
}

below() {
  echo "$1"
  ps -A -o pid=,ppid= 2>/dev/null | while read -r child parent; do [ "$parent" = "$1" ] && below "$child"; done
}

targets() {
  for entry in $told; do
    pid=\${entry%%=*} kind=\${entry#*=}
    then=\${kind#?}
    begun "$pid"
    [ -n "$start" ] && [ -n "$then" ] && [ "$start" != "$then" ] && continue
    case $kind in
    g*) kill -s 0 -- -"$pid" 2>/dev/null && echo "-$pid" ;;
    p*) below "$pid" ;;
    esac
  done
  marked "$1"
}

[ -z "$settings" ] || { stty "$settings" <&3; printf '\\033[?25h' >&3; } 2>/dev/null
for signal in TERM CONT; do
  for target in $(targets "$1"); do kill -s $signal -- $target 2>/dev/null; done
done
for round in 1 2 3 4 5 6; do
  [ -n "$(targets "$1")" ] || [ $round -lt 4 ] || exit 0
  sleep 0.1 2>/dev/null || sleep 1
done
for round in 1 2 3; do
  for target in $(targets "$1"); do kill -s KILL -- $target 2>/dev/null; done
done
`;

/**
 * @param mark        a text in the variables of all that is watched over
 * @param isTerminal  our stdin is one
 */
export function startWatcher(mark: string, isTerminal: boolean): Watcher {
  if (process.platform === 'win32') return NO_WATCHER;
  // In a session of its own, so that no Ctrl-C reaches it, and without our variables: it is no part of the run.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'taskwright-watcher', mark], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore', ...(isTerminal ? [0] : [])],
    env: { PATH: '/usr/bin:/bin' },
  });
  letLive(shell);
  const tell = (line: string): void => void shell.stdin?.write(`${line}\n`);
  return {
    begin: (pid, leadsGroup) => tell(`${leadsGroup ? 'group' : 'single'} ${pid}`),
    forget: (pid) => tell(`forget ${pid}`),
    rememberTerminal: (settings) => tell(`terminal ${settings}`),
    dismiss: () => void shell.stdin?.end('bye\n'),
  };
}

const NO_WATCHER: Watcher = { begin: () => {}, forget: () => {}, rememberTerminal: () => {}, dismiss: () => {} };

/** It keeps nobody waiting, and its own end is no trouble of ours. */
function letLive(shell: ChildProcess): void {
  shell.on('error', () => {});
  shell.unref();
  shell.stdin?.on('error', () => {});
  // A pipe to a child is a socket, which can be let go.
  const { stdin } = shell as { stdin: { unref?: () => void } | null };
  stdin?.unref?.();
}
