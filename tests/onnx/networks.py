"""Networks in ONNX as Python's onnx and numpy see them, and networks made in Python as lodestep imports them."""
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

peer, lodestep = sys.argv[1:]


def evaluate(model, x):
    """The graph by numpy, node by node."""
    graph = model.graph
    known = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    known[graph.input[0].name] = x
    for node in graph.node:
        v = [known[name] for name in node.input]
        number = {a.name: a.i for a in node.attribute}
        operation = {
            "Sub": lambda: v[0] - v[1],
            "Div": lambda: v[0] / v[1],
            "Mul": lambda: v[0] * v[1],
            "Add": lambda: v[0] + v[1],
            "Gemm": lambda: v[0] @ (v[1].T if number.get("transB") else v[1]) + v[2],
            "Tanh": lambda: np.tanh(v[0]),
            "Relu": lambda: np.maximum(v[0], 0),
            "Sigmoid": lambda: 1 / (1 + np.exp(-v[0])),
            "Gather": lambda: np.take(v[0], v[1], axis=number["axis"]),
            "Concat": lambda: np.concatenate(v, axis=number["axis"]),
            "Cast": lambda: v[0].astype(np.float32 if number["to"] == TensorProto.FLOAT else np.float64),
        }[node.op_type]
        known[node.output[0]] = operation()
    return known[graph.output[0].name]


def python_agrees_with_what_lodestep_writes(folder):
    subprocess.run([peer, folder], check=True)
    files = sorted(glob.glob(os.path.join(folder, "*.onnx")))
    assert len(files) >= 36, files
    worst = {"f64": 0.0, "f32": 0.0}
    for path in files:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        stem = path[: -len(".onnx")]
        precision = "f64" if os.path.exists(stem + ".f64") else "f32"
        inputs = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
        x = np.fromfile(stem + ".x").reshape(-1, inputs)
        y = np.fromfile(stem + ".y").reshape(len(x), -1)
        difference = np.abs(evaluate(model, x) - y).max() / np.abs(y).max()
        worst[precision] = max(worst[precision], difference)
    print("largest differences:", worst)
    assert worst["f64"] <= 1e-14 and worst["f32"] <= 1e-5, worst


def run(folder, *arguments):
    done = subprocess.run([lodestep, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    return done.returncode, done.stdout, done.stderr


def chain(d):
    """du/dt of the spring-mass chain with k = 2, m = 0.5."""
    tridiagonal = np.diag(np.full(d, -2.0)) + np.diag(np.ones(d - 1), 1) + np.diag(np.ones(d - 1), -1)
    return np.block([[np.zeros((d, d)), np.eye(d) / 0.5], [2.0 * tridiagonal, np.zeros((d, d))]])


def trained(d, dt):
    """A tanh network for the correction of Euler's step as a function of the state: random features, least squares."""
    a = chain(d)
    values, vectors = np.linalg.eig(a)
    flow = ((vectors * np.exp(values * dt)) @ np.linalg.inv(vectors)).real
    random = np.random.default_rng(1)
    u = random.uniform(-6, 6, (4000, 2 * d))
    target = u @ (flow - np.eye(2 * d) - dt * a).T
    hidden_weight, hidden_bias = random.normal(0, 0.02, (40, 2 * d)), random.normal(0, 0.3, 40)
    basis = np.hstack([np.tanh(u @ hidden_weight.T + hidden_bias), np.ones((len(u), 1))])
    solution = np.linalg.lstsq(basis, target, rcond=1e-13)[0]
    return [(hidden_weight, hidden_bias), (solution[:-1].T, solution[-1])]


def onnx_mlp(path, layers, activation="Tanh", dtype=np.float64, change=None, **make):
    """As frameworks write it: MatMul and Add, no names."""
    kind = TensorProto.DOUBLE if dtype == np.float64 else TensorProto.FLOAT
    nodes, constants, x = [], [], "x"
    for i, (weight, bias) in enumerate(layers):
        constants += [numpy_helper.from_array(weight.T.astype(dtype), "w%d" % i),
                      numpy_helper.from_array(bias.astype(dtype), "b%d" % i)]
        nodes += [helper.make_node("MatMul", [x, "w%d" % i], ["p%d" % i]),
                  helper.make_node("Add", ["p%d" % i, "b%d" % i], ["s%d" % i])]
        x = "s%d" % i
        if i + 1 < len(layers):
            nodes.append(helper.make_node(activation, [x], ["h%d" % i]))
            x = "h%d" % i
    graph = helper.make_graph(
        nodes, "mlp",
        [helper.make_tensor_value_info("x", kind, ["n", make.get("inputs", layers[0][0].shape[1])])],
        [helper.make_tensor_value_info(x, kind, ["n", layers[-1][0].shape[0]])], constants)
    if change:
        change(graph)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", make.get("opset", 13))])
    with open(path, "wb") as file:
        file.write(model.SerializeToString())


def safetensors(path, tensors):
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": "F64" if array.dtype == np.float64 else "F32", "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def lodestep_imports_what_python_trained(folder):
    d, dt = 2, 0.1
    layers = trained(d, dt)
    problem = ["spring_mass:d=%d,k=2,m=0.5" % d, "--base", "euler", "--dt", str(dt), "--input", "state", "--trajectories", "20",
               "--horizon", "20", "--json"]
    onnx_mlp(os.path.join(folder, "mlp.onnx"), layers)
    pairs = {}
    for i, (weight, bias) in enumerate(layers):
        pairs["net.%d.weight" % (2 * i)], pairs["net.%d.bias" % (2 * i)] = weight, bias
    safetensors(os.path.join(folder, "mlp.safetensors"), pairs)
    onnx_mlp(os.path.join(folder, "single.onnx"), layers, dtype=np.float32)
    results = {}
    for name, extra in (("mlp.onnx", []), ("mlp.safetensors", ["--activation", "tanh"]), ("single.onnx", [])):
        code, out, error = run(folder, "import", name, *problem, *extra, "-o", name + ".model")
        assert code == 0, error
        results[name] = json.loads(out)
        assert results[name]["approximator"] == "tanh MLP 4-40-4", out
        assert results[name]["step_rms"] < 1e-3 * results[name]["base_step_rms"], out
        code, out, error = run(folder, "evaluate", name + ".model", "--json", "--trajectories", "20", "--horizon", "20")
        assert code == 0, error
        evaluation = json.loads(out)
        assert evaluation["mse_mean"] < 1e-3 * evaluation["base_mse_mean"], out
        assert evaluation["fallback_fraction"] < 0.02, out
    rms = [results[name]["horizon_rms"] for name in ("mlp.onnx", "mlp.safetensors")]
    assert abs(rms[0] - rms[1]) <= 1e-6 * rms[0], rms  # biases are summed in another order
    code, out, error = run(folder, "export", "mlp.onnx.model", "--onnx", "again.onnx")
    assert code == 0, error
    onnx.checker.check_model(onnx.load(os.path.join(folder, "again.onnx")), full_check=True)
    x = np.random.default_rng(2).uniform(-3, 3, (20, 2 * d))
    expected = np.tanh(x @ layers[0][0].T + layers[0][1]) @ layers[1][0].T + layers[1][1]
    again = evaluate(onnx.load(os.path.join(folder, "again.onnx")), x)
    scale = np.abs(layers[1][0]).sum(axis=1).max()
    assert np.abs(again - expected).max() <= 1e-14 * scale, np.abs(again - expected).max()


def bad_networks_are_located(folder):
    layers = trained(2, 0.1)

    def refused(name, words, *extra):
        code, out, error = run(folder, "import", name, "spring_mass:d=2", "--base", "euler", "--input", "state",
                               "--trajectories", "5", "--horizon", "4", "-o", "never.model", *extra)
        assert code in (1, 2) and words in error, (name, code, error)
        assert not os.path.exists(os.path.join(folder, "never.model")), name

    def bad(words, **make):
        onnx_mlp(os.path.join(folder, "bad.onnx"), make.pop("layers", layers), **make)
        refused("bad.onnx", words)

    bad("Softplus", activation="Softplus")
    bad("operator set 7", opset=6)
    bad("takes 4 numbers, the layer before gives 5", inputs=5)
    bad("has 4 numbers, it gives 2", layers=[(np.ones((8, 4)), np.ones(8)), (np.ones((2, 8)), np.ones(2))])
    bad("feeds it 4 numbers", layers=[(np.ones((8, 3)), np.ones(8)), (np.ones((4, 8)), np.ones(4))])
    bad("does not fit 40 elements", layers=[(layers[0][0], np.ones(39)), layers[1]])
    bad("not a finite number", layers=[(layers[0][0] * np.nan, layers[0][1]), layers[1]])

    def missing(graph):
        del graph.initializer[0]
    bad('"w0" is no constant', change=missing)

    def cut(graph):
        graph.initializer[0].raw_data = graph.initializer[0].raw_data[:-8]
    bad("w0", change=cut)

    def huge(graph):
        graph.initializer[0].dims[0] = 2**40
    bad("w0", change=huge)

    def external(graph):
        graph.initializer[1].data_location = TensorProto.EXTERNAL
    bad("in another file", change=external)

    def skip(graph):
        graph.node[-2].input[0] = "x"
    bad("w1", change=skip)

    def no_output(graph):
        graph.output[0].name = "elsewhere"
    bad("elsewhere", change=no_output)

    def two_inputs(graph):
        graph.input.append(helper.make_tensor_value_info("t", TensorProto.DOUBLE, [1]))
    bad("expected one input", change=two_inputs)

    wrong = [layers[0], (layers[1][0] * -1.0, layers[1][1])]
    bad("does not correct", layers=wrong)

    with open(os.path.join(folder, "bad.onnx"), "wb") as file:
        file.write(b"\x08\x07garbage")
    refused("bad.onnx", "not an ONNX model")
    with open(os.path.join(folder, "mlp.txt"), "wb") as file:
        file.write(b"")
    refused("mlp.txt", "*.onnx")

    weight, bias = layers[0]

    def bad_tensors(words, tensors, *extra):
        safetensors(os.path.join(folder, "bad.safetensors"), tensors)
        refused("bad.safetensors", words, *(extra or ("--activation", "tanh")))

    good = {"0.weight": weight, "0.bias": bias, "2.weight": layers[1][0], "2.bias": layers[1][1]}
    bad_tensors("--activation", good, "--quiet")
    bad_tensors("'softplus'", good, "--activation", "softplus")
    bad_tensors("2.weight", {**good, "2.weight": layers[1][0][:, :-1].copy()})
    bad_tensors("0.bias", {**good, "0.bias": bias[:-1].copy()})
    bad_tensors("running_mean", {**good, "1.running_mean": bias})
    bad_tensors("one network", {**good, "other.0.weight": weight})
    bad_tensors("2.weight: missing", {k: v for k, v in good.items() if k != "2.weight"})
    bad_tensors("input_mean", {**good, "input_mean": np.zeros(3)})
    bad_tensors("there is no layer", {})


with tempfile.TemporaryDirectory() as folder:
    python_agrees_with_what_lodestep_writes(folder)
    lodestep_imports_what_python_trained(folder)
    bad_networks_are_located(folder)
