# Sends signals to glm-compile while it writes an artifact, and compares the folder with what was there before.
# The first argument is a folder of --dump: a pipe that nobody reads, in the place of one kernel's assembly, makes the
# compiler wait in the middle of its work for as long as we like.
import os
import pathlib
import signal
import subprocess
import sys
import time

dump = pathlib.Path(sys.argv[1])
pipe = sorted(dump.glob("*.s"))[0]
pipe.unlink()
os.mkfifo(pipe)


def tree():
    return sorted(str(path) for path in pathlib.Path(".").rglob("*") if dump not in path.parents)


def start(number, disposition):
    # A test that runs in a shell's background inherits ignored signals.
    compiler = subprocess.Popen(
        ["glm-compile", *sys.argv[2:], f"--dump={dump}"], preexec_fn=lambda: signal.signal(number, disposition)
    )
    while not list(pathlib.Path(".").glob("*.tmp-*/*")):
        assert compiler.poll() is None, f"the compiler ended by itself: {compiler.returncode}"
        time.sleep(0.01)
    return compiler


before = tree()
for number in (signal.SIGINT, signal.SIGTERM):
    compiler = start(number, signal.SIG_DFL)
    compiler.send_signal(number)
    assert compiler.wait() == -number, f"{number.name}: must end the compiler, but found {compiler.returncode}"
    assert tree() == before, f"{number.name}: left {set(tree()) ^ set(before)}"

# As under nohup: the compiler takes no notice, and goes on as soon as somebody reads.
compiler = start(signal.SIGHUP, signal.SIG_IGN)
compiler.send_signal(signal.SIGHUP)
pipe.read_bytes()
assert compiler.wait() == 0, f"an ignored SIGHUP must not end the compiler, but found {compiler.returncode}"
