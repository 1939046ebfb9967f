"""Power by wavelength: noise has 1, a wave has it all at its own, and blur takes the fine part."""

from dataclasses import replace

import cv2
import numpy as np

from docs.studies import fine_detail
from docs.studies.fine_detail import WAVELENGTHS, main, power, powers, waves
from tests.train.sets.test_mtfl import write_official
from train.reproduce.specs import STILL, mtfl_spec, row_of, shapes_spec
from train.sets.shapes import shapes


def test_noise_has_power_1_at_each_wavelength():
    rng = np.random.default_rng(0)
    mean = np.mean([power(rng.normal(50, 7, (48, 48))) for _ in range(300)], 0)
    assert np.abs(mean - 1).max() < 0.1


def test_a_wave_has_its_power_at_its_own_wavelength():
    wave = np.cos(2 * np.pi * np.arange(48) / 8)
    found = power(np.broadcast_to(wave, (48, 48)))
    at = WAVELENGTHS.index(8.0)
    assert found[at] > 10 and np.delete(found, at).max() < 0.01 * found[at]


def test_blur_leaves_of_the_power_the_square_of_what_it_leaves_of_the_wave():
    """A Gaussian of 1 px leaves exp(-w^2) of the power at w radians a pixel."""
    rng, sharp, soft = np.random.default_rng(1), 0.0, 0.0
    for _ in range(200):
        noise = rng.normal(0, 1, (96, 96))
        blurred = cv2.GaussianBlur(noise, (0, 0), 1.0)[24:72, 24:72]
        sharp = sharp + power(noise[24:72, 24:72])
        soft = soft + power(blurred) * blurred.var()
    wave = 2 * np.pi * np.array(waves(48)[:4]) / 48
    assert np.allclose((soft / sharp)[:4], np.exp(-(wave**2)), rtol=0.15)


def test_a_picture_without_contrast_has_none():
    assert (power(np.full((48, 48), 9.0)) == 0).all()


def test_crops_of_a_data_set_are_measured_as_they_lie():
    data, spec = shapes().fit, shapes_spec(row_of("Seq-MT (A)"), 0)
    (found,) = powers(data, [3], spec, STILL)
    image = data.image(3)[..., 0].astype(np.float64)
    assert np.allclose(found, power(image[12:48, 12:48]), rtol=0.02)


def test_the_table_of_one_photo_given_twice(tmp_path, capsys):
    main("mtfl", write_official(tmp_path, train=20, test=12), images=10)
    head, *lines = capsys.readouterr().out.splitlines()
    assert [float(v) for v in head.split()[2:]] == [16.0, 8.0, 4.8, 4.0, 3.0, 2.5, 2.1]
    rows = {line[:26].strip(): line[26:].split() for line in lines if line[:26].strip()}
    test, still, moved, sharpened = rows.values()
    assert " ".join(rows).startswith("test training") and "moved and sharpened" in rows
    assert test == still and len(test) == 7
    assert float(still[-1]) > float(moved[-1]) and float(sharpened[-1]) > float(moved[-1])


def test_what_is_seen_at_all_wavelengths_is_left_out(tmp_path, monkeypatch):
    seen = []

    def record(data, rows, spec, augment):
        seen.append((augment, spec.augment))
        return np.ones((len(rows), len(WAVELENGTHS)))

    monkeypatch.setattr(fine_detail, "powers", record)
    out = {"block", "cut", "occlude", "background", "colour", "blur"}

    def spec(row, seed):
        found = mtfl_spec(row, seed)
        return replace(found, augment=replace(found.augment, **dict.fromkeys(out, 0.4)))

    monkeypatch.setitem(fine_detail.SPECS, "mtfl", spec)
    main("mtfl", write_official(tmp_path, train=20, test=12), images=10)
    still, lying, moved, sharpened = (augment for augment, _ in seen)
    wanted = seen[0][1]
    assert still == lying == STILL
    for name in out:
        assert getattr(wanted, name) == 0.4
        assert getattr(moved, name) == getattr(sharpened, name) == 0, name
    for name in ("rotate", "spin", "scale", "shift"):
        assert getattr(moved, name) == getattr(sharpened, name) == getattr(wanted, name) > 0, name
    assert (moved.sharpen, sharpened.sharpen) == (0, wanted.sharpen)
