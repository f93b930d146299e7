"""./dev bench trains: a GPT and an LSTM on the text of Debian's licenses, character by
character, and ResNet-20 on handwritten digits, each trained with PyTorch and with the
programs of taktc: of one processor, of four by zb-auto (synchronous, of microbatches)
and of four by layerpipe (delayed). Initial weights, samples, their order, steps and
optimizer are the same. Losses of synchronous programs must be within 1 % of PyTorch's;
a delayed one is another algorithm, whose difference is printed. What four processors
compute by layerpipe must be, bit for bit, what the delayed sequential interpreter does.

Where training amplifies roundings, PyTorch does not agree with itself: moved by
a quarter of a millionth, the initial weights of ResNet-20 end at a loss that is a third
off. There the losses must agree as long as they can, in the first steps, and the
accuracy at the end.
"""

import argparse
import copy
import dataclasses
import os
import re
import sys
import time

import numpy
import torch

from takt.networks import Gpt, Recurrent, digits_resnet, export
from takt.tools import DATA, Tools, table, write_csv

LICENSES = "/usr/share/common-licenses"
HELD_OUT = "MPL-2.0"  # the license that nobody trains on
PROCESSORS = 4
TOLERANCE = 0.01  # of losses
POINTS = 2  # of accuracies, in per cent
COLUMNS = ["network", "trained by", "processors", "staleness", "first loss", "last loss",
           "to PyTorch (%)", "held-out loss", "to PyTorch (%)", "accuracy (%)", "ms/step"]


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is trained."""
    steps: int
    batch: int  # of passages
    microbatches: int
    length: int  # characters of a passage
    width: int
    layers: int
    rate: float  # Adam's, of the GPT
    digit_rate: float  # with momentum
    verified: int  # steps that the interpreter repeats


SIZES = {"full": Size(steps=200, batch=16, microbatches=4, length=32, width=64, layers=3,
                      rate=1e-3, digit_rate=0.02, verified=20),
         "small": Size(steps=5, batch=8, microbatches=4, length=12, width=16, layers=2,
                       rate=2e-3, digit_rate=0.002, verified=12)}
DEPTH, DIGIT_BATCH, DIGIT_MICROBATCHES = 20, 32, 4


@dataclasses.dataclass
class Task:
    """A network with what it is trained on."""
    name: str
    model: torch.nn.Module
    optimizer: str
    rate: float
    steps: int
    batch: int
    microbatches: int
    arrays: dict  # by name; "label" is the label
    held_out: dict
    comparable: int  # steps before roundings have grown large

    def class_axis(self):
        return self.arrays["label"].ndim


def license_text():
    """The licenses as arrays of codes by file name, and the number of codes: the bytes
    that occur, in order."""
    paths = [os.path.join(LICENSES, name) for name in sorted(os.listdir(LICENSES))]
    texts = {os.path.basename(path): numpy.fromfile(path, numpy.uint8)
             for path in paths if not os.path.islink(path)}
    known = numpy.unique(numpy.concatenate(list(texts.values())))
    return {name: numpy.searchsorted(known, text)
            for name, text in texts.items()}, len(known)


def passages(text, starts, length):
    """`length` characters from each start on, and those that follow them."""
    places = starts[:, None] + numpy.arange(length)
    return {"ids": text[places], "label": text[places + 1]}


def language_data(size):
    """Passages drawn from the licenses, others from the one held out, number of codes"""
    texts, codes = license_text()
    held_out = texts.pop(HELD_OUT)
    text = numpy.concatenate(list(texts.values()))
    starts = numpy.random.default_rng(1).integers(0, len(text) - size.length,
                                                  size.steps * size.batch)
    every = numpy.arange(0, len(held_out) - size.length, size.length)
    whole = every[:len(every) // size.batch * size.batch]
    return (passages(text, starts, size.length),
            passages(held_out, whole, size.length), codes)


def digit_data(size):
    """Images in an order drawn anew for each epoch, and those held out."""
    with numpy.load(os.path.join(DATA, "digits-train.npz")) as train:
        images, labels = train["image"], train["label"]
    random, needed = numpy.random.default_rng(1), size.steps * DIGIT_BATCH
    order = numpy.concatenate([random.permutation(len(labels))
                               for _ in range(-(-needed // len(labels)))])[:needed]
    with numpy.load(os.path.join(DATA, "digits-test.npz")) as test:
        held_out = {"image": test["image"], "label": test["label"]}
    return {"image": images[order], "label": labels[order]}, held_out


def make_tasks(size):
    train, held_out, codes = language_data(size)
    torch.manual_seed(1)
    gpt = Gpt(codes, size.length, size.width, heads=4, layers=size.layers,
              inner=4 * size.width)
    shared = (size.steps, size.batch, size.microbatches, train, held_out, size.steps)
    yield Task("GPT", gpt.scale_as_gpt2(), "adam", size.rate, *shared)
    yield Task("LSTM", Recurrent(codes, size.width), "adam", size.rate, *shared)
    yield Task(f"ResNet-{DEPTH}", digits_resnet(DEPTH), "momentum", size.digit_rate,
               size.steps, DIGIT_BATCH, DIGIT_MICROBATCHES, *digit_data(size),
               comparable=5)


def tensors(arrays):
    """(input, label)"""
    label = torch.from_numpy(arrays["label"])
    given, = [value for name, value in arrays.items() if name != "label"]
    return torch.from_numpy(given), label


def loss_of(task, model, given, label):
    return torch.nn.functional.cross_entropy(
        model(given).movedim(task.class_axis(), 1), label)


def train_with_pytorch(task, microbatches):
    """(trained model, losses by step, seconds of a step). With microbatches, gradients
    add up, and so a batch normalization is of a microbatch."""
    model = copy.deepcopy(task.model).train()
    if task.optimizer == "adam":
        stepper = torch.optim.Adam(model.parameters(), lr=task.rate)
    else:
        stepper = torch.optim.SGD(model.parameters(), lr=task.rate, momentum=0.9)
    given, label = tensors(task.arrays)
    losses, part = [], task.batch // microbatches
    before = time.perf_counter()
    for step in range(task.steps):
        stepper.zero_grad()
        total = 0.0
        for at in range(step * task.batch, (step + 1) * task.batch, part):
            loss = loss_of(task, model, given[at:at + part], label[at:at + part])
            (loss / microbatches).backward()
            total += loss.item() / microbatches
        stepper.step()
        losses.append(total)
    return model, losses, (time.perf_counter() - before) / task.steps


def evaluate(task, model):
    """(loss, accuracy in per cent) on what is held out"""
    given, label = tensors(task.held_out)
    with torch.no_grad():
        model.eval()
        y = model(given).movedim(task.class_axis(), 1)
        loss = torch.nn.functional.cross_entropy(y, label).item()
        return loss, 100 * (y.argmax(1) == label).double().mean().item()


def with_weights(model, path):
    """The model with weights that takt-run saved."""
    loaded = copy.deepcopy(model)
    with numpy.load(path) as arrays:
        state = loaded.state_dict()
        missing = [name for name in state
                   if name not in arrays and not name.endswith("num_batches_tracked")]
        if missing:
            sys.exit(f"takt-run saved no {', '.join(missing)}")
        loaded.load_state_dict({name: torch.from_numpy(arrays[name])
                                if name in arrays else value
                                for name, value in state.items()})
    return loaded


class Trainer:
    """Trains one task with programs of taktc."""

    def __init__(self, tools, out, task, verified):
        self.tools, self.task, self.verified = tools, task, verified
        self.directory = os.path.join(out, task.name.lower())
        os.makedirs(self.directory, exist_ok=True)
        example = {name: torch.from_numpy(value[:task.batch])
                   for name, value in task.arrays.items() if name != "label"}
        self.model = self.path("model.onnx")
        export(task.model, example, self.model, dynamic=True)
        numpy.savez(self.path("train.npz"), **task.arrays)
        numpy.savez(self.path("held-out.npz"), **task.held_out)
        batch = next(n for n in range(task.batch, 0, -1)
                     if len(task.held_out["label"]) % n == 0)
        self.tools.run("taktc", self.model, "--mode=forward", f"--batch={batch}",
                       "--schedule=sequential", "-o", self.path("forward.takt"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def compile(self, schedule, processors, microbatches):
        """Writes the program, and returns its entry of the report."""
        task = self.task
        options = [f"--batch={task.batch}", f"--processors={processors}",
                   f"--schedule={schedule}", f"--microbatches={microbatches}",
                   "--loss=softmax-cross-entropy", f"--optimizer={task.optimizer}",
                   f"--learning-rate={task.rate}"]
        self.tools.run("taktc", self.model, *options, "-o", self.path(f"{schedule}.takt"))
        return self.tools.report(self.model, self.path(f"{schedule}.json"),
                                 *options)["schedules"][0]

    def takt_run(self, schedule, *options):
        return self.tools.run("takt-run", self.path(f"{schedule}.takt"), "--no-shuffle",
                              f"--data={self.path('train.npz')}", *options)

    def train(self, schedule):
        """(model with the trained weights, first loss, last loss, seconds of a step)"""
        weights = self.path(f"{schedule}.npz")
        text = self.takt_run(schedule, f"--iterations={self.task.steps}",
                             f"--save-weights={weights}")
        first, last, seconds = re.search(
            r"loss (\S+) -> (\S+), (\S+) s", text).groups()
        return (with_weights(self.task.model, weights), float(first), float(last),
                float(seconds) / self.task.steps)

    def loss_after(self, schedule, steps):
        """Of the minibatch of that step."""
        text = self.takt_run(schedule, f"--iterations={steps}")
        return float(re.search(r"-> ([^,]+),", text)[1])

    def accuracy(self, schedule):
        """Of the forward program, in per cent."""
        text = self.tools.run("takt-run", self.path("forward.takt"),
                              f"--weights={self.path(f'{schedule}.npz')}",
                              f"--data={self.path('held-out.npz')}")
        return float(re.search(r"accuracy\D*([0-9.]+)\s*%", text)[1])

    def is_identical(self, schedule):
        """Whether the processors compute the bits of the sequential interpreter."""
        return "identical" in self.takt_run(schedule, "--verify",
                                            f"--iterations={self.verified}")


def disagreements(task, trainer, schedule, losses, apart, points):
    """What is wrong with a synchronous program, beside PyTorch's losses by step. `apart`
    are the relative differences of losses at the end, `points` that of accuracies."""
    if task.comparable < task.steps:
        there = losses[task.comparable - 1]
        apart = [trainer.loss_after(schedule, task.comparable) / there - 1]
        if abs(points) > POINTS:
            yield f"{task.name}, {schedule}: accuracy is {points:+.2f} points apart"
    for error in apart:
        if not abs(error) <= TOLERANCE:
            yield f"{task.name}, {schedule}: loss is {100 * error:+.2f} % apart"


def compare(tools, out, task, verified):
    """The rows of one task, and what is wrong with them."""
    trainer, rows, wrong = Trainer(tools, out, task, verified), [], []
    references = {}
    for schedule, processors, microbatches in (
            ("sequential", 1, 1), ("zb-auto", PROCESSORS, task.microbatches),
            ("layerpipe", PROCESSORS, 1)):
        if microbatches not in references:
            model, losses, seconds = train_with_pytorch(task, microbatches)
            references[microbatches] = losses, *evaluate(task, model)
            by = "PyTorch" if microbatches == 1 else f"PyTorch, {microbatches} microbatches"
            rows.append([task.name, by, 1, 0, losses[0], losses[-1], 0.0,
                         references[microbatches][1], 0.0, references[microbatches][2],
                         1e3 * seconds])
        losses, loss_there, accuracy_there = references[microbatches]
        entry = trainer.compile(schedule, processors, microbatches)
        model, first, last, seconds = trainer.train(schedule)
        loss, accuracy = evaluate(task, model)[0], trainer.accuracy(schedule)
        apart = [last / losses[-1] - 1, loss / loss_there - 1]
        rows.append([task.name, schedule, processors, max(entry["staleness"].values()),
                     first, last, 100 * apart[0], loss, 100 * apart[1], accuracy,
                     1e3 * seconds])
        if entry["semantics"] == "synchronous":
            wrong += disagreements(task, trainer, schedule, losses, apart,
                                   accuracy - accuracy_there)
        elif not trainer.is_identical(schedule):
            wrong.append(f"{task.name}, {schedule}: not the interpreter's bits")
    return rows, wrong


def printable(row):
    return [*row[:4], *(f"{value:.4f}" for value in row[4:6]), f"{row[6]:+.2f}",
            f"{row[7]:.4f}", f"{row[8]:+.2f}", f"{row[9]:.2f}", f"{row[10]:.1f}"]


def run(tools, out, size):
    """Prints what was trained; ends the program where something is wrong."""
    torch.set_num_threads(1)
    everything, wrong = [], []
    for task in make_tasks(size):
        print(f"{task.name}: {sum(p.numel() for p in task.model.parameters()):,} "
              f"parameters, {task.steps} steps of {task.batch} samples, "
              f"{task.optimizer}, learning rate {task.rate}", flush=True)
        rows, errors = compare(tools, out, task, size.verified)
        print(table([printable(row) for row in rows], COLUMNS) + "\n", flush=True)
        everything += rows
        wrong += errors
    write_csv(os.path.join(out, "trains.csv"), COLUMNS, everything)
    if wrong:
        sys.exit("\n".join(wrong))
    print("synchronous programs: within 1 % of PyTorch; layerpipe: the interpreter's bits")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--size", choices=sorted(SIZES), default="full")
    arguments = parser.parse_args()
    out = os.path.join(os.path.abspath(arguments.out), "trains")
    os.makedirs(out, exist_ok=True)
    run(Tools(arguments.bin), out, SIZES[arguments.size])


if __name__ == "__main__":
    main()
