"""./dev bench pipelines: `auto` beside the best published schedule within the same
memory, on a grid of pipeline problems.

The grid: p = 2, 4, 8 processors, m = p … 4 p microbatches, eight profiles of costs,
equal and uneven stages, one and two stages a processor, memory from a third of p
activations to no limit. Of its rows every n-th (--every) is taken, which meets all
values of each; --every=1 takes all. A row where `auto` is above a published schedule is
a defect, and the exit code 1.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys

from takt.tools import Tools, table, write_csv

# Cycles of F, D, W of one processor, and of a transfer. The measured ones are of the
# zero-bubble papers (Qi et al. 2024), in microseconds.
COSTS = {"uniform": ((100, 100, 100), 0), "uniform, half a task's transfer": ((100, 100, 100), 50),
         "light W": ((100, 100, 40), 10), "heavy W": ((60, 60, 180), 20),
         "short F": ((50, 100, 80), 25), "GPT 1.5B": ((18522, 18086, 9337), 601),
         "GPT 6.2B": ((29718, 29444, 19927), 527), "GPT 28B": ((10419, 10207, 7715), 408)}
PROCESSORS = [2, 4, 8]
MICROBATCHES = [1, 2, 3, 4]  # for each processor
CHUNKS = [1, 2]
SHAPES = ["equal", "uneven"]
LIMITS = {"p/3": 1 / 3, "p/2": 1 / 2, "2p/3": 2 / 3, "p": 1, "none": None}
SEARCHES = ["ilp", "auto"]
COLUMNS = ["costs", "stages", "chunks", "p", "m", "memory", "auto", "status", "bound",
           "gap %", "best published", "its name", "auto ahead %", "seconds"]


def cycles_of(whole, chunks, shape, stage):
    """Of a stage; uneven ones differ by up to a quarter, always in the same way."""
    part = whole / chunks
    return round(part * (1 + (stage * 37 % 50 - 25) / 100) if shape == "uneven" else part)


def problem(costs, shape, chunks, p, m, limit):
    """The text, and the limit in activations of a processor."""
    cycles, transfer = COSTS[costs]
    lines = ["takt-pipeline: 1", f"processors: {p}", f"microbatches: {m}", "stages:"]
    for stage in range(p * chunks):
        f, d, w = (cycles_of(whole, chunks, shape, stage) for whole in cycles)
        lines.append(f"  - {{forward: {f}, dgrad: {d}, wgrad: {w}, memory: "
                     f"{{forward: {1 / chunks}, dgrad: 0, wgrad: {-1 / chunks}}}}}")
    lines.append(f"transfer_cycles: {transfer}")
    if LIMITS[limit] is not None:
        lines.append(f"memory_limit: {max(1, round(p * LIMITS[limit]))}")
    return "\n".join(lines) + "\n"


def schedule(tools, path, name, *options):
    """The report's entry; None where the schedule is not for the problem."""
    done = subprocess.run([os.path.join(tools.bin, "taktc"), path, f"--schedule={name}",
                           "--emit=report", "-o", "-", *options],
                          capture_output=True, text=True)
    return json.loads(done.stdout)["schedules"][0] if done.returncode == 0 else None


def published(tools):
    """The names of all but the searches."""
    lines = tools.run("taktc", "--list-schedules").splitlines()
    names = [line.split()[0] for line in lines if line and not line.endswith(":")]
    return [name for name in names if name not in SEARCHES]


def row(tools, names, path, *of):
    with open(path, "w") as file:
        file.write(problem(*of))
    best = {"iteration_cycles": None, "name": "none"}
    for name in names:
        entry = schedule(tools, path, name, "--semantics=synchronous")
        if entry and entry["semantics"] == "synchronous" and (
                best["iteration_cycles"] is None
                or entry["iteration_cycles"] < best["iteration_cycles"]):
            best = entry
    auto = schedule(tools, path, "auto")
    if auto is None:
        sys.exit(f"{of}: auto finds no schedule")
    cycles, bound = auto["iteration_cycles"], auto["lower_bound"]
    ahead = (best["iteration_cycles"] or cycles) / cycles - 1
    return [*of, cycles, auto["status"], bound, 100 * (cycles / bound - 1),
            best["iteration_cycles"], best["name"], 100 * ahead, auto["compile_seconds"]]


def print_rows(rows, title):
    if not rows:
        return
    gaps, ahead = ([line[i] for line in rows] for i in (9, 12))
    optimal = sum(line[7] == "optimal" for line in rows)
    print(f"{title}: {len(rows)} rows, {sum(a > 0 for a in ahead)} ahead, "
          f"{sum(a == 0 for a in ahead)} equal, {sum(a < 0 for a in ahead)} behind; "
          f"{optimal} proved optimal; above the bound {sum(gaps) / len(gaps):.2f} % on "
          f"average, {max(gaps):.2f} % at most; ahead {sum(ahead) / len(ahead):.2f} % on "
          f"average, {max(ahead):.2f} % at most; {max(line[13] for line in rows):.0f} s at "
          f"most")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    # Prime to the numbers of values, so that rows meet all of them.
    parser.add_argument("--every", type=int, default=37)
    parser.add_argument("--processors", type=int, nargs="+", default=PROCESSORS)
    parser.add_argument("--chunks", type=int, nargs="+", default=CHUNKS)
    arguments = parser.parse_args()
    tools, out = Tools(arguments.bin), os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)
    names, rows = published(tools), []
    grid = itertools.product(COSTS, SHAPES, arguments.chunks, arguments.processors,
                             MICROBATCHES, LIMITS)
    for costs, shape, chunks, p, per, limit in itertools.islice(grid, 0, None,
                                                                arguments.every):
        rows.append(row(tools, names, os.path.join(out, "pipeline.yaml"), costs, shape,
                        chunks, p, per * p, limit))
        print(", ".join(f"{cell:.2f}" if isinstance(cell, float) else str(cell)
                        for cell in rows[-1]), flush=True)
    print("\n" + table([[f"{cell:.2f}" if isinstance(cell, float) else cell
                         for cell in line] for line in rows], COLUMNS) + "\n")
    print_rows(rows, "all")
    for chunks in arguments.chunks:
        for limit in LIMITS:
            print_rows([line for line in rows if (line[2], line[5]) == (chunks, limit)],
                       f"{chunks} chunk{'s' if chunks > 1 else ''}, memory {limit}")
    write_csv(os.path.join(out, "pipelines.csv"), COLUMNS, rows)
    if any(line[12] < 0 for line in rows):
        sys.exit("auto is above a published schedule")


if __name__ == "__main__":
    main()
