"""MATLAB files, written here and by SciPy where it is installed, and refusals."""

import struct

import numpy as np
import pytest

from tests.helpers.matlab import write_mat
from train.sets.matfile import read_mat

VALUES = {
    "data": np.arange(6.0).reshape(2, 3) / 4,
    "ra": np.array([[3, 1, 2]], np.uint16),
    "mask": np.array([[0, 255]], np.uint8),
    "names": ["0/a.jpg", "3/häß.jpg"],
    "text": "face",
    "empty": np.zeros((0, 3)),
}


@pytest.mark.parametrize("packed", [True, False])
def test_arrays_texts_and_cells(tmp_path, packed):
    write_mat(tmp_path / "a.mat", VALUES, packed)
    found = read_mat(tmp_path / "a.mat", tuple(VALUES))
    for name in ("data", "ra", "mask", "empty"):
        assert found[name].dtype == np.float64 and found[name].shape == VALUES[name].shape
        assert (found[name] == VALUES[name]).all()
    assert found["names"].shape == (2, 1) and found["names"][:, 0].tolist() == VALUES["names"]
    assert found["text"] == "face"


def test_agrees_with_scipy(tmp_path):
    io = pytest.importorskip("scipy.io")
    names = np.array([[np.str_("a")], [np.str_("long/name.jpg")]], object)
    big = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    for packed in (True, False):
        io.savemat(tmp_path / "s.mat", {"names": names, "big": big}, do_compression=packed)
        found = read_mat(tmp_path / "s.mat", ("names", "big"))
        assert (found["big"] == big).all() and found["names"].tolist() == names.tolist()
        write_mat(tmp_path / "t.mat", VALUES, packed)
        assert (io.loadmat(tmp_path / "t.mat")["data"] == VALUES["data"]).all()


def test_refusals(tmp_path):
    path = tmp_path / "a.mat"
    with pytest.raises(ValueError, match="does not exist"):
        read_mat(path, ("data",))
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")
    with pytest.raises(ValueError, match="no MATLAB file of version 5; save it again with -v7"):
        read_mat(path, ("data",))
    write_mat(path, VALUES, False)
    with pytest.raises(ValueError, match="does not hold bbox, ra2; is it the right file"):
        read_mat(path, ("data", "bbox", "ra2"))
    whole = path.read_bytes()
    path.write_bytes(whole[:190])
    with pytest.raises(ValueError, match="cannot be read as a MATLAB file: the file ends early"):
        read_mat(path, ("data",))
    two_rows = whole.replace(struct.pack("<2i", 1, 4), struct.pack("<2i", 2, 2))
    path.write_bytes(two_rows)
    with pytest.raises(ValueError, match=r"'text' is a matrix of a kind that is not read \(4\)"):
        read_mat(path, ("text",))
    write_mat(path, VALUES)
    path.write_bytes(path.read_bytes()[:-9] + b"123456789")
    with pytest.raises(ValueError, match="cannot be read as a MATLAB file"):
        read_mat(path, ("data", "empty"))
