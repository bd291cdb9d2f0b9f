# The runs of tests/machines/*.toml, for the scripts that write pages about them.
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START = Path.cwd()
os.chdir(ROOT)  # reports name files as they are given


def argument(number, default):
    """A path that the script was given."""
    return START / sys.argv[number] if len(sys.argv) > number else ROOT / default


def files():
    """Each file: its name without .toml, and what it says. A run knows what `pogo` is asked for, as `arguments`."""
    for path in sorted(Path("tests/machines").glob("*.toml")):
        file = tomllib.loads(path.read_text())
        for run in file["run"]:
            run["arguments"] = ["isa-spec/specs/" + file["spec"]]
            for name, value in run.get("params", {}).items():
                run["arguments"] += ["--param", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
            if "extension" in run:
                run["arguments"] += ["--extension", "isa-spec/specs/" + run["extension"]]
            if "vmm" in run:
                run.setdefault("vmms", {})[run["vmm"]] = run["vmm_verdict"]
            if "context" in run:
                run["arguments"] += ["--context", run["context"]]
            for name, value in run.get("assume", {}).items():
                run["arguments"] += ["--assume", f"{name}={value}"]
        yield path.stem, file


def pogo(program, *arguments):
    """What pogo prints. A refuted theorem is an expected answer here; unknown or an error ends the script."""
    run = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if run.returncode > 1:
        sys.exit(f"pogo {' '.join(arguments)}: exit code {run.returncode}\n{run.stderr}")
    return run.stdout
