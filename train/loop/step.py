"""One step of training: forward, losses, update, and the average that follows the weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from train.config import FitSpec
from train.data.batches import batch_part, make_batch
from train.data.pictures import DataSet
from train.loop.state import Run
from train.losses import composite, needed
from train.losses.beyond import teach
from train.losses.paper import Batch, Hints, Seen, elt_rows, warp_image
from train.machine.device import half_precision
from train.machine.distributed import part, sum_gradients, total
from train.machine.ranks import rank


def learning_rate(spec: FitSpec, step: int) -> float:
    """Linear warm-up, then a cosine to 1 % of the top rate; that again in each of `spec.cycles`.

    With `spec.decay` the rate stays at its top and falls in a line over the last so many steps: a
    training whose end is not known goes on at the top, and a second one, from its weights, falls.
    """
    length = max(1, -(-spec.steps // spec.cycles))
    at = step - min(step // length, spec.cycles - 1) * length
    if at < spec.warmup:
        return spec.lr * (at + 1) / spec.warmup
    if spec.decay:
        left = (length - at) / min(spec.decay, length)
        return spec.lr * (0.01 + 0.99 * min(left, 1.0))
    done = (at - spec.warmup) / max(1, length - spec.warmup)
    return spec.lr * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(done, 1.0)))))


def update_ema(ema: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the model; early on faster, so it never lags a fresh start."""
    keep = min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for a, b in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
            if a.dtype.is_floating_point:
                a.lerp_(b, 1 - keep)
            else:
                a.copy_(b)


def step_batch(data: DataSet, spec: FitSpec, step: int, rows: list[int]) -> Batch:
    """This process's part of a step's batch, in main memory.

    With `row_seeds` each picture has a generator of its own, so that a process makes its own part
    alone; else all make the whole batch, as one process does, and take their part of it.
    """
    seed = [spec.seed, 3, step]
    if spec.row_seeds:
        mine = part(list(enumerate(rows)))
        rngs = [np.random.default_rng([*seed, place]) for place, _ in mine]
        return make_batch(data, [row for _, row in mine], spec, rngs)
    batch = make_batch(data, rows, spec, np.random.default_rng(seed))
    return batch_part(batch, part(range(len(rows))))


def forward(run: Run, batch: Batch) -> Seen:
    """Predictions for the batch, its warped images and its neighbours in one pass; a teacher's."""
    model, loss = run.model, run.spec.loss
    needs = needed(loss)
    rows = elt_rows(batch, loss) if "warped" in needs else torch.zeros(0)
    images = [batch.image]
    if len(rows):
        images.append(warp_image(batch.image[rows], batch.warp[rows]))
    if batch.after is not None:
        images.append(batch.after[batch.has_after])
    image = model.scale(torch.cat(images)).contiguous(memory_format=torch.channels_last)
    with half_precision(image.device, run.spec.precision):
        heat, coarse, parts = model.locate(image)
        hints = teach(run.ema, batch, loss) if "taught" in needs else Hints()
    n, m = len(batch.image), len(batch.image) + len(rows)
    out = model.finish(heat[:n], coarse[:n], batch.up, parts and (parts[0][:n], parts[1][:n]))
    if batch.after is not None:
        hints = replace(hints, after=model.finish(heat[m:], coarse[m:]).xy)
    warped = model.finish(heat[n:m], coarse[n:m]) if len(rows) else None
    return Seen(model, batch, out, loss, warped, hints, run.shapes)


def loss_terms(run: Run, batch: Batch) -> dict[str, Tensor]:
    """Every weighted term of the loss of a batch."""
    return composite(forward(run, batch), run.step, run.spec.steps)


def train_step(run: Run, batch: Batch) -> dict[str, float]:
    """One update; the weighted terms of the loss as numbers."""
    model, spec, step = run.model, run.spec, run.step
    torch.manual_seed(spec.seed * 1_000_003 + step + (rank() << 40))  # dropout: (seed, step) alone
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate(spec, step) * group.get("scale", 1.0)
    model.train()
    if spec.freeze_norms:
        for layer in model.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.eval()
    if spec.freeze:
        model.net.eval()  # the running means of its norms stay, too
    terms = loss_terms(run, batch)
    loss = torch.stack(list(terms.values())).sum()
    whole = total(torch.stack([v.detach() for v in terms.values()] + [loss.detach()]))
    *parts, sum_of_all = (float(v) for v in whole)
    if not np.isfinite(sum_of_all):
        raise FloatingPointError(
            f"the loss became {sum_of_all} at step {step}; lower lr or resume from the checkpoint"
        )
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    sum_gradients(model)
    nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    run.optimiser.step()
    return dict(zip(terms, parts, strict=True)) | {"loss": sum_of_all}
