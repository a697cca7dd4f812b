# SPDX-License-Identifier: Apache-2.0
"""Compares every architecture with a definition of its own in PyTorch.

    oracle_torch.py TOOL           small networks, in seconds (TOOL: the built network_tool)
    oracle_torch.py TOOL --full [MODEL...]    the networks of the paper, or some of them, on images of
                                   32 x 32: a quarter of an hour

The definitions below are written from the papers and from what is known of the reference
implementation of PBA, in double precision; from the library come weights, images and random draws.
Compared are logits in evaluation and in training, gradients of the mean cross-entropy of the batch,
and running statistics. The relative difference is max|a - b| / max|b|; of gradients the worst of
all tensors. The backend in double must agree to 1e-5 (files hold single precision), oneDNN to 1e-4
in logits and 1e-3 in gradients on one of a few batches: of a network's many ReLUs one may open on
one side alone, where its input is within rounding of 0, and all gradients before it then differ by
its share. The last column says what single precision costs PyTorch itself: its gradients in float32
against its own in float64. Where that alone is over 1e-3, oneDNN may be as far off and half again.
Exit 77 (skipped) without PyTorch.
"""
import copy
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as error:
    print("PyTorch is needed:", error)
    sys.exit(77)

# ------------------------------------------------------------------------ parts


class SameConv(nn.Conv2d):
    """TensorFlow's SAME: of an odd number of zeros the greater half is below and to the right."""

    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(inputs, outputs, kernel, stride, bias=False)

    def forward(self, x):
        pads = []
        for size in (x.shape[3], x.shape[2]):
            out = -(-size // self.stride[0])
            total = max(0, (out - 1) * self.stride[0] + self.kernel_size[0] - size)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1)


class Draws:
    """What the library drew: per random node, in order, per image 2 forward and 2 backward."""

    def __init__(self, values, batch):
        self.nodes = values.reshape(-1, batch, 4)
        self.used = 0

    def next(self):
        self.used += 1
        return torch.from_numpy(self.nodes[self.used - 1]).reshape(-1, 4, 1, 1, 1).unbind(1)


def apart(x, forward, backward):
    """x times one factor, its gradient times another."""
    return (forward * x - backward * x).detach() + backward * x


class Network(nn.Module):
    """`draws` is set before a training pass."""
    draws = None

    def add_blocks(self, stage, blocks):
        group = nn.Module()
        for i, block in enumerate(blocks):
            block.network = (self,)  # in a tuple, so that it is no submodule
            group.add_module("block%d" % i, block)
        self.add_module("stage%d" % stage, group)

    def stages(self):
        return [list(self.get_submodule("stage%d" % s).children()) for s in (1, 2, 3)]


# ------------------------------------------------------------------------ Wide-ResNet


def pooled_padded(x, channels, stride):
    """The reference's shortcut: average-pooled, half of the new channels on each side."""
    if x.shape[1] == channels:
        return x
    if stride > 1:
        x = F.avg_pool2d(x, stride, stride)
    more = channels - x.shape[1]
    return F.pad(x, [0, 0, 0, 0, more // 2, more - more // 2])


class WideBlock(nn.Module):
    def __init__(self, inputs, width, stride, standard, first):
        super().__init__()
        self.bn1, self.conv1 = norm(inputs), SameConv(inputs, width, 3, stride)
        self.bn2, self.conv2 = norm(width), SameConv(width, width, 3)
        self.width, self.stride, self.standard, self.first = width, stride, standard, first
        if standard and (inputs != width or stride != 1):
            self.shortcut = SameConv(inputs, width, 1, stride)

    def forward(self, x):
        a = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(a))))
        if hasattr(self, "shortcut"):
            return y + self.shortcut(a)
        if self.standard:
            return y + x
        return y + pooled_padded(a if self.first else x, self.width, self.stride)


class WideResNet(Network):
    def __init__(self, depth, factor, standard, channels, classes):
        super().__init__()
        self.standard, self.factor = standard, factor
        self.stem = SameConv(channels, 16, 3)
        before = 16
        for stage in range(3):
            width = 16 * factor << stage
            self.add_blocks(stage + 1, [
                WideBlock(before if i == 0 else width, width, 2 if stage and not i else 1, standard,
                          stage == i == 0) for i in range((depth - 4) // 6)])
            before = width
        self.bn, self.fc = norm(before), nn.Linear(before, classes)

    def forward(self, x):
        x = stem = self.stem(x)
        for stage, blocks in enumerate(self.stages()):
            start = x
            for block in blocks:
                x = block(x)
            if not self.standard:
                x = x + pooled_padded(start, x.shape[1], 2 if stage else 1)
        if not self.standard:
            x = x + pooled_padded(stem, x.shape[1], 4)
        return self.fc(F.relu(self.bn(x)).mean((2, 3)))


# ------------------------------------------------------------------------ Shake-Shake


class Branch(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = SameConv(inputs, width, 3, stride), norm(width)
        self.conv2, self.bn2 = SameConv(width, width, 3), norm(width)

    def forward(self, x):
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(F.relu(x))))))


class TwoPaths(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.stride = stride
        self.conv1 = SameConv(inputs, width // 2, 1)
        self.conv2 = SameConv(inputs, width // 2, 1)
        self.bn = norm(width)

    def forward(self, x):
        shifted = F.pad(x, [0, 1, 0, 1])[:, :, 1:, 1:]
        s = self.stride
        return self.bn(torch.cat([self.conv1(x[:, :, ::s, ::s]),
                                  self.conv2(shifted[:, :, ::s, ::s])], 1))


class ShakeBlock(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.branch1, self.branch2 = Branch(inputs, width, stride), Branch(inputs, width, stride)
        self.shortcut = TwoPaths(inputs, width, stride) if inputs != width else nn.Identity()

    def forward(self, x):
        a, b = self.branch1(x), self.branch2(x)
        if self.training:
            fa, fb, ba, bb = self.network[0].draws.next()
            mixed = apart(a, fa, ba) + apart(b, fb, bb)
        else:
            mixed = 0.5 * a + 0.5 * b
        return self.shortcut(x) + mixed


class ShakeShake(Network):
    def __init__(self, depth, width, channels, classes):
        super().__init__()
        self.stem = nn.Module()
        self.stem.conv, self.stem.bn = SameConv(channels, 16, 3), norm(16)
        before = 16
        for stage in range(3):
            self.add_blocks(stage + 1, [
                ShakeBlock(before if i == 0 else width << stage, width << stage,
                           2 if stage and not i else 1) for i in range((depth - 2) // 6)])
            before = width << stage
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = self.stem.bn(self.stem.conv(x))
        for blocks in self.stages():
            for block in blocks:
                x = block(x)
        return self.fc(F.relu(x).mean((2, 3)))


# ------------------------------------------------------------------------ PyramidNet


class PyramidBlock(nn.Module):
    def __init__(self, inputs, width, stride, keep):
        super().__init__()
        self.bn1, self.conv1 = norm(inputs), SameConv(inputs, width, 1)
        self.bn2, self.conv2 = norm(width), SameConv(width, width, 3, stride)
        self.bn3, self.conv3 = norm(width), SameConv(width, 4 * width, 1)
        self.bn4 = norm(4 * width)
        self.stride, self.keep = stride, keep

    def forward(self, x):
        y = self.conv1(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(y)))
        y = self.bn4(self.conv3(F.relu(self.bn3(y))))
        if self.training:
            forward, _, backward, _ = self.network[0].draws.next()
            y = apart(y, forward, backward)
        else:
            y = self.keep * y
        if self.stride == 2:
            x = F.avg_pool2d(x, 2, 2)
        return y + F.pad(x, [0, 0, 0, 0, 0, y.shape[1] - x.shape[1]])


class PyramidNet(Network):
    def __init__(self, depth, alpha, channels, classes):
        super().__init__()
        self.stem = nn.Module()
        self.stem.conv, self.stem.bn = SameConv(channels, 16, 3), norm(16)
        count = (depth - 2) // 9
        before, number = 16, 0
        for stage in range(3):
            blocks = []
            for i in range(count):
                number += 1
                width = int(numpy.floor(16 + alpha * number / (3 * count) + 0.5))
                blocks.append(PyramidBlock(before, width, 2 if stage and not i else 1,
                                           1 - 0.5 * number / (3 * count)))
                before = 4 * width
            self.add_blocks(stage + 1, blocks)
        self.bn, self.fc = norm(before), nn.Linear(before, classes)

    def forward(self, x):
        x = self.stem.bn(self.stem.conv(x))
        for blocks in self.stages():
            for block in blocks:
                x = block(x)
        return self.fc(F.relu(self.bn(x)).mean((2, 3)))


# ------------------------------------------------------------------------ ResNet-v2


class PreactivationBlock(nn.Module):
    def __init__(self, inputs, width, stride, first):
        super().__init__()
        self.bn1 = norm(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn2 = norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        if first:
            self.shortcut = nn.Conv2d(inputs, width, 1, stride, bias=False)

    def forward(self, x):
        a = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(a))))
        return y + (self.shortcut(a) if hasattr(self, "shortcut") else x)


class ResNet(Network):
    def __init__(self, depth, channels, classes):
        super().__init__()
        self.stem = nn.Conv2d(channels, 32, 3, padding=1, bias=False)
        before = 32
        for stage in range(3):
            self.add_blocks(stage + 1, [
                PreactivationBlock(before if i == 0 else 32 << stage, 32 << stage,
                                   2 if stage and not i else 1, i == 0)
                for i in range((depth - 2) // 6)])
            before = 32 << stage
        self.bn, self.fc = norm(before), nn.Linear(before, classes)

    def forward(self, x):
        x = self.stem(x)
        for blocks in self.stages():
            for block in blocks:
                x = block(x)
        return self.fc(F.relu(self.bn(x)).mean((2, 3)))


def build(name, channels, classes):
    parts = name.split(":")[0].split("-")
    if parts[0] == "wrn":
        return WideResNet(int(parts[1]), int(parts[2]), ":" in name, channels, classes)
    if parts[0] == "shake":
        return ShakeShake(int(parts[2]), int(parts[3][2:-1]), channels, classes)
    if parts[0] == "pyramid":
        return PyramidNet(int(parts[1]), int(parts[2]), channels, classes)
    return ResNet(int(parts[2]), channels, classes)


# ------------------------------------------------------------------------ comparison


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = numpy.frombuffer(data[begin:end], "<f4").astype(numpy.float64)
            tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
    return tensors


def difference(found, right):
    return float((found - right).abs().max() / right.abs().max())


def compare_gradients(found, network):
    """The worst tensor. The shift of a norm whose output other norms take in alone has no gradient:
    what rounding leaves of it is compared with the largest gradient of all."""
    gradients = {name: each.grad for name, each in network.named_parameters()}
    largest = max(float(each.abs().max()) for each in gradients.values())
    worst = 0
    for name, right in gradients.items():
        if float(right.abs().max()) < 1e-5 * largest:
            worst = max(worst, float((found[name] - right).abs().max()) / largest)
        else:
            worst = max(worst, difference(found[name], right))
    return worst


def run_pass(network, draws, images, labels, type):
    """Logits of a training pass in float64 or float32; the gradients stay in the network."""
    network.to(type).train()
    network.zero_grad()
    network.draws = Draws(draws.astype(str(type).rpartition(".")[2]), len(images))
    logits = network(images.to(type))
    F.cross_entropy(logits, labels).backward()
    if network.draws.used != len(network.draws.nodes):
        raise SystemExit("%s: %d random nodes here, %d in the library" % (
            type, network.draws.used, len(network.draws.nodes)))
    return logits.detach()


def compare(tool, backend, case, seed):
    """Relative differences: evaluation, training, statistics, gradients; and of the gradients in
    PyTorch's own float32."""
    name, width, height, channels, classes, batch = case
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([tool, backend, name] + [str(each) for each in case[1:]] +
                       [str(seed), folder], check=True)
        read = lambda file: numpy.fromfile(os.path.join(folder, file))
        weights = read_safetensors(os.path.join(folder, "weights.safetensors"))
        after = read_safetensors(os.path.join(folder, "gradient.safetensors"))
        network = build(name, channels, classes).double()
        counters = {key: value for key, value in network.state_dict().items()
                    if key.endswith("num_batches_tracked")}
        network.load_state_dict({**weights, **counters}, strict=True)
        images = torch.from_numpy(read("images").reshape(batch, channels, height, width))
        labels = torch.from_numpy(read("labels")).long()
        evaluation = torch.from_numpy(read("evaluation").reshape(batch, classes))
        training = torch.from_numpy(read("training").reshape(batch, classes))
        draws = read("draws")
    with torch.no_grad():
        results = [difference(evaluation, network.eval()(images))]
    single = copy.deepcopy(network)
    results.append(difference(training, run_pass(network, draws, images, labels, torch.float64)))
    results.append(max([difference(after[key], value) for key, value in network.named_buffers()
                        if not key.endswith("num_batches_tracked")]))
    results.append(compare_gradients(after, network))
    run_pass(single, draws, images, labels, torch.float32)
    return results + [compare_gradients({name: each.grad.double()
                                         for name, each in single.named_parameters()}, network)]


SMALL = [
    ("wrn-16-1", 16, 16, 3, 10, 8), ("wrn-10-2", 12, 8, 1, 4, 6),
    ("wrn-16-1:standard", 16, 16, 3, 10, 8), ("wrn-10-2:standard", 11, 14, 3, 7, 6),
    ("shake-shake-8-2x32d", 16, 16, 3, 10, 8), ("shake-shake-14-2x16d", 9, 12, 1, 3, 6),
    ("pyramid-29-24", 16, 16, 3, 10, 8), ("pyramid-11-40", 8, 12, 1, 5, 6),
    ("resnet-v2-14", 12, 12, 3, 10, 6), ("resnet-v2-8", 9, 7, 1, 3, 8),
]
FULL = [(name, 32, 32, 3, 10, 2) for name in (
    "wrn-40-2", "wrn-40-2:standard", "wrn-28-10", "wrn-28-10:standard", "shake-shake-26-2x32d",
    "shake-shake-26-2x96d", "shake-shake-26-2x112d", "pyramid-272-200", "resnet-v2-20")]
LIMITS = {"reference-double": (1e-5, 1e-5, 1e-5, 1e-5), "onednn": (1e-4, 1e-4, 1e-4, 1e-3)}


def within(results, limits):
    return all(found <= limit for found, limit in zip(results, limits))


def check(tool, backend, case):
    """Prints the first batch that is within the limits; else, of those where PyTorch's float32 is
    not either, the nearest. Returns whether there is one."""
    limits, best = LIMITS[backend], None
    for seed in range(1, 5):
        results = compare(tool, backend, case, seed)
        if best is None or results[3] < best[0][3]:
            best = results, seed
        if within(results, limits) or backend != "onednn":
            best = results, seed
            break
    results, seed = best
    excuse = backend == "onednn" and results[4] > limits[3]
    good = within(results, limits[:3] + (1.5 * results[4],) if excuse else limits)
    print("%-22s %-17s %9.1e  %9.1e  %9.1e  %9.1e   %d   %9.1e%s" % (
        (case[0], backend) + tuple(results[:4]) + (seed, results[4], "" if good else "  TOO FAR")),
        flush=True)
    return good


def main():
    tool, full, names = sys.argv[1], "--full" in sys.argv[2:], sys.argv[3:]
    torch.set_num_threads(1)
    print("PyTorch %s, relative differences" % torch.__version__)
    print("%-22s %-17s %9s  %9s  %9s  %9s   batch  PyTorch's float32" % (
        "model", "backend", "evaluation", "training", "statistics", "gradients"))
    good = True
    for case in [each for each in (FULL if full else SMALL) if not names or each[0] in names]:
        for backend in LIMITS:
            good &= check(tool, backend, case)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
