"""Configs: plain data in, frozen dataclasses out, and a name for whatever does not fit."""

import json
from pathlib import Path

import pytest

import train
from tracker.errors import UserError
from train.config import build, read_config, spec_from_dict, spec_to_dict
from train.losses.paper import LossSpec

SHIPPED = sorted((Path(train.__file__).parent / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_configs_read_and_survive_json(path):
    spec = read_config(path)
    assert spec_from_dict(json.loads(json.dumps(spec_to_dict(spec)))) == spec


def test_overrides_take_toml_values(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("steps = 10\n")
    spec = read_config(path, {"loss.alpha": "0.25", "net.widths": "[8, 8]", "kind": "hand"})
    assert (spec.loss.alpha, spec.net.widths, spec.kind, spec.steps) == (0.25, (8, 8), "hand", 10)


@pytest.mark.parametrize(
    "text,message",
    [
        ("stepz = 1", "'stepz' is unknown"),
        ("steps = 'many'", "steps: int was wanted"),
        ("loss = 3", "loss: a table was wanted"),
        ("[loss]\nalpah = 1", "'alpah' is unknown"),
        ("steps =", "is not TOML"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_config(path)


def test_a_config_is_utf8_with_or_without_a_mark(tmp_path):
    path = tmp_path / "c.toml"
    text = "# größer\nsteps = 12\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_config(path).steps == 12
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="is no UTF-8 text"):
        read_config(path)


@pytest.mark.parametrize("key", ["steps.x", "steps.x.y", "heads.size"])
def test_a_value_has_no_keys(tmp_path, key):
    path = tmp_path / "c.toml"
    path.write_text('steps = 10\n[[heads]]\n[heads.attribute]\nname = "pose"\n')
    with pytest.raises(ValueError, match=f"--set {key}=5: '{key.split('.')[0]}' is no table"):
        read_config(path, {key: "5"})


@pytest.mark.parametrize(
    "name", ["batch", "steps", "threads", "evaluate_every", "checkpoint_every"]
)
@pytest.mark.parametrize("count", [0, -1])
def test_counts_are_positive(tmp_path, name, count):
    path = tmp_path / "c.toml"
    path.write_text(f"{name} = {count}\n")
    with pytest.raises(ValueError, match=f"{name} takes 1 or more, found {count}"):
        read_config(path)
    assert getattr(read_config(path, {name: "1"}), name) == 1


def test_missing_file_and_missing_key(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        read_config(tmp_path / "no.toml")
    from tracker.find.model_file import Attribute

    with pytest.raises(ValueError, match="'name' is missing"):
        build(Attribute, {"size": 3})


def test_integers_serve_as_floats():
    assert build(LossSpec, {"alpha": 1}).alpha == 1.0


def test_a_head_is_changed_by_its_name():
    path = Path(train.__file__).parent / "configs" / "face68.toml"
    spec = read_config(path, {"heads.pose.flow": "false", "heads.place.weight": "0.5"})
    heads = {h.attribute.name: h for h in spec.heads}
    assert not heads["pose"].flow and heads["place"].flow
    assert heads["place"].weight == 0.5


def test_a_head_that_is_not_there_is_told():
    path = Path(train.__file__).parent / "configs" / "face68.toml"
    with pytest.raises(ValueError, match="flow=false: 'smile' is no table"):
        read_config(path, {"heads.smile.flow": "false"})
