#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training and evaluation beside PyTorch on the CPU, in turn.

    train.py PBA [--model NAME] [--way two|one|threads] [--pairs N] [--seconds S] [OPTION...]

The same network (tests/oracle_torch.py defines it for both), batch, optimizer (Nesterov, weight
decay, clipping by global norm) and number format; PyTorch trains on one batch that lies ready, while
`pba bench train` draws, augments and normalizes every image anew. Ways: `two`: two networks at once
on one thread each; `one`: one network on one thread; `threads`: one network on two threads. PyTorch
runs in processes of its own, in whichever of its two memory formats is faster here. Each pair is one
run of each, one after the other, so that a machine whose speed drifts drifts for both; the ratio is
taken pair by pair.
"""
import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time

WAYS = {"two": (2, 1), "one": (1, 1), "threads": (1, 2)}
HERE = os.path.dirname(os.path.abspath(__file__))


class Runner:
    """A network in PyTorch with what a step needs."""

    def __init__(self, model, batch, evaluation_batch, threads):
        import torch
        sys.path.insert(0, os.path.join(HERE, "..", "tests"))
        import oracle_torch
        torch.set_num_threads(threads)
        self.torch = torch
        self.network = oracle_torch.build(model, 3, 10)
        self.images = torch.randn(batch, 3, 32, 32)
        self.labels = torch.randint(10, (batch,))
        self.evaluation = torch.randn(evaluation_batch, 3, 32, 32)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9,
                                         nesterov=True, weight_decay=0.0005)
        self.formats = [torch.contiguous_format, torch.channels_last]

    def use(self, number):
        memory = self.formats[number]
        self.network = self.network.to(memory_format=memory)
        self.images = self.images.contiguous(memory_format=memory)
        self.evaluation = self.evaluation.contiguous(memory_format=memory)

    def step(self):
        F = self.torch.nn.functional
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(self.network(self.images), self.labels).backward()
        self.torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()

    def evaluate(self):
        self.network.eval()
        with self.torch.no_grad():
            self.network(self.evaluation)

    def rate(self, what, images, seconds):
        """Images a second, over at least so many seconds."""
        start, done = time.perf_counter(), 0
        while done == 0 or time.perf_counter() - start < seconds:
            what()
            done += images
        return done / (time.perf_counter() - start)

    def rates(self, seconds):
        return (self.rate(self.step, len(self.images), seconds),
                self.rate(self.evaluate, len(self.evaluation), seconds))


def serve(pipe, arguments):
    """A process of PyTorch: does what the pipe says and answers with rates."""
    runner = Runner(*arguments)
    while True:
        order = pipe.recv()
        if order is None:
            return
        kind, value = order
        if kind == "use":
            runner.use(value)
            runner.step()
            runner.evaluate()
            pipe.send(None)
        else:
            pipe.send(runner.rates(value))


class Peers:
    """PyTorch in `members` processes that work at the same time."""

    def __init__(self, members, arguments):
        context = multiprocessing.get_context("spawn")
        self.pipes, self.processes = [], []
        for _ in range(members):
            here, there = context.Pipe()
            process = context.Process(target=serve, args=(there, arguments), daemon=True)
            process.start()
            self.pipes.append(here)
            self.processes.append(process)

    def ask(self, *order):
        for pipe in self.pipes:
            pipe.send(order)
        return [pipe.recv() for pipe in self.pipes]

    def rates(self, seconds):
        answers = self.ask("rates", seconds)
        return [sum(each[k] for each in answers) for k in (0, 1)]

    def choose_format(self):
        """The faster of the two for training, and for evaluation."""
        found = []
        for number in (0, 1):
            self.ask("use", number)
            found.append(self.rates(0))
        best = 0 if found[0][0] >= found[1][0] else 1
        self.ask("use", best)
        return ("contiguous", "channels last")[best]

    def end(self):
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join()


def run_pba(options, members, threads):
    command = [options.pba, "bench", "train", "demo", "--model", options.model, "--batch",
               str(options.batch), "--members", str(members), "--threads", str(threads), "--repeat",
               "1", "--seconds", str(options.seconds), "--json"]
    if options.precision != "f32":
        command += ["--precision", options.precision]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def spread(values):
    return "%.1f (%.1f to %.1f)" % (statistics.median(values), min(values), max(values))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("pba")
    parser.add_argument("--model", default="wrn-16-1")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--evaluation-batch", type=int, default=250, help="of PyTorch")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--way", default="two", choices=sorted(WAYS))
    parser.add_argument("--precision", default="f32", help="of pba; PyTorch's is float32")
    options = parser.parse_args()
    members, threads = WAYS[options.way]
    peers = Peers(members, (options.model, options.batch, options.evaluation_batch, threads))
    layout = peers.choose_format()
    ours, theirs = [], []
    for _ in range(options.pairs):
        result = run_pba(options, members, threads)
        ours.append([result[what]["images_per_second"]["median"]
                     for what in ("training", "evaluation")])
        theirs.append(peers.rates(options.seconds))
    peers.end()
    print("%s, batch %d (evaluation %d, PyTorch %d), %s: %d network%s at once, %d thread%s each; PyTorch %s" % (
        options.model, options.batch, result["evaluation_batch"], options.evaluation_batch,
        options.way, members,
        "s" if members > 1 else "", threads, "s" if threads > 1 else "", layout))
    for k, what in enumerate(("training", "evaluation")):
        left, right = [pair[k] for pair in ours], [pair[k] for pair in theirs]
        ratios = [a / b for a, b in zip(left, right)]
        print("%-11s pba %s img/s, PyTorch %s img/s, ratio %.2f (%.2f to %.2f)" % (
            what, spread(left), spread(right), statistics.median(ratios), min(ratios),
            max(ratios)), flush=True)


if __name__ == "__main__":
    main()
