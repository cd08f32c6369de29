"""Run two programs turn about and tell what each run took: wall and CPU milliseconds, peak MiB.

Reads {"pairs", "warm", "ours", "plain"} as JSON, where a program is {"argv", "cwd", "env", "before"};
`before` is a file that a line is added to before each run. Node cannot ask for a child's CPU time.
"""
import json, os, sys, time

def run(program):
    if program.get("before"):
        with open(program["before"], "a") as file:
            file.write("// changed\n")
    silent = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    silent += [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)]
    os.chdir(program["cwd"])
    began = time.perf_counter()
    pid = os.posix_spawnp(program["argv"][0], program["argv"], program["env"], file_actions=silent)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    code = os.waitstatus_to_exitcode(status)
    if code != program.get("code", 0):
        sys.exit("%r ended with %d" % (program["argv"], code))
    return [wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024]

order = json.load(sys.stdin)
for _ in range(order["warm"]):
    run(order["ours"])
    run(order["plain"])
print(json.dumps([[run(order["ours"]), run(order["plain"])] for _ in range(order["pairs"])]))
