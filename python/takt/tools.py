"""Runs Takt's command-line tools."""

import csv
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODELS = os.path.join(ROOT, "test", "models")
DATA = os.path.join(ROOT, "test", "data")


class Tools:
    """The tools of one build directory."""

    def __init__(self, bin_directory):
        self.bin = os.path.abspath(bin_directory)

    def run(self, tool, *arguments):
        """Runs a tool and returns what it printed; ends the program with the
        tool's own message where it fails."""
        command = [os.path.join(self.bin, tool), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\nfailed with exit code {done.returncode}")
        return done.stdout

    def report(self, model, output, *arguments):
        """Compiles a model as far as its report, and returns that."""
        self.run("taktc", model, "--emit=report", "-o", output, *arguments)
        with open(output) as file:
            return json.load(file)


def table(rows, header):
    """The rows under their header, aligned; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for number, row in enumerate(cells):
        lines.append("  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    return "\n".join(lines)


def write_csv(path, header, rows):
    """Writes the rows under their header, and says where."""
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    print(f"\nwritten to {path}")


def quantity(number):
    """1234567 as 1,234,567."""
    return f"{number:,}"
