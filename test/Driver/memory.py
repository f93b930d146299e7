#!/usr/bin/python3
"""A machine with a little less memory than the fastest program needs gets another
program; one with far too little a refusal that names the need."""

import json
import os
import re
import subprocess
import sys
import tempfile


def compile_with(model, memory, directory):
    text = subprocess.run(["taktc", "--processors=4", "--dump-machine"], check=True,
                          capture_output=True, text=True).stdout
    text, count = re.subn(r"(memory_bytes:\s*)0\n", rf"\g<1>{memory}\n", text)
    assert count == 1
    machine = os.path.join(directory, "m.yaml")
    with open(machine, "w", encoding="utf-8") as file:
        file.write(text)
    return subprocess.run(["taktc", model, "--batch=8", f"--machine={machine}",
                           "--emit=report", "-o", "-"], capture_output=True, text=True)


def main():
    with tempfile.TemporaryDirectory() as directory:
        def entry(memory):
            result = compile_with(sys.argv[1], memory, directory)
            assert result.returncode == 0, result.stderr
            return json.loads(result.stdout)["schedules"][0]

        fastest = entry(0)
        for step in range(3):
            limit = max(fastest["peak_memory_bytes"]) - 1
            fitting = entry(limit)
            assert max(fitting["peak_memory_bytes"]) <= limit
            assert fitting["iteration_cycles"] >= entry(0)["iteration_cycles"]
            assert fitting["iteration_cycles"] < fitting["single_processor_cycles"]
            print(limit, fitting["iteration_cycles"])
            fastest = fitting
        refused = compile_with(sys.argv[1], limit // 3, directory)
        assert refused.returncode == 1
        assert re.search(r"processor \d+ (holds|needs) \d+ bytes", refused.stderr), refused.stderr


if __name__ == "__main__":
    main()
