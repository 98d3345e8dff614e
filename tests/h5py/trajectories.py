"""Trajectory files as Python's h5py sees them, and files of h5py as lodestep sees them."""
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

peer = sys.argv[1]


def run(verb, path):
    done = subprocess.run([peer, verb, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return done.returncode, done.stdout


def exact_spring_mass(u0, t, d, k, m):
    """u(t) by the eigenvectors of the system's matrix: nothing in common with the library's normal modes."""
    tridiagonal = np.diag(np.full(d, -2.0)) + np.diag(np.ones(d - 1), 1) + np.diag(np.ones(d - 1), -1)
    matrix = np.block([[np.zeros((d, d)), np.eye(d) / m], [k * tridiagonal, np.zeros((d, d))]])
    values, vectors = np.linalg.eig(matrix)
    weights = np.linalg.solve(vectors, u0.astype(complex))
    return ((vectors * weights) @ np.exp(np.outer(values, t))).real.T


def reads_what_lodestep_writes(path):
    assert run("write", path) == (0, ""), run("read", path)
    with h5py.File(path, "r") as file:
        t, states = file["t"][:], file["states"][:]
        about = dict(file.attrs)
    assert t.shape == (101,) and states.shape == (3, 101, 12), (t.shape, states.shape)
    assert t.dtype == np.float64 and states.dtype == np.float64
    assert np.allclose(t, 0.2 * np.arange(101), rtol=1e-15, atol=0)
    for trajectory in states:
        assert np.all(np.abs(trajectory[0]) <= 2.5)
        error = np.abs(trajectory - exact_spring_mass(trajectory[0], t, 6, 2.0, 0.5)).max()
        assert error < 1e-12, error
    assert about["problem"] == "spring_mass"
    assert list(about["parameter_names"]) == ["d", "k", "m"]
    assert list(about["parameter_values"]) == [6.0, 2.0, 0.5]
    assert list(about["variable_names"]) == ["q_%d" % i for i in range(1, 7)] + ["p_%d" % i for i in range(1, 7)]
    assert list(about["variable_units"]) == ["m"] * 6 + ["kg m/s"] * 6
    assert about["dt"] == 0.2
    assert int(about["seed"]) == 9007199254740993
    assert about["split"] == "test"
    assert int(about["format_version"]) == 1
    assert 0 < about["reference_error_estimate"] < 1e-12
    assert about["library_version"]


def is_read_by_lodestep(path):
    def check(expected, code=0, **changes):
        content = {"t": 0.5 + 0.25 * np.arange(4), "states": np.arange(24.0).reshape(2, 4, 3)}
        attributes = {}
        for name, value in changes.items():
            (content if name in content else attributes)[name] = value
        with h5py.File(path, "w") as file:
            for name, value in content.items():
                if value is not None:
                    file.create_dataset(name, data=value)
            for name, value in attributes.items():
                file.attrs[name] = value
        found = run("read", path)
        assert found[0] == code and expected in found[1], (expected, found)

    states = np.arange(24.0).reshape(2, 4, 3)
    # The two datasets are enough, whatever numbers they are stored as.
    check("2 4 3 0.5 0.25 23 u_3\n")
    check("2 4 3 0.5 0.25 23 u_3\n", states=states.astype(np.float32))
    check("2 4 3 0.5 0.25 23 u_3\n", states=states.astype(">i4"))
    check("2 4 3 0.5 0.25 23 z\n", variable_names=["x", "y", "z"])
    check("2 4 3 0.5 0.25 23 zz\n", variable_names=np.array([b"x", b"y", b"zz"]))  # fixed-length strings
    # What is wrong is named.
    check("dataset 'states' is missing", 1, states=None)
    check("dataset 't' is missing", 1, t=None)
    check("dataset 'states' has shape [24], expected [trajectory, time, variable]", 1, states=states.ravel())
    check("dataset 'states' of shape [0, 4, 3] is empty", 1, states=np.zeros((0, 4, 3)))
    check("dataset 'states' must hold numbers", 1, states=np.full((2, 4, 3), b"x"))
    check("dataset 't' has 3 times", 1, t=np.arange(3.0))
    check("dataset 't' is not uniform: index 2 has 2.5, expected 2", 1, t=np.array([0.0, 1.0, 2.5, 3.0]))
    check("dt = -1 must be positive", 1, t=-np.arange(4.0))
    check("dataset 't' is not uniform", 1, dt=0.3)
    broken = states.copy()
    broken[1, 2, 0] = np.nan
    check("not finite at trajectory 1, time 2 (t = 1), variable 0 (u_1)", 1, states=broken)
    check("attribute 'variable_names' has 2 entries, expected 3", 1, variable_names=["x", "y"])
    check("attribute 'variable_names' must be a string", 1, variable_names=[1.0, 2.0, 3.0])
    check("attribute 'seed' must be a number", 1, seed="seven")
    check("'format_version' is 2, this library reads up to 1", 1, format_version=2)
    check("cannot read attribute 'parameter_values'", 1, parameter_names=["g"])


with tempfile.TemporaryDirectory() as folder:
    reads_what_lodestep_writes(os.path.join(folder, "written.h5"))
    is_read_by_lodestep(os.path.join(folder, "read.h5"))
print("ok")
