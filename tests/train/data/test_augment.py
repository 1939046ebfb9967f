"""Crops: the points must stay on what they mark."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.helpers.blobs import COLOURS, write_blobs
from tracker.types import CropBox
from train.config import AugmentSpec, EltSpec
from train.data.augment import (
    bend,
    crop_example,
    cut_alike,
    darken,
    flip_sample,
    jitter_box,
    jpeg,
    occlude,
    put_behind,
    random_warp,
    sharpen,
    smear,
    worsen,
    wrong_box,
)
from train.data.pictures import read_coco

MOVE = AugmentSpec(rotate=30, scale=0.15, shift=0.05, flip=0.0)


def assert_on_blobs(bgr, xy, tolerance=70):
    for (x, y), colour in zip(xy, COLOURS, strict=True):
        seen = bgr[round(float(y)), round(float(x))].astype(int)
        assert np.abs(seen - colour).max() < tolerance, (x, y, seen, colour)


def isolated(data):
    """Examples whose blobs do not cover each other."""
    for i, e in enumerate(data.examples):
        d = np.linalg.norm(e.xy[:, None] - e.xy[None], axis=-1) + np.eye(4) * 99
        if d.min() > 12:
            yield i, e


def test_points_follow_the_crop_at_any_turn(tmp_path):
    data = read_coco(write_blobs(tmp_path, 30))
    rng = np.random.default_rng(0)
    seen = 0
    for i, example in isolated(data):
        for _ in range(4):
            crop = crop_example("face", example, data.image(i), 96, (), rng, MOVE)
            if ((crop.xy > 2) & (crop.xy < 93)).all():
                assert_on_blobs(crop.bgr, crop.xy)
                seen += 1
    assert seen > 20


def test_flip_moves_points_and_swaps_partners():
    bgr = np.zeros((10, 10, 3), np.uint8)
    bgr[4, 2] = 255
    out, xy = flip_sample(bgr, np.array([[2.0, 4.0], [7.0, 1.0]], np.float32), ((0, 1),))
    assert out[4, 7].tolist() == [255] * 3
    assert xy.tolist() == [[2.0, 1.0], [7.0, 4.0]]


def test_flipped_crop_keeps_each_point_on_its_partner(tmp_path):
    data = read_coco(write_blobs(tmp_path, 30))
    i, example = next(isolated(data))
    spec = replace(MOVE, flip=1.0, rotate=0, shift=0, scale=0)
    crop = crop_example(
        "face", example, data.image(i), 96, ((0, 1),), np.random.default_rng(0), spec
    )
    assert crop.flipped
    assert_on_blobs(crop.bgr, crop.xy[[1, 0, 2, 3]])


def test_unlabelled_example_is_cropped_by_its_box(tmp_path):
    data = read_coco(write_blobs(tmp_path))
    bare = replace(data.examples[0], xy=np.full((4, 2), np.nan, np.float32))
    crop = crop_example("face", bare, data.image(0), 64, ())
    assert crop.bgr.shape == (64, 64, 3)
    assert np.isnan(crop.xy).all()
    assert crop.angle == 0.0


def test_background_fills_only_the_black():
    bgr = np.zeros((32, 32, 3), np.uint8)
    bgr[10:22, 10:22] = 200
    out = put_behind(bgr, np.full_like(bgr, 90))
    assert out[2, 2].tolist() == [90] * 3
    assert out[16, 16].tolist() == [200] * 3


def test_occluder_leaves_the_input_alone():
    bgr = np.zeros((64, 64, 3), np.uint8)
    out, (x0, y0, x1, y1) = occlude(
        np.random.default_rng(1), bgr, np.full((8, 8, 3), 255, np.uint8)
    )
    assert bgr.max() == 0
    covered = np.zeros((64, 64), bool)
    covered[y0:y1, x0:x1] = True
    assert ((out > 0).any(2) == covered).all()
    assert 0.01 < (out > 0).mean() < 0.2


def test_sharpening_raises_a_wave_by_what_the_blur_takes_from_it():
    """Seven taps of a Gaussian leave the sum of their cosines of a wave of w radians a pixel."""
    wave, more = np.pi / 4, np.random.default_rng(5).uniform(0, 2, 2)[1]
    row = 128 + 60 * np.cos(wave * np.arange(64))
    picture = np.broadcast_to(row.round().astype(np.uint8)[None, :, None], (64, 64, 3)).copy()
    sharp = sharpen(np.random.default_rng(5), picture, 1.0)
    taps = np.exp(-(np.arange(-3, 4) ** 2) / 2)
    left = (taps * np.cos(wave * np.arange(-3, 4))).sum() / taps.sum()
    seen = np.abs(np.fft.rfft(sharp[32, 16:48, 0].astype(float)))[4] / 16
    assert abs(seen - 60 * (1 + more * (1 - left))) < 1.5  # whole gray values
    assert more > 0.5 and abs(sharp[32, 16:48].mean() - 128) < 1


def test_sharpening_keeps_what_is_flat_and_is_as_likely_as_asked():
    rng, flat = np.random.default_rng(0), np.full((16, 16, 3), 90, np.uint8)
    assert (sharpen(rng, flat, 1.0) == flat).all()
    noise = rng.integers(0, 256, (16, 16, 3), np.uint8)
    untouched = sum((sharpen(rng, noise, 0.75) == noise).all() for _ in range(400))
    assert 65 < untouched < 135  # 100 wanted, 4 deviations are 35


def test_random_warp_without_ranges_is_the_identity():
    warp = random_warp(np.random.default_rng(0), EltSpec(0, 0, 0), 64)
    np.testing.assert_allclose(warp, np.eye(2, 3), atol=1e-6)


def test_spun_crops_have_any_angle_and_the_others_the_usual_one(tmp_path):
    data = read_coco(write_blobs(tmp_path, 5))
    rng = np.random.default_rng(0)
    spec = replace(MOVE, spin=0.25)
    angles = np.array(
        [
            crop_example("object", data.examples[0], data.image(0), 32, (), rng, spec).angle
            for _ in range(800)
        ]
    )
    upright = crop_example("object", data.examples[0], data.image(0), 32, ()).angle
    turned = (angles - upright + 180) % 360 - 180
    # a quarter is uniform in +-180: 5/6 of it lie beyond +-30, and as many on either side
    assert abs((np.abs(turned) > 30).mean() - 0.25 * 5 / 6) < 0.04
    assert abs((turned > 30).mean() - (turned < -30).mean()) < 0.05
    assert np.abs(turned).max() > 150


def square_of_points(tmp_path):
    """Four points 80 px apart on a picture of random colours, none of them black."""
    picture = np.random.default_rng(5).integers(40, 255, (200, 200, 3)).astype(np.uint8)
    points = np.array([[60, 60], [140, 60], [140, 140], [60, 140]], np.float32)
    example = read_coco(write_blobs(tmp_path, 1)).examples[0]
    return picture, replace(example, xy=points)


def test_a_cut_photo_is_black_beyond_its_sides_and_as_it_was_within(tmp_path):
    picture, example = square_of_points(tmp_path)
    still = replace(MOVE, rotate=0, scale=0, shift=0)
    whole = crop_example("face", example, picture, 64, ()).bgr
    rng = np.random.default_rng(2)
    black = []
    for _ in range(300):
        crop = crop_example("face", example, picture, 64, (), rng, replace(still, cut=1.0))
        dark = (crop.bgr == 0).all(2)
        assert (crop.bgr[~dark] == whole[~dark]).all()
        rows, columns = (~dark).any(1), (~dark).any(0)
        assert (~dark == rows[:, None] & columns[None]).all()  # an upright rectangle is left
        black.append(64 - np.array([columns.sum(), rows.sum()]))
        # a side of 0.9 at least, moved by 0.08 at most: 0.5 - (0.45 - 0.08) = 13 % of 64, and 1 px
        assert np.argmax(columns) <= 9 and np.argmax(columns[::-1]) <= 9
    assert 0 < np.mean(black) < 10
    assert (np.array(black) == 0).all(1).any()  # a large photo ends outside of the crop


def test_a_cut_photo_turns_with_its_points(tmp_path):
    picture, example = square_of_points(tmp_path)
    spec = replace(MOVE, rotate=0, scale=0, shift=0, spin=1.0, cut=1.0)
    rng = np.random.default_rng(1)
    turned = 0
    for _ in range(100):
        crop = crop_example("face", example, picture, 64, (), rng, spec)
        dark = (crop.bgr == 0).all(2)
        # the photo keeps 0.37 sides at least from its middle, a face's points reach 0.5 / 1.35
        centre = crop.xy.mean(0)
        for corner in crop.xy:
            x, y = np.round(centre + (corner - centre) * 0.9).astype(int)
            assert not dark[y, x]
        rows, columns = (~dark).any(1), (~dark).any(0)
        turned += bool(dark.any() and not (~dark == rows[:, None] & columns[None]).all())
    assert turned > 60


def test_the_next_frame_is_cut_where_its_crop_was(tmp_path):
    picture, example = square_of_points(tmp_path)
    spec = replace(MOVE, spin=1.0, cut=1.0)
    rng = np.random.default_rng(3)
    seen = 0
    for k in range(20):
        crop = crop_example("face", example, picture, 64, (), rng, replace(spec, flip=float(k % 2)))
        again = cut_alike(picture, crop)
        assert (again == crop.bgr).all()
        seen += bool((again == 0).all(2).any())
    assert seen > 10


def test_gamma_by_hand():
    grays = np.array([[[0] * 3, [64] * 3, [255] * 3]], np.uint8)
    assert bend(grays, 2.0)[0, :, 0].tolist() == [0, 16, 255]  # (64 / 255)^2 * 255 = 16.06
    assert bend(grays, 0.5)[0, :, 0].tolist() == [0, 128, 255]  # 127.7


def test_motion_blur_keeps_light_and_smears_along_its_line():
    dot = np.zeros((41, 41, 3), np.uint8)
    dot[20, 20] = 255
    along = smear(dot, 10.0, 0.0)
    ys, xs = np.nonzero(along[..., 0])
    assert set(ys) == {20} and (xs.min(), xs.max()) == (15, 25)
    assert along[..., 0].sum() == pytest.approx(255, abs=11)  # rounded eleven times
    assert xs.mean() == 20
    assert set(np.nonzero(smear(dot, 10.0, 90.0)[..., 0])[1]) == {20}


def test_low_light_is_noisier_than_its_picture_and_never_brighter():
    rng = np.random.default_rng(0)
    gray = np.full((64, 64, 3), 128, np.uint8)
    for _ in range(20):
        dark = darken(rng, gray, 0.1)
        assert dark.mean() < 140 and dark.std() > 1
    signal = [(d.mean() / d.std()) for d in (darken(rng, gray, light) for light in (0.05, 0.5))]
    assert signal[0] < 0.6 * signal[1]


def test_jpeg_is_coarser_at_lower_quality():
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (64, 64, 3)).astype(np.uint8), (0, 0), 2)
    error = [np.abs(jpeg(picture, q).astype(int) - picture).mean() for q in (8, 50, 100)]
    assert error[0] > 1.3 * error[1] > 1.3 * error[2]


@pytest.mark.parametrize("name", ["gamma", "motion", "dark", "jpeg"])
def test_each_worsening_is_an_option(name):
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3)).astype(np.uint8)
    none, one = AugmentSpec(), replace(AugmentSpec(), **{name: 1.0})
    assert np.array_equal(worsen(np.random.default_rng(1), picture, none), picture)
    assert not np.array_equal(worsen(np.random.default_rng(1), picture, one), picture)


def test_far_objects_are_half_to_more_than_usual():
    box = CropBox(np.zeros(2, np.float32), 100.0, 0.0)
    rng, spec = np.random.default_rng(0), replace(MOVE, far=1.0)
    sides = np.array([jitter_box(rng, box, spec).side for _ in range(500)])
    assert 62.5 <= sides.min() < 65 and 195 < sides.max() <= 200  # hands of 1.6 to 0.5


def test_wrong_crops_are_never_nearly_right():
    """Of 400, each is moved by 0.42 sides, or 2.3 times too large or small, or upside down."""
    rng = np.random.default_rng(0)
    xy = rng.uniform(60, 140, (21, 2)).astype(np.float32)
    box = CropBox(np.array([100, 100], np.float32), 128.0, 10.0)
    ways = np.zeros(4, int)
    for _ in range(400):
        wrong = wrong_box(rng, box, xy)
        moved = np.linalg.norm(wrong.centre_xy - box.centre_xy) / box.side
        turn = abs((wrong.angle - box.angle + 180) % 360 - 180)
        found = [moved >= 0.42, wrong.side >= 2.2 * box.side, wrong.side <= box.side / 2.2]
        found.append(turn >= 139)
        assert any(found)
        ways += found
    assert ways.min() > 50
