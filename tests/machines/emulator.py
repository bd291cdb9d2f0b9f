# Runs programs on QEMU and on Pogo's model, or steps both, for the scripts */oracle.py.
# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SPECS = pathlib.Path(__file__).resolve().parents[2] / "isa-spec" / "specs"


def find(program):
    """Pogo, as the script was given it, and the emulator. Without that the script ends with 77."""
    if len(sys.argv) != 2:
        sys.exit("usage: oracle.py POGO")
    found = shutil.which(program)
    if not found:
        print("no " + program)
        sys.exit(77)
    return sys.argv[1], found


# ---- A program, and the memory that it leaves -----------------------------------------------------------------------


def assemble(pogo, spec, source, *arguments):
    """Addresses, and the code there."""
    run = subprocess.run([pogo, "asm", str(spec), *arguments, str(source)], capture_output=True, text=True, timeout=60)
    if run.returncode:
        sys.exit(run.stderr)
    return [(int(m[1], 16), bytes.fromhex(m[2])) for m in re.finditer(r"(?m)^([0-9a-f]{8,16})  ([0-9a-f]+)", run.stdout)]


def image(size, pieces, base=0):
    """Memory from `base` on: pairs of an address and what is there."""
    memory = bytearray(size)
    for at, content in pieces:
        memory[at - base : at - base + len(content)] = content
    return memory


def loader(start=None):
    """QEMU's options for memory that begins with the file `image`, and for the address where the processor starts."""
    options = ["-m", "16M", "-device", "loader,file=image,addr=0,force-raw=on"]
    return options if start is None else [*options, "-device", "loader,addr=0x%x,cpu-num=0" % start]


def run_theirs(qemu, options, folder, address, size, last=-1):
    """Memory of QEMU's from `address` on when the program has made byte `last` of it 1, or what there is after 21 seconds."""
    emulator = subprocess.Popen([qemu, *options, "-display", "none", "-serial", "null", "-monitor", "stdio"],
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    saved = pathlib.Path(folder) / "memory"
    found = b""
    try:
        for _ in range(60):
            time.sleep(0.25)
            emulator.stdin.write(b"pmemsave 0x%x %d memory\n" % (address, size))
            emulator.stdin.flush()
            time.sleep(0.1)
            found = saved.read_bytes() if saved.exists() else b""
            if len(found) == size and found[last] == 1:
                break
    except BrokenPipeError:
        pass
    finally:
        emulator.kill()
        emulator.wait()
    return found


def run_ours(pogo, spec, arguments, address, size):
    """What the program writes from `address` on, on the model."""
    run = subprocess.run([pogo, "run", str(spec), *arguments, "--trace", "-"], capture_output=True, text=True, timeout=300)
    found = bytearray(size)
    for m in re.finditer(r"\[(?:0x)?([0-9a-f]+)\]=(?:0x)?([0-9a-f]+)", run.stdout):
        at = int(m[1], 16) - address
        if 0 <= at < size:
            found[at] = int(m[2], 16)
    return found


# ---- Single steps ---------------------------------------------------------------------------------------------------


class Stub:
    """The GDB remote protocol, as far as needed. Registers have `width` bytes."""

    def __init__(self, connection, width):
        self.connection = connection
        self.width = width
        self.rest = b""

    def ask(self, text):
        data = text.encode()
        self.connection.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))
        while True:
            while b"#" not in self.rest or len(self.rest) < self.rest.index(b"#") + 3:
                more = self.connection.recv(4096)
                if not more:
                    raise OSError("the emulator has gone")
                self.rest += more
            end = self.rest.index(b"#")
            packet, self.rest = self.rest[:end], self.rest[end + 3 :]
            self.connection.sendall(b"+")
            return packet[packet.index(b"$") + 1 :].decode()

    def register(self, n):
        return int.from_bytes(bytes.fromhex(self.ask("p%x" % n)), "little")

    def set_register(self, n, value):
        assert self.ask("P%x=%s" % (n, value.to_bytes(self.width, "little").hex())) == "OK"

    def memory(self, address, size):
        return bytes.fromhex(self.ask("m%x,%x" % (address, size)))

    def set_memory(self, address, data):
        assert self.ask("M%x,%x:%s" % (address, len(data), data.hex())) == "OK"


class Model:
    """The process of `pogo step`."""

    def __init__(self, process):
        self.process = process

    def step(self, state):
        self.process.stdin.write(json.dumps(state) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def stored(outcome, address, before):
    """Memory from `address` on after a step: what was there `before`, and what the outcome says was written."""
    memory = bytearray(before)
    for at, units in outcome["memory"].items():
        for i, unit in enumerate(units if isinstance(units, list) else [units]):
            memory[int(at, 0) - address + i] = int(unit)
    return bytes(memory)


def too_long(_signal, _frame):
    raise TimeoutError("it takes too long")


@contextlib.contextmanager
def stepped(qemu, options, width, pogo, spec, arguments=()):
    """QEMU before its first instruction, and the model; they have three minutes."""
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(180)
    with tempfile.TemporaryDirectory() as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(folder + "/gdb")
        listener.listen(1)
        listener.settimeout(60)
        emulator = subprocess.Popen(
            [qemu, *options, "-m", "64", "-nographic", "-serial", "none", "-monitor", "none", "-nodefaults", "-S",
             "-chardev", "socket,id=gdb,path=" + folder + "/gdb", "-gdb", "chardev:gdb"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        model = subprocess.Popen([pogo, "step", str(spec), *arguments, "--states", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            connection, _ = listener.accept()
            connection.settimeout(60)
            stub = Stub(connection, width)
            stub.ask("qXfer:features:read:target.xml:0,1000")  # after that QEMU lets single registers be written
            yield stub, Model(model)
        finally:
            emulator.kill()
            model.kill()
            emulator.wait(10)
            model.wait(10)
