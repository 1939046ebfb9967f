"""The losses beyond the paper, against numbers derived by hand."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from tests.helpers.blobs import blob_picture, write_blobs, write_config
from train.config import read_config
from train.data.batches import batch_part, make_batch
from train.data.pictures import hide_landmarks, read_coco
from train.loop.fit import fit
from train.losses.beyond import plausible_loss, ramp, teach, temporal_loss, unlabelled
from train.losses.paper import Batch, LossSpec
from train.losses.plausible_shapes import fit_space
from train.networks.model import Prediction


def test_temporal_by_hand():
    xy = torch.tensor([[[10.0, 10.0], [20.0, 20.0]]])
    after = torch.tensor([[[13.0, 14.0], [20.0, 30.0]]])  # 5 and 10 px apart in a crop of 100
    assert temporal_loss(xy, after, 100, 0.0).item() == pytest.approx(0.075)
    assert temporal_loss(xy, after, 100, 0.06).item() == pytest.approx(0.02)  # (0 + 0.04) / 2
    assert temporal_loss(xy, after, 100, 0.2).item() == 0.0
    assert temporal_loss(xy[:0], after[:0], 100, 0.0).item() == 0.0


def test_temporal_gradient_is_finite_where_nothing_moved():
    xy = torch.zeros(1, 2, 2, requires_grad=True)
    temporal_loss(xy, torch.zeros(1, 2, 2), 64, 0.0).backward()
    assert torch.isfinite(xy.grad).all()


def test_plausible_by_hand():
    cross = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    space = fit_space(cross[None].repeat(8, 1, 1).numpy())
    xy = torch.stack([cross * torch.tensor([1.2, 0.8]), cross, cross * torch.tensor([5.0, 0.1])])
    mask = torch.tensor([True, True, False])
    # distances 0.17670, 0.21554 twice each (test_shapes.py) and four zeros, beyond 0.1
    expected = (2 * 0.07670 + 2 * 0.11554) / 8
    assert plausible_loss(xy, mask, space, 0.1).item() == pytest.approx(expected, abs=1e-4)
    assert plausible_loss(xy, ~mask & False, space, 0.1).item() == 0.0


def test_the_teacher_grows_into_its_weight():
    spec = LossSpec(teacher_ramp=0.3)
    assert [ramp(spec, s, 1000) for s in (0, 150, 300, 900)] == [0.0, 0.5, 1.0, 1.0]


class Fixed(torch.nn.Module):
    """A teacher that says where the picture's first pixel tells it to, with a known score."""

    def forward(self, image):
        xy = image[:, :1, 0, :2].reshape(-1, 1, 2).repeat(1, 2, 1)
        spread = torch.tensor([[0.0, 1.0]]).repeat(len(image), 1)
        return Prediction(xy, xy, spread, xy[:, 0, 0], {})

    def score(self, spread):
        return torch.where(spread > 0, 0.2, 0.7)


def test_only_sure_points_of_unlabelled_pictures_are_taught():
    labelled = torch.tensor([[True, False], [False, False], [False, False]])
    hard, easy = torch.zeros(3, 3, 4, 4), torch.full((3, 3, 4, 4), 9.0)
    batch = Batch(
        hard, torch.zeros(3, 2, 2), labelled, torch.tensor([1.0, 1.0, 0.0]), {},
        torch.eye(2, 3).repeat(3, 1, 1), easy=easy,
    )  # fmt: skip
    assert unlabelled(batch).tolist() == [False, True, False]
    hints = teach(Fixed(), batch, LossSpec(teacher=1.0, teacher_score=0.5))
    assert hints.sure.tolist() == [[False, False], [True, False], [False, False]]
    assert hints.taught[1, 0].tolist() == [9.0, 9.0]  # from the easy view, not from the hard one


@pytest.fixture
def pairs(tmp_path):
    """Ten pictures; the even ones have a neighbour in which everything lies 3 px further right."""
    data = read_coco(write_blobs(tmp_path, 10))
    examples = []
    for i, e in enumerate(data.examples):
        following = None
        if i % 2 == 0:
            following = tmp_path / f"after{i}.png"
            cv2.imwrite(str(following), blob_picture(e.xy + np.array([3, 0]), 64, 99))
        examples.append(replace(e, neighbour=following))
    return replace(data, examples=tuple(examples))


def test_a_neighbour_is_cut_and_mirrored_like_its_frame(tmp_path, pairs):
    change = {"loss.temporal": "1", "augment.rotate": "30", "augment.scale": "0.1"}
    spec = read_config(write_config(tmp_path), {**change, "augment.flip": "0.5"})
    plain = replace(spec, loss=replace(spec.loss, temporal=0.0))
    rows = [0, 1, 2, 4]
    batch = make_batch(pairs, rows, spec, np.random.default_rng(3))
    assert batch.has_after.tolist() == [True, False, True, True]
    assert torch.equal(batch.image, make_batch(pairs, rows, plain, np.random.default_rng(3)).image)
    still = replace(
        pairs, examples=tuple(replace(e, neighbour=e.path) for e in pairs.examples), cache={}
    )
    hard = replace(spec, augment=replace(spec.augment, occlude=1, colour=1, blur=1))
    same = make_batch(still, rows, hard, np.random.default_rng(3))
    assert torch.equal(same.after, same.image)  # every disturbance is the same


def test_the_easy_view_is_the_crop_before_it_is_disturbed(tmp_path, pairs):
    spec = read_config(write_config(tmp_path), {"loss.teacher": "1", "augment.rotate": "30"})
    hard = replace(spec, augment=replace(spec.augment, occlude=1, colour=1, blur=1))
    clean = make_batch(pairs, [0], spec, np.random.default_rng(3))
    disturbed = make_batch(pairs, [0], hard, np.random.default_rng(3))
    assert torch.equal(clean.easy, clean.image)
    assert torch.equal(disturbed.easy, clean.image)
    assert not torch.equal(disturbed.easy, disturbed.image)
    half = batch_part(make_batch(pairs, [0, 1], spec, np.random.default_rng(3)), [1])
    assert len(half.easy) == len(half.image) == 1


def test_a_neighbour_of_another_size_is_a_sentence(tmp_path, pairs):
    cv2.imwrite(str(tmp_path / "after0.png"), np.zeros((9, 9, 3), np.uint8))
    spec = read_config(write_config(tmp_path), {"loss.temporal": "1"})
    with pytest.raises(ValueError, match=r"after0\.png is of another size than .*0\.png"):
        make_batch(pairs, [0], spec, np.random.default_rng(0))


def test_all_of_them_train_and_resume_exactly(tmp_path, pairs):
    change = {"loss.teacher": "0.05", "loss.temporal": "0.5", "loss.plausible": "0.5"}
    change |= {"loss.teacher_score": "0.01", "loss.temporal_epsilon": "0", "batch": "8"}
    change |= {"checkpoint_every": "5", "loss.plausible_epsilon": "0"}
    spec = read_config(write_config(tmp_path, steps=12), change)
    seen = []
    data = replace(pairs, examples=pairs.examples + pairs.examples[:2])
    data = hide_landmarks(data, 0.8, 0)
    whole = fit(spec, tmp_path, tmp_path / "whole", report=seen.append, data=data)
    assert {"teacher", "temporal", "plausible"} <= seen[-1].terms.keys()
    assert seen[0].terms["teacher"] == 0.0  # its ramp starts at nothing
    for name in ("teacher", "temporal", "plausible"):
        assert max(p.terms[name] for p in seen) > 0, name

    def cut(p):
        if p.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(spec, tmp_path, tmp_path / "cut", report=cut, data=data)
    again = fit(spec, tmp_path, tmp_path / "cut", resume=True, data=data)
    assert whole.read_bytes() == again.read_bytes()


def test_too_few_labels_for_shapes_are_told_once(tmp_path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=3), {"loss.plausible": "1"})
    seen = []
    fit(spec, tmp_path, tmp_path / "run", report=seen.append)
    assert [bool(p.message) for p in seen] == [True, False, False]
    assert "plausible shapes are off: 6 pictures" in seen[0].message
    assert "plausible" not in seen[-1].terms
