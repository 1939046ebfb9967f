"""Labels that a network makes itself: views, their median, their spread, and what counts of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.helpers.blobs import COLOURS, NAMES, blob_picture, write_blobs
from tracker.find.geometry import apply, frame_to_crop
from tracker.types import CropBox
from train.config import AugmentSpec, FitSpec
from train.data.batches import make_batch, point_weights
from train.data.pictures import DataSet, read_coco
from train.data.pseudo_labels import (
    Cut,
    PseudoLabels,
    ViewSpec,
    agreed,
    cut_views,
    kept_pseudo_labels,
    label_pictures,
    point_weight,
    to_picture,
    unlabelled_rows,
    with_pseudo_labels,
    write_pseudo_labels,
)
from train.networks import NetSpec
from train.networks.model import soft_argmax

SIZE = 64
SPEC = FitSpec(net=NetSpec(size=SIZE), precision="f32", augment=AugmentSpec(flip=0.5))


class ColourNet(nn.Module):
    """Finds each blob by its colour, wherever it is: a network that is never wrong."""

    def __init__(self):
        super().__init__()
        self.mean = torch.zeros(1)
        bgr = torch.tensor(COLOURS, dtype=torch.float32)
        self.colours = bgr.flip(1)[None, :, :, None, None]

    def scale(self, image):
        return image

    def net(self, image):
        return -(image[:, None] - self.colours).square().sum(2), image

    def points(self, heat):
        return soft_argmax(heat, 2e-4)


@pytest.fixture
def data(tmp_path):
    """Eight pictures, two held out; of the training ones the last four are not labelled."""
    whole = read_coco(write_blobs(tmp_path))
    return DataSet(whole.markup, tuple(
        replace(e, labelled=np.zeros(4, bool)) if 2 <= i < 6 else e
        for i, e in enumerate(whole.examples)
    ))  # fmt: skip


def test_the_median_over_views_is_where_the_points_are(data):
    rows = unlabelled_rows(data)
    assert rows == [2, 3, 4, 5]
    found = label_pictures(ColourNet(), data, rows, SPEC, ViewSpec(count=6))
    true = np.stack([data.examples[i].xy for i in rows])
    assert found.rows.tolist() == rows
    assert np.abs(found.xy - true).max() < 0.7
    assert found.spread.max() < 2.5  # of blobs of 3 px in a crop of 64


def test_views_begin_with_the_trackers_crop_and_every_second_is_mirrored(data):
    cut = cut_views(data, 2, SPEC, ViewSpec(count=5))
    made = make_batch(data, [2], SPEC, None)
    assert np.array_equal(cut.crops[0], made.image[0].numpy().astype(np.uint8))
    assert cut.mirrored.tolist() == [False, True, False, True, False]
    assert cut.crops.shape == (5, 3, SIZE, SIZE) and cut.ways.shape == (5, 2, 3)
    never = replace(SPEC, augment=AugmentSpec(flip=0.0))
    assert not cut_views(data, 2, never, ViewSpec(count=5)).mirrored.any()


def test_points_of_a_mirrored_view_come_back_with_their_partners():
    way = frame_to_crop(CropBox(np.array([40.0, 30.0], np.float32), 20.0, 30.0), 10)
    true = np.array([[38.0, 28.0], [43.0, 31.0], [40.0, 33.0]])
    seen = apply(way, true)
    flipped = seen.copy()
    flipped[:, 0] = 9 - flipped[:, 0]
    flipped = flipped[[1, 0, 2]]  # what is left in the mirror is right
    both = to_picture(np.stack([seen, flipped]), cuts([way, way], 10, [False, True]), [(0, 1)])
    assert np.abs(both - true).max() < 1e-4


def cuts(ways, size, mirrored=False):
    """Views of an object, their first 40 pixels of the picture wide."""
    crops = np.zeros((len(ways), 3, size, size), np.uint8)
    return Cut(crops, np.stack(ways), np.broadcast_to(mirrored, len(ways)), 40.0)


def test_median_and_spread_of_the_views_that_show_the_point():
    way = np.array([[1.0, 0, 0], [0, 1, 0]])
    away = np.array([[1.0, 0, -50], [0, 1, 0]])  # x 12 lies at -38: outside
    xy = np.array([[[10.0, 20]], [[12.0, 20]], [[17.0, 20]], [[90.0, 20]]])
    middle, spread = agreed(xy, cuts([way, way, way, away], 32))
    assert middle.tolist() == [[12.0, 20.0]]
    assert spread[0] == pytest.approx((2 + 0 + 5) / 3 / 40 * 100)
    _, nowhere = agreed(xy, cuts([away] * 4, 32))
    assert np.isinf(nowhere[0])


def test_a_point_counts_less_the_more_its_views_differ():
    views = ViewSpec(agree=0.5, limit=1.5)
    spread = np.array([[0.2, 1.0, 1.5], [2.0, 3.0, 9.0], [2.0, 5.0, np.inf]], np.float32)
    # their median, without what no view shows, is 2: in full up to 1, nothing from 3 on
    wanted = [1, 1, 0.75, 0.5, 0, 0, 0.5, 0, 0]
    assert point_weight(spread, views).ravel().tolist() == pytest.approx(wanted)
    hard = replace(views, limit=0.5)
    assert point_weight(spread, hard).ravel().tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0]
    # a network that is nearly always right is not asked for more: the median counts as 0.5
    good = np.array([[0.01, 0.01, 0.25, 0.5]], np.float32)
    assert point_weight(good, views).ravel().tolist() == pytest.approx([1, 1, 1, 0.5])
    assert point_weight(np.full((1, 2), np.inf, np.float32), views).tolist() == [[0, 0]]


def test_what_the_network_says_trains_by_how_sure_it_is(data):
    xy = np.full((2, 4, 2), 20.0, np.float32)
    spread = np.array([[0.0, 2.0, 9.0, 0.0], [9.0, 9.0, 9.0, np.inf]], np.float32)
    found = PseudoLabels(np.array([2, 3]), xy, spread)  # a median of 9
    taught = with_pseudo_labels(data, found, ViewSpec(agree=1 / 9, limit=3 / 9))
    train = [taught.examples[i] for i in taught.rows(hold=False)]
    qualities = ["labelled", "labelled", "pseudo", *["unlabelled"] * 3]
    assert [e.quality for e in train] == qualities
    assert train[2].labelled.tolist() == [True, True, False, True]
    assert point_weights(train[2], 1.0).tolist() == [1.0, 0.5, 0.0, 1.0]
    assert np.array_equal(train[2].xy, xy[0])
    assert point_weights(train[0], 1.0).tolist() == [1.0] * 4
    held = data.rows(hold=True)
    assert all(taught.examples[i] is data.examples[i] for i in held)


def test_pseudo_labels_are_kept(tmp_path):
    found = PseudoLabels(np.array([4]), np.ones((1, 2, 2), np.float32), np.ones((1, 2), np.float32))
    path = tmp_path / "labels.npz"
    write_pseudo_labels(path, found)
    again = kept_pseudo_labels(path)
    assert again is not None and again.rows.tolist() == [4] and np.array_equal(again.xy, found.xy)
    path.write_bytes(path.read_bytes()[:40])
    assert kept_pseudo_labels(path) is None  # made anew
    assert kept_pseudo_labels(tmp_path / "none.npz") is None


def test_blobs_are_what_the_network_of_the_test_finds():
    xy = np.array([[12.0, 40], [50, 20], [30, 30], [15, 15]])
    image = torch.from_numpy(blob_picture(xy, SIZE)[..., ::-1].transpose(2, 0, 1).copy()).float()
    heat, _ = ColourNet().net(image[None])
    assert len(NAMES) == heat.shape[1]
    assert np.abs(soft_argmax(heat, 2e-4)[0][0].numpy() - xy).max() < 0.5
